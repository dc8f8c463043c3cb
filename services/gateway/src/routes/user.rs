//! The caller.

use axum::{Json, extract::State, response::Response};
use compute_domain::site::UserMapping;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    auth::{Authorized, ForUser},
    error::GatewayError,
    job_list,
    job_view::JobView,
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
pub async fn jupyter_globus(caller: Authorized<ForUser, TokenOnly>) -> Json<JupyterGlobus> {
    let hub = &caller.user.hub;
    let folder = folder_name(hub.user_mapping, &caller.user.name);
    Json(JupyterGlobus {
        endpoint: hub.endpoint.clone(),
        root_path: format!("{}/{folder}", hub.root_path.trim_end_matches('/')),
        container_home_path: hub.container_home_path.clone(),
    })
}

/// The caller's jobs, all of them; each with its events and logs left out.
#[utoipa::path(get, path = "/user/job", request_body = TokenOnly, tag = "user", responses((status = OK, body = Jobs), (status = NOT_FOUND)))]
pub async fn jobs(
    State(state): State<AppState>,
    caller: Authorized<ForUser, TokenOnly>,
) -> Result<Response, GatewayError> {
    let user = &caller.user.id;
    let place = state.lists.take(user).await?;
    job_list::answer(state.store, user.clone(), place).await
}

/// The name of a user's folder on the hub. `iguide-mapping` is what JupyterHub's
/// volume claims are named by: everything but `a-z0-9` as `-` and the byte in
/// hexadecimal (PyPI `escapism`), all in lower case.
fn folder_name(mapping: UserMapping, name: &str) -> String {
    match mapping {
        UserMapping::Plain => name.to_owned(),
        UserMapping::Iguide => {
            let escape = |b: u8| match b {
                b'a'..=b'z' | b'0'..=b'9' => char::from(b).to_string(),
                b => format!("-{b:x}"),
            };
            format!(
                "iguide-claim-{}",
                name.bytes().map(escape).collect::<String>()
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_users() {
        assert_eq!(folder_name(UserMapping::Plain, "Alice.B"), "Alice.B");
        assert_eq!(
            folder_name(UserMapping::Iguide, "alice"),
            "iguide-claim-alice"
        );
        assert_eq!(
            folder_name(UserMapping::Iguide, "Al.ü@x"),
            "iguide-claim--41l-2e-c3-bc-40x"
        );
    }
}
