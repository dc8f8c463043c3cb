//! A new password for a job that runs as its owner's own account.

use axum::{Json, extract::State};
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;

use super::job_control::{Done, notify_maintainer};
use crate::{
    auth::OwnJob,
    credentials::Login,
    error::{GatewayError, JobRejection},
    legacy::route_groups::ForCredential,
    state::AppState,
};

/// `PUT /job/:id/credential`.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(examples(json!({"password": "PASSWORD"})))]
pub struct GiveCredential {
    /// The account; that of the job unless given.
    user: Option<String>,
    /// Its password.
    #[schema(value_type = Option<String>)]
    password: Option<SecretString>,
}

/// Gives the password of the account that a job runs as again: it has changed, or is
/// not known any more. A job that waits for it goes on at once.
#[utoipa::path(put, path = "/job/{id}/credential", request_body = GiveCredential, tag = "job", params(("id" = String, Path)),
    responses((status = OK, body = Done), (status = UNAUTHORIZED), (status = PAYMENT_REQUIRED),
    (status = SERVICE_UNAVAILABLE)))]
pub async fn give(
    State(state): State<AppState>,
    own: OwnJob<ForCredential, GiveCredential>,
) -> Result<Json<Done>, GatewayError> {
    let OwnJob {
        job, user, body, ..
    } = own;
    let hpc = state
        .site
        .hpcs
        .get(&job.hpc)
        .ok_or(GatewayError::Unrecognized("hpc"))?;
    let Some(account) = job.account.as_deref().filter(|_| !hpc.is_community_account) else {
        return Err(JobRejection::NoPasswordNeeded(hpc.name.clone()).into());
    };
    if job.state.is_terminal() {
        return Err(JobRejection::IsOver.into());
    }
    let login = Login::new(body.user, body.password, Some(account), hpc)?;
    if login.account != account {
        return Err(JobRejection::OtherAccount(account.to_owned()).into());
    }
    login.check_and_keep(&state, &user.id, hpc, &job.id).await?;
    tracing::info!(hpc = hpc.name, account, "password given again");
    // The job may have ended meanwhile, with its credential removed.
    match state.store.job_of(&user.id, &job.id).await? {
        Some(now) if now.state.is_terminal() => {
            if let Err(error) = state.queue.remove_credential(&hpc.name, &job.id).await {
                tracing::warn!(%error, "a login is kept until it expires");
            }
        }
        _ => notify_maintainer(&state, job),
    }
    Ok(Json(Done::with_message("password taken over")))
}
