//! A new password for a job that runs as its owner's own account.

use axum::{
    Json,
    extract::{Path, State},
};
use compute_domain::ids::JobId;

use super::job_control::{Done, tell_maintainer};
use crate::{
    auth::{Authorized, ForChange},
    credentials::Login,
    error::GatewayError,
    schema::GiveCredential,
    state::AppState,
};

/// Gives the password of the account that a job runs as again: it has changed, or is
/// not known any more. A job that waits for it goes on at once.
#[utoipa::path(put, path = "/job/{id}/credential", request_body = GiveCredential, tag = "job", params(("id" = String, Path)),
    responses((status = OK, body = Done), (status = UNAUTHORIZED), (status = PAYMENT_REQUIRED),
    (status = SERVICE_UNAVAILABLE)))]
pub async fn give(
    State(state): State<AppState>,
    Path(id): Path<String>,
    mut caller: Authorized<ForChange, GiveCredential>,
) -> Result<Json<Done>, GatewayError> {
    let id = JobId::from_text(id);
    let user = &caller.user.id;
    let Some(job) = state.store.job_of(user, &id).await? else {
        return Err(GatewayError::NoSuchJobToChange(id));
    };
    let hpc = state
        .site
        .hpcs
        .get(&job.hpc)
        .ok_or(GatewayError::Unrecognized("hpc"))?;
    let Some(account) = job.account.as_deref().filter(|_| !hpc.is_community_account) else {
        let words = format!("jobs on {} need no password", hpc.name);
        return Err(GatewayError::Refused(words));
    };
    if job.state.is_terminal() {
        return Err(GatewayError::Refused("the job is over".to_owned()));
    }
    let login = Login::take(&mut caller.body, Some(account), hpc)?;
    if login.account != account {
        return Err(GatewayError::Refused(format!(
            "the job runs as {account}: for another account make another job"
        )));
    }
    login.check_and_keep(&state, user, hpc, &id).await?;
    tracing::info!(hpc = hpc.name, account, "password given again");
    // It may have ended meanwhile, and what is kept of it have been removed.
    match state.store.job_of(user, &id).await? {
        Some(now) if now.state.is_terminal() => {
            if let Err(error) = state.queue.remove_credential(&hpc.name, &id).await {
                tracing::warn!(%error, "a login is kept until its time is over");
            }
        }
        _ => tell_maintainer(&state, job),
    }
    Ok(Json(Done::saying("password taken over")))
}
