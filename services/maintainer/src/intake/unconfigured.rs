//! Jobs of HPCs that are not in this process' `hpc.json` (any more), and that no other
//! maintainer serves either: they are counted and logged, each job gets one event, and a job
//! that is to be cancelled ends.
//!
//! A job whose maintainer is not in `maintainer.json` is run all the same
//! (`lifecycle/definition.rs`); here it is counted only.

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use compute_db::{Claim, Places, Progress, StoreError};
use compute_domain::{
    ids::JobId,
    job::{Cause, Change, Job, NewEvent, State, Step},
};
use tokio::time::MissedTickBehavior;

use super::leave_out_row;
use crate::{context::Context, meters};

/// Sweeps from one look to the next.
const SWEEPS: u32 = 6;

/// How long an HPC counts as served after the last heartbeat of its maintainer, in leases.
const LEASES_OF_GRACE: u32 = 10;

/// Jobs looked at in one look: more than a removed HPC leaves behind, so that the oldest do
/// not hide the others.
const LIMIT: u64 = 10_000;

/// Runs until the process stops.
pub async fn run(context: Arc<Context>) {
    let stop = context.shutdown.token.clone();
    let mut logged = HashSet::new();
    let mut tick = tokio::time::interval(context.sweep * SWEEPS);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(tick.tick()).await.is_some() {
        if let Err(error) = look(&context, &mut logged).await {
            tracing::warn!(%error, "could not look for jobs without a configuration");
        }
    }
}

/// One look. `logged` are the jobs that the log names already.
async fn look(context: &Context, logged: &mut HashSet<JobId>) -> Result<(), StoreError> {
    // While the configuration is being changed, other processes may know more HPCs; one that
    // was killed is given time to come back.
    let served = context
        .store
        .served_hpcs(context.lease * LEASES_OF_GRACE)
        .await?;
    let hpcs: BTreeSet<&str> = (context.site.hpcs.keys().chain(&served))
        .map(String::as_str)
        .collect();
    let hpcs: Vec<&str> = hpcs.into_iter().collect();
    let maintainers: Vec<&str> = context
        .site
        .maintainers
        .keys()
        .map(String::as_str)
        .collect();
    for id in context.store.to_cancel_outside(&hpcs, LIMIT).await? {
        leave_out_row(end(context, &id).await)?;
    }
    let jobs = context.store.open_jobs_outside(&hpcs, LIMIT).await?;
    for job in &jobs {
        if !logged.contains(&job.id) {
            let reason = format!(
                "HPC {} is not configured on this server (any more): cancel the job, or ask the \
                 operator",
                job.hpc
            );
            let event = NewEvent::waits(&job.id, &reason);
            leave_out_row(context.store.add_event_once(&job.id, &event).await)?;
            tracing::warn!(
                job.id = %job.id, hpc = job.hpc,
                "the job's HPC is not in hpc.json: add it again, or cancel the job"
            );
        }
    }
    let without_maintainer = context
        .store
        .open_jobs_without_maintainer(&hpcs, &maintainers)
        .await?;
    let outside = context.store.count_open_jobs_outside(&hpcs).await?;
    meters::unconfigured_jobs(outside, without_maintainer);
    *logged = jobs.into_iter().map(|job| job.id).collect();
    Ok(())
}

/// Ends a job that is to be cancelled.
async fn end(context: &Context, id: &JobId) -> Result<(), StoreError> {
    let (store, holder) = (&context.store, &context.holder()?);
    // A job that is to be cancelled needs no place.
    let places = Places {
        all: 0,
        per_user: 0,
    };
    let taken = match store.claim(id, holder, places).await? {
        Claim::Taken(job) => Some(*job),
        _ => store.take_over(id, holder).await?,
    };
    let Some(job) = taken else {
        return Ok(());
    };
    let token = context.token(&job);
    store.advance(&token, &job, cancelled(&job)).await?;
    meters::closed(&job.hpc, State::Cancelled, job.step);
    tracing::info!(job.id = %id, hpc = job.hpc, "cancelled a job of an HPC that is not configured");
    Ok(())
}

/// The end of a job that nothing can reach on its HPC.
fn cancelled(job: &Job) -> Progress {
    let by = job.intent_by.clone();
    let by = by.unwrap_or_else(|| job.user_id.clone());
    let cause = match (&job.slurm_id, job.step >= Step::Submit) {
        (Some(id), _) => Cause::new(format!(
            "cancelled by {by}; HPC {} is not configured on this server, and Slurm job {id} may \
             still be there: end it with `scancel {id}`",
            job.hpc
        )),
        (None, true) => Cause::new(format!(
            "cancelled by {by}; HPC {} is not configured on this server, and the job may have been \
             submitted there: look for it with `squeue --name {}`",
            job.hpc, job.id
        )),
        (None, false) => Cause::cancelled_by(by.as_str()),
    };
    Progress {
        change: Some(Change::Cancel),
        events: vec![
            NewEvent::cancelled(&job.id, &by),
            NewEvent::failed(&job.id, &cause),
        ],
        cause: Some(cause.as_str().to_owned()),
        ..Progress::default()
    }
}
