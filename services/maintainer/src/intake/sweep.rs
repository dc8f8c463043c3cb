//! The sweep: repairs what was lost, at the start and then at every interval, for one HPC.
//!
//! - Jobs whose lease has expired are taken over.
//! - Jobs that are queued but not in the stream are published again (the entry was never
//!   written, or Redis lost it). While Redis is away they are claimed without it.
//! - Queued jobs that are to be cancelled are ended.

use std::{collections::HashSet, sync::Arc, time::Duration};

use compute_db::{StoreError, Waiting};
use compute_domain::ids::JobId;
use tokio::time::MissedTickBehavior;

use super::{Claimed, claim, expired_leases, leave_out_row};
use crate::{context::Context, hpc_handle::HpcHandle};

/// Rows looked at in one sweep.
const LIMIT: u64 = 200;

/// A row this young may simply not be in the stream yet.
const GRACE: Duration = Duration::from_secs(2);

/// How often logins of jobs that wait are kept for longer.
const KEEP_EVERY: Duration = Duration::from_secs(600);

/// Runs until the process stops.
pub async fn run(context: Arc<Context>, hpc: HpcHandle) {
    let mut tick = tokio::time::interval(context.sweep);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut keep = tokio::time::interval(context.sweep.max(KEEP_EVERY));
    loop {
        tokio::select! {
            () = context.shutdown.token.cancelled() => return,
            _ = tick.tick() => {}
            _ = keep.tick(), if !hpc.config.is_community_account => {
                if let Err(error) = keep_logins(&context, &hpc).await {
                    tracing::warn!(hpc = hpc.name(), %error, "could not keep logins of queued jobs");
                }
                continue;
            }
        }
        if let Err(error) = sweep(&context, &hpc).await {
            tracing::warn!(hpc = hpc.name(), %error, "sweep failed; the next one follows");
        }
    }
}

/// The logins of queued jobs, on an HPC with private accounts.
async fn keep_logins(context: &Context, hpc: &HpcHandle) -> anyhow::Result<()> {
    let time = hpc.site.server.credential_time;
    for waiting in context.store.queued_on(hpc.name(), LIMIT).await? {
        context
            .queue
            .extend_credential(hpc.name(), &waiting.id, time)
            .await?;
    }
    Ok(())
}

async fn sweep(context: &Arc<Context>, hpc: &HpcHandle) -> anyhow::Result<()> {
    let name = hpc.name();
    expired_leases::take_over(context, name, LIMIT).await?;
    for waiting in context.store.queued_to_cancel(name, LIMIT).await? {
        leave_out_row(claim(context, hpc, &waiting.id).await)?;
    }
    let per_user = hpc.config.jobs_per_user;
    let queued = context
        .store
        .queued_and_ready(name, per_user, LIMIT)
        .await?;
    let now = context.clock.now();
    let is_overdue = |waiting: &Waiting| now.since(waiting.submitted_at) > GRACE;
    let overdue: Vec<_> = queued.into_iter().filter(is_overdue).collect();
    if overdue.is_empty() {
        return Ok(());
    }
    match context.queue.waiting(name).await {
        Ok(in_stream) => publish_missing(context, name, &overdue, in_stream).await,
        Err(error) => {
            tracing::warn!(hpc = name, %error, "no stream: taking queued jobs from the database");
            let mut unreadable = HashSet::new();
            Ok(claim_ready(context, hpc, &overdue, &mut unreadable)
                .await
                .map(drop)?)
        }
    }
}

async fn publish_missing(
    context: &Context,
    hpc: &str,
    overdue: &[Waiting],
    in_stream: Vec<JobId>,
) -> anyhow::Result<()> {
    let in_stream: HashSet<JobId> = in_stream.into_iter().collect();
    for waiting in overdue {
        if in_stream.contains(&waiting.id) {
            continue;
        }
        // The entry of a row that cannot be read would only go to the dead letter stream.
        if let Some(Some(_)) = leave_out_row(context.store.job(&waiting.id).await)? {
            tracing::warn!(job.id = %waiting.id, hpc, "queued but not in the stream: published again");
            context.queue.publish(hpc, &waiting.id).await?;
        }
    }
    Ok(())
}

/// Claims up to `limit` of the jobs that wait in the database alone, and whose users may
/// have more jobs now; false if no place is free. A job whose row cannot be read is left out
/// and added to `unreadable`; those that are there already are not tried.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub(super) async fn claim_passed_over(
    context: &Arc<Context>,
    hpc: &HpcHandle,
    limit: u64,
    unreadable: &mut HashSet<JobId>,
) -> Result<bool, StoreError> {
    let per_user = hpc.config.jobs_per_user;
    let ready = context.store.queued_and_ready(hpc.name(), per_user, limit);
    claim_ready(context, hpc, &ready.await?, unreadable).await
}

async fn claim_ready(
    context: &Arc<Context>,
    hpc: &HpcHandle,
    ready: &[Waiting],
    unreadable: &mut HashSet<JobId>,
) -> Result<bool, StoreError> {
    for waiting in ready {
        if unreadable.contains(&waiting.id) {
            continue;
        }
        match leave_out_row(claim(context, hpc, &waiting.id).await)? {
            Some(Claimed::Full) => return Ok(false),
            Some(_) => {}
            None => {
                unreadable.insert(waiting.id.clone());
            }
        }
    }
    Ok(true)
}
