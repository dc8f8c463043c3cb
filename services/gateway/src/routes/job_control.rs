//! Cancel, pause, resume: the owner's intent is saved in the row, then the maintainer that
//! runs the job is notified. If the notification is lost, it finds the intent in the row.

use std::time::Duration;

use axum::{Json, extract::State};
use compute_domain::job::{Intent, Job};
use compute_runtime::tls::Role;
use serde::Serialize;
use tracing::Instrument as _;
use utoipa::ToSchema;

use crate::{
    auth::{OwnJob, TokenOnly},
    error::GatewayError,
    idempotency::{KeyHeader, Once},
    legacy::route_groups::ForJobControl,
    state::AppState,
    submit,
};

/// Maintainers that have reported within this time are notified.
const ALIVE_WITHIN: Duration = Duration::from_secs(60);

/// What the request did.
#[derive(Debug, Serialize, ToSchema)]
pub struct Done {
    messages: [&'static str; 1],
}

impl Done {
    /// With one message.
    pub(super) fn with_message(message: &'static str) -> Self {
        Self {
            messages: [message],
        }
    }
}

/// Ends a job, wherever it is between submit and its end.
#[utoipa::path(put, path = "/job/{id}/cancel", request_body = TokenOnly, tag = "job",
    params(("id" = String, Path), KeyHeader),
    responses((status = OK, body = Done), (status = UNAUTHORIZED), (status = PAYMENT_REQUIRED),
        (status = CONFLICT), (status = UNPROCESSABLE_ENTITY)))]
pub async fn cancel(
    State(state): State<AppState>,
    once: Once,
    own: OwnJob<ForJobControl, TokenOnly>,
) -> Result<Json<Done>, GatewayError> {
    save_intent(state, &once, own, Intent::Cancel).await?;
    Ok(Json(Done {
        messages: ["job successfully added to cancel queue"],
    }))
}

/// Suspends or holds a job.
#[utoipa::path(put, path = "/job/{id}/pause", request_body = TokenOnly, tag = "job",
    params(("id" = String, Path), KeyHeader),
    responses((status = OK, body = Done), (status = UNAUTHORIZED), (status = PAYMENT_REQUIRED),
        (status = CONFLICT), (status = UNPROCESSABLE_ENTITY)))]
pub async fn pause(
    State(state): State<AppState>,
    once: Once,
    own: OwnJob<ForJobControl, TokenOnly>,
) -> Result<Json<Done>, GatewayError> {
    save_intent(state, &once, own, Intent::Pause).await?;
    Ok(Json(Done {
        messages: ["job successfully added to pause queue"],
    }))
}

/// Goes on with a job that is suspended or held.
#[utoipa::path(put, path = "/job/{id}/resume", request_body = TokenOnly, tag = "job",
    params(("id" = String, Path), KeyHeader),
    responses((status = OK, body = Done), (status = UNAUTHORIZED), (status = PAYMENT_REQUIRED),
        (status = CONFLICT), (status = UNPROCESSABLE_ENTITY)))]
pub async fn resume(
    State(state): State<AppState>,
    once: Once,
    own: OwnJob<ForJobControl, TokenOnly>,
) -> Result<Json<Done>, GatewayError> {
    save_intent(state, &once, own, Intent::Resume).await?;
    Ok(Json(Done {
        messages: ["job successfully added to resume queue"],
    }))
}

async fn save_intent(
    state: AppState,
    once: &Once,
    own: OwnJob<ForJobControl, TokenOnly>,
    intent: Intent,
) -> Result<(), GatewayError> {
    let state = &once.bind(state);
    let (user, id) = (&own.user.id, &own.job.id);
    let job = if once.is_done() {
        own.job
    } else {
        let job = state.store.set_intent(user, id, intent).await?;
        tracing::info!(intent = intent.as_str(), "intent saved");
        job.ok_or(GatewayError::NotRunning)?
    };
    // No maintainer has the job yet, and its entry may have been dropped while it was paused.
    if intent == Intent::Resume && job.queued_at.is_none() {
        submit::publish(state, &job).await;
    }
    notify_maintainer(state, job);
    Ok(())
}

/// Notifies the maintainer that runs the job, without waiting for it.
pub(super) fn notify_maintainer(state: &AppState, job: Job) {
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
    let notified = async {
        let channel = state.transport.channel(&address, Role::Maintainer)?;
        anyhow::Ok(compute_proto::notice(channel, &job.id).await?)
    };
    if let Err(error) = notified.await {
        tracing::warn!(job.id = %job.id, address, %error, "could not notify the maintainer; it reads the row later");
    }
}
