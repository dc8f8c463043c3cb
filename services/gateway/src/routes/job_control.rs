//! Cancel, pause, resume: what the owner wants is saved in the row, then whoever
//! carries the job is told to look. It looks by itself, too, if that call is lost.

use std::time::Duration;

use axum::{
    Json,
    extract::{Path, State},
};
use compute_domain::{
    ids::JobId,
    job::{Intent, Job},
};
use compute_runtime::tls::Role;
use serde::Serialize;
use tracing::Instrument as _;
use utoipa::ToSchema;

use crate::{
    auth::{Authorized, ForJob},
    error::GatewayError,
    schema::TokenOnly,
    state::AppState,
    submit,
};

/// Maintainers that were heard of within this time are called.
const ALIVE_WITHIN: Duration = Duration::from_secs(60);

/// What was done.
#[derive(Debug, Serialize, ToSchema)]
pub struct Done {
    messages: [&'static str; 1],
}

impl Done {
    /// Done, in these words.
    pub(super) fn saying(words: &'static str) -> Self {
        Self { messages: [words] }
    }
}

/// Ends a job, wherever it is between submit and its end.
#[utoipa::path(put, path = "/job/{id}/cancel", request_body = TokenOnly, tag = "job", params(("id" = String, Path)),
    responses((status = OK, body = Done), (status = UNAUTHORIZED), (status = PAYMENT_REQUIRED)))]
pub async fn cancel(
    State(state): State<AppState>,
    Path(id): Path<String>,
    caller: Authorized<ForJob, TokenOnly>,
) -> Result<Json<Done>, GatewayError> {
    wish(&state, &caller, id, Intent::Cancel).await?;
    Ok(Json(Done {
        messages: ["job successfully added to cancel queue"],
    }))
}

/// Suspends or holds a job.
#[utoipa::path(put, path = "/job/{id}/pause", request_body = TokenOnly, tag = "job", params(("id" = String, Path)),
    responses((status = OK, body = Done), (status = UNAUTHORIZED), (status = PAYMENT_REQUIRED)))]
pub async fn pause(
    State(state): State<AppState>,
    Path(id): Path<String>,
    caller: Authorized<ForJob, TokenOnly>,
) -> Result<Json<Done>, GatewayError> {
    wish(&state, &caller, id, Intent::Pause).await?;
    Ok(Json(Done {
        messages: ["job successfully added to pause queue"],
    }))
}

/// Goes on with a job that is suspended or held.
#[utoipa::path(put, path = "/job/{id}/resume", request_body = TokenOnly, tag = "job", params(("id" = String, Path)),
    responses((status = OK, body = Done), (status = UNAUTHORIZED), (status = PAYMENT_REQUIRED)))]
pub async fn resume(
    State(state): State<AppState>,
    Path(id): Path<String>,
    caller: Authorized<ForJob, TokenOnly>,
) -> Result<Json<Done>, GatewayError> {
    wish(&state, &caller, id, Intent::Resume).await?;
    Ok(Json(Done {
        messages: ["job successfully added to resume queue"],
    }))
}

async fn wish(
    state: &AppState,
    caller: &Authorized<ForJob, TokenOnly>,
    id: String,
    intent: Intent,
) -> Result<(), GatewayError> {
    let id = JobId::from_text(id);
    let job = state.store.set_intent(&caller.user.id, &id, intent).await?;
    let job = job.ok_or(GatewayError::NotRunning)?;
    tracing::info!(intent = intent.as_str(), "wish saved");
    // Not taken yet: its entry may have been dropped while it was held.
    if intent == Intent::Resume && job.queued_at.is_none() {
        submit::publish(state, &job).await;
    }
    tell_maintainer(state, job);
    Ok(())
}

/// Tells whoever carries the job to look at it, without waiting for that.
pub(super) fn tell_maintainer(state: &AppState, job: Job) {
    let state = state.clone();
    state
        .shutdown
        .tasks
        .clone()
        .spawn(async move { notice(&state, &job).await }.in_current_span());
}

async fn notice(state: &AppState, job: &Job) {
    let address = match state.store.maintainer_for(job, ALIVE_WITHIN).await {
        Ok(Some(address)) => address,
        Ok(None) => return,
        Err(error) => {
            tracing::warn!(job.id = %job.id, %error, "could not look for the job's maintainer");
            return;
        }
    };
    let told = async {
        let channel = state.transport.channel(&address, Role::Maintainer)?;
        anyhow::Ok(compute_proto::notice(channel, &job.id).await?)
    };
    if let Err(error) = told.await {
        tracing::warn!(job.id = %job.id, address, %error, "maintainer was not told; it looks by itself");
    }
}
