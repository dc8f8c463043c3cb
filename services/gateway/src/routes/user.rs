//! The caller.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use compute_domain::ids::FolderId;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    auth::{Authorized, ForUser},
    error::GatewayError,
    job_view::{JobView, folder_ids},
    schema::TokenOnly,
    state::AppState,
};

/// Who is calling.
#[derive(Debug, Serialize, ToSchema)]
pub struct User {
    /// `NAME@HOST`.
    username: String,
}

/// Where Globus finds the caller's files on the hub.
#[derive(Debug, Serialize, ToSchema)]
pub struct JupyterGlobus {
    endpoint: String,
    root_path: String,
    container_home_path: String,
}

/// The caller's jobs.
#[derive(Debug, Serialize, ToSchema)]
pub struct Jobs {
    /// In the order in which they were made.
    job: Vec<JobView>,
}

/// Who the token belongs to.
#[utoipa::path(get, path = "/user", request_body = TokenOnly, tag = "user", responses((status = OK, body = User), (status = NOT_FOUND)))]
pub async fn show(caller: Authorized<ForUser, TokenOnly>) -> Json<User> {
    Json(User {
        username: caller.user.id.to_string(),
    })
}

/// Where Globus finds the caller's files on the hub.
#[utoipa::path(get, path = "/user/jupyter-globus", request_body = TokenOnly, tag = "user",
    responses((status = OK, body = JupyterGlobus), (status = NOT_FOUND)))]
pub async fn jupyter_globus(
    caller: Authorized<ForUser, TokenOnly>,
) -> Result<Json<JupyterGlobus>, GatewayError> {
    let hub = &caller.user.hub;
    let root_path = hub.folder_of(&caller.user.name);
    let root_path = root_path.ok_or_else(|| {
        GatewayError::Forbidden("your account has no folder on its JupyterHub".to_owned())
    })?;
    Ok(Json(JupyterGlobus {
        endpoint: hub.endpoint.clone(),
        root_path,
        container_home_path: hub.container_home_path.clone(),
    }))
}

/// The caller's jobs, with events and logs.
#[utoipa::path(get, path = "/user/job", request_body = TokenOnly, tag = "user", responses((status = OK, body = Jobs), (status = NOT_FOUND)))]
pub async fn jobs(
    State(state): State<AppState>,
    caller: Authorized<ForUser, TokenOnly>,
) -> Result<Json<Jobs>, GatewayError> {
    let jobs = state.store.jobs_of(&caller.user.id).await?;
    let ids: Vec<_> = jobs.iter().map(|job| job.id.clone()).collect();
    let folder_ids: Vec<FolderId> = jobs.iter().flat_map(folder_ids).collect();
    let folders = state.store.folders(&folder_ids).await?;
    let mut events = state.store.events_of_many(&ids).await?;
    let mut logs: BTreeMap<_, _> = state.store.logs_of_many(&ids).await?;
    let view = |job: compute_domain::job::Job| {
        let (events, logs) = (events.remove(&job.id), logs.remove(&job.id));
        JobView::new(job, &folders).with(events.unwrap_or_default(), logs.unwrap_or_default())
    };
    Ok(Json(Jobs {
        job: jobs.into_iter().map(view).collect(),
    }))
}
