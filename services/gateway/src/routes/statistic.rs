//! How long jobs ran.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use compute_domain::job::Job;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    auth::{OwnJob, TokenOnly},
    error::GatewayError,
    legacy::route_groups::ForAccount,
    state::AppState,
};

/// How long the jobs that are over ran, by HPC.
#[derive(Debug, Serialize, ToSchema)]
pub struct Statistic {
    /// Seconds, from the scheduler's acceptance to the end; `total`, and each HPC.
    #[schema(value_type = std::collections::BTreeMap<String, Option<f64>>, example = json!({"total": 25.753, "local_hpc": 25.753}))]
    runtime_in_seconds: BTreeMap<String, Option<f64>>,
}

/// How long a job ran; empty until it is over.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobStatistic {
    #[serde(skip_serializing_if = "Option::is_none")]
    runtime_in_seconds: Option<JobRuntime>,
}

/// How long a job ran, and where.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobRuntime {
    /// Seconds, as text.
    #[serde(rename = "STATISTIC")]
    statistic: String,
    #[serde(rename = "HPC")]
    hpc: String,
}

/// How long all jobs ran.
#[utoipa::path(get, path = "/statistic", tag = "statistic",
    responses((status = OK, body = Statistic)))]
pub async fn all(State(state): State<AppState>) -> Result<Json<Statistic>, GatewayError> {
    // The route is public and reads all jobs.
    let _slot = state.lists.take_public().await?;
    let runtimes = state.store.runtimes().await?;
    let total = runtimes
        .iter()
        .map(|of| of.millis)
        .reduce(i64::saturating_add);
    let mut runtime_in_seconds: BTreeMap<_, _> = runtimes
        .into_iter()
        .map(|of| (of.hpc, Some(seconds(of.millis))))
        .collect();
    runtime_in_seconds.insert("total".to_owned(), total.map(seconds));
    Ok(Json(Statistic { runtime_in_seconds }))
}

/// How long a job ran.
#[utoipa::path(get, path = "/statistic/job/{id}", request_body = TokenOnly, tag = "statistic",
    params(("id" = String, Path)),
    responses((status = OK, body = JobStatistic), (status = UNAUTHORIZED)))]
pub async fn of_job(own: OwnJob<ForAccount, TokenOnly>) -> Json<JobStatistic> {
    Json(JobStatistic {
        runtime_in_seconds: runtime(own.job),
    })
}

fn runtime(job: Job) -> Option<JobRuntime> {
    let ran = job.finished_at?.millis() - job.initialized_at?.millis();
    Some(JobRuntime {
        statistic: seconds(ran).to_string(),
        hpc: job.hpc,
    })
}

#[expect(
    clippy::cast_precision_loss,
    reason = "exact up to 285,000 years of milliseconds"
)]
fn seconds(millis: i64) -> f64 {
    millis as f64 / 1000.0
}
