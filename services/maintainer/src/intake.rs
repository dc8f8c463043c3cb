//! The one place where jobs come into a maintainer process: [`stream`] takes queued jobs
//! as long as places are free, [`sweep`] repairs what the stream lost, [`expired_leases`] takes over
//! jobs of maintainers that are gone, [`resume`] starts again what stopped here with an
//! error, and [`unconfigured`] ends cancelled jobs of HPCs that nobody serves.
//!
//! All of them take the job's lease in the database first. The process that holds the
//! lease runs the job.

pub mod expired_leases;
pub mod stream;
pub mod sweep;
pub mod unconfigured;

use std::sync::Arc;

use compute_db::{Claim, LeaseRow, Places, StoreError};
use compute_domain::{ids::JobId, job::Job};
use tracing::Instrument as _;

use crate::{context::Context, hpc_handle::HpcHandle, lifecycle, meters};

/// The outcome of claiming a queued job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claimed {
    /// The job runs in this process.
    Taken,
    /// The job is not queued any more.
    Gone,
    /// The job's owner has paused it. Its entry may leave the stream: a resume publishes
    /// another one.
    Paused,
    /// No place is free on its HPC.
    Full,
    /// Its user has as many jobs there as `jobs_per_user` allows.
    UserFull,
}

/// Claims a queued job and runs it.
///
/// # Errors
/// [`StoreError`] if it was not claimed; [`StoreError::is_of_one_row`] tells an error of
/// this job from one of the database.
pub async fn claim(
    context: &Arc<Context>,
    hpc: &HpcHandle,
    id: &JobId,
) -> Result<Claimed, StoreError> {
    let places = Places {
        all: hpc.config.job_pool_capacity,
        per_user: hpc.config.jobs_per_user,
    };
    let store = &context.store;
    let claim = store.claim(id, &context.holder()?, places).await?;
    Ok(match claim {
        Claim::Taken(job) => {
            start(context, *job, true);
            Claimed::Taken
        }
        Claim::Full => Claimed::Full,
        Claim::UserFull => Claimed::UserFull,
        Claim::Gone => Claimed::Gone,
        Claim::Paused => Claimed::Paused,
    })
}

/// Runs a job whose lease this process holds and that does not run here: its runner met an
/// error and stopped. The row says where to go on; the job gets another fence, because a write
/// or a call of the former runner may still be under way.
///
/// # Errors
/// [`StoreError`] if the job could not be read.
pub async fn resume(context: &Arc<Context>, lease: &LeaseRow) -> Result<(), StoreError> {
    let holder = context.holder()?;
    let store = &context.store;
    if let Some(job) = store.take_again(&lease.id, &holder, lease.fence).await? {
        start(context, job, false);
    }
    Ok(())
}

/// Passes on an error of the database. An error of one row is logged and counted, and the
/// row is left out.
///
/// # Errors
/// `outcome`'s, if it is not of one row.
pub fn leave_out_row<T>(outcome: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_of_one_row() => {
            unreadable_row(&error);
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Logs and counts a row that was left out.
pub fn unreadable_row(error: &StoreError) {
    tracing::error!(%error, "row left out; correct it in the database");
    meters::unreadable_row();
}

/// Runs `job`, whose lease this process has just taken; from the queue, if it `is_claimed`.
fn start(context: &Arc<Context>, job: Job, is_claimed: bool) {
    let intent = job.intent.map(|intent| {
        let by = job.intent_by.clone();
        (intent, by.unwrap_or_else(|| job.user_id.clone()))
    });
    let Some(signals) = context.active_jobs.enter(&job.id, job.fence, intent) else {
        return;
    };
    let span = compute_trace::job(job.id.as_str());
    span.in_scope(|| {
        let (hpc, step) = (&job.hpc, job.step.as_str());
        tracing::info!(hpc, step, fence = job.fence, "job started");
    });
    let running = lifecycle::run(Arc::clone(context), job, is_claimed, signals);
    context.shutdown.tasks.spawn(running.instrument(span));
}
