//! The caller.

use axum::{Json, extract::State, response::Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    auth::{Authorized, TokenOnly},
    error::GatewayError,
    job_list,
    job_view::JobView,
    legacy::route_groups::ForUser,
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
#[derive(Debug, ToSchema)]
pub struct Jobs {
    /// In the order in which they were made. `events` and `logs` are empty here, and a value
    /// larger than the limits of `PUT /job/{id}` is left out.
    #[expect(dead_code, reason = "written a page at a time, see `job_list`")]
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
    let root_path = root_path.ok_or(GatewayError::NoHubFolder)?;
    Ok(Json(JupyterGlobus {
        endpoint: hub.endpoint.clone(),
        root_path,
        container_home_path: hub.container_home_path.clone(),
    }))
}

/// The caller's jobs, all of them; each with its events and logs left out.
#[utoipa::path(get, path = "/user/job", request_body = TokenOnly, tag = "user", responses((status = OK, body = Jobs), (status = NOT_FOUND)))]
pub async fn jobs(
    State(state): State<AppState>,
    caller: Authorized<ForUser, TokenOnly>,
) -> Result<Response, GatewayError> {
    let user = &caller.user.id;
    let slot = state.lists.take(user).await?;
    job_list::respond(state.store, user.clone(), slot).await
}
