//! Fetching a folder by Globus.

use axum::{
    Json,
    extract::{Path, State},
};
use compute_domain::ids::FolderId;
use compute_globus::Place;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    auth::{Authorized, ForChange},
    download::{self, Wanted},
    error::GatewayError,
    schema::{InitDownload, TokenOnly},
    state::AppState,
};

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
    Path(id): Path<String>,
    caller: Authorized<ForChange, InitDownload>,
) -> Result<Json<DownloadBegun>, GatewayError> {
    let text = |key: &str| caller.body.get(key).and_then(Value::as_str);
    let wanted = Wanted {
        folder: FolderId::from_text(id),
        from: text("fromPath").map(str::to_owned),
        to: Place {
            endpoint: text("toEndpoint").unwrap_or_default().to_owned(),
            path: text("toPath").unwrap_or_default().to_owned(),
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
    Path(id): Path<String>,
    caller: Authorized<ForChange, TokenOnly>,
) -> Result<Json<DownloadStatus>, GatewayError> {
    let folder = FolderId::from_text(id);
    let status = download::status(&state, &caller.user.id, folder).await?;
    let status = status.map(|status| status.as_str());
    Ok(Json(DownloadStatus { status }))
}
