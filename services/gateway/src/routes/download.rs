//! Downloads of folders by Globus.

use axum::{Json, extract::State};
use compute_globus::Place;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    auth::{OwnFolder, TokenOnly},
    download::{self, DownloadRequest},
    error::GatewayError,
    legacy::route_groups::ForDownload,
    state::AppState,
};

/// `POST /folder/:id/download/globus-init`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({
    "toEndpoint": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
    "toPath": "/~/data/alice/results",
    "fromPath": "/slurm_log"
})))]
pub struct InitDownload {
    /// The job that the folder is of.
    #[expect(dead_code, reason = "clients send it; the folder's id says enough")]
    job_id: Option<String>,
    /// Endpoint or collection id.
    to_endpoint: String,
    /// Folder there.
    to_path: String,
    /// Folder inside of this one; all of it unless given.
    from_path: Option<String>,
}

/// A transfer was asked for.
#[derive(Debug, Serialize, ToSchema)]
pub struct DownloadBegun {
    /// Globus' id of it.
    globus_task_id: String,
}

/// How the latest transfer of a folder goes.
#[derive(Debug, Serialize, ToSchema)]
pub struct DownloadStatus {
    /// `ACTIVE`, `INACTIVE`, `SUCCEEDED`, `FAILED`; null if there was none.
    status: Option<&'static str>,
}

/// Transfers a folder to an endpoint of the caller's.
#[utoipa::path(post, path = "/folder/{id}/download/globus-init", request_body = InitDownload,
    tag = "folder", params(("id" = String, Path)),
    responses((status = OK, body = DownloadBegun), (status = FORBIDDEN)))]
pub async fn globus_init(
    State(state): State<AppState>,
    OwnFolder { folder, caller }: OwnFolder<ForDownload, InitDownload>,
) -> Result<Json<DownloadBegun>, GatewayError> {
    let wanted = DownloadRequest {
        folder,
        from: caller.body.from_path,
        to: Place {
            endpoint: caller.body.to_endpoint,
            path: caller.body.to_path,
        },
    };
    let globus_task_id = download::begin(&state, &caller.user.id, wanted).await?;
    Ok(Json(DownloadBegun { globus_task_id }))
}

/// How the latest transfer of a folder goes.
#[utoipa::path(get, path = "/folder/{id}/download/globus-status", request_body = TokenOnly,
    tag = "folder", params(("id" = String, Path)),
    responses((status = OK, body = DownloadStatus), (status = FORBIDDEN)))]
pub async fn globus_status(
    State(state): State<AppState>,
    OwnFolder { folder, caller }: OwnFolder<ForDownload, TokenOnly>,
) -> Result<Json<DownloadStatus>, GatewayError> {
    let status = download::status(&state, &caller.user.id, &folder).await?;
    let status = status.map(|status| status.as_str());
    Ok(Json(DownloadStatus { status }))
}
