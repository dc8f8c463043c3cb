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

use super::{Claimed, claim, expired_leases, leave_out_row, unreadable_row};
use crate::{context::Context, hpc_handle::HpcHandle};

/// Waiting jobs read at once; all of them are looked at, page by page.
const PAGE: u64 = 500;

/// Jobs with an expired lease that are taken over in one sweep. There are never many more:
/// they have places on the HPC, or are blocked or paused.
const MOST_EXPIRED: u64 = 10_000;

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
    let mut after = None;
    loop {
        let store = &context.store;
        let page = store.queued_on(hpc.name(), after.as_ref(), PAGE).await?;
        for waiting in &page {
            let kept = context
                .queue
                .extend_credential(hpc.name(), &waiting.id, time);
            kept.await?;
        }
        let Some(last) = last_of_full(page) else {
            return Ok(());
        };
        after = Some(last);
    }
}

async fn sweep(context: &Arc<Context>, hpc: &HpcHandle) -> anyhow::Result<()> {
    expired_leases::take_over(context, hpc.name(), MOST_EXPIRED).await?;
    end_cancelled(context, hpc).await?;
    if !context.store.is_any_queued_on(hpc.name(), []).await? {
        return Ok(());
    }
    match context.queue.waiting(hpc.name()).await {
        Ok(in_stream) => publish_missing(context, hpc, in_stream.into_iter().collect()).await,
        Err(error) => {
            tracing::warn!(hpc = hpc.name(), %error, "no stream: taking queued jobs from the database");
            let mut unreadable = HashSet::new();
            let claimed = claim_waiting(context, hpc, u32::MAX, GRACE, &mut unreadable);
            Ok(claimed.await.map(drop)?)
        }
    }
}

/// Ends the queued jobs that are to be cancelled.
async fn end_cancelled(context: &Arc<Context>, hpc: &HpcHandle) -> Result<(), StoreError> {
    let mut after = None;
    loop {
        let store = &context.store;
        let page = store.queued_to_cancel(hpc.name(), after.as_ref(), PAGE);
        let page = page.await?;
        for waiting in &page {
            leave_out_row(claim(context, hpc, &waiting.id).await)?;
        }
        let Some(last) = last_of_full(page) else {
            return Ok(());
        };
        after = Some(last);
    }
}

/// Publishes the queued jobs that are not in the stream. Those that nobody could take now,
/// paused ones among them, stay out of it, and so do rows that cannot be read: their
/// entries would only go to the dead letter stream.
async fn publish_missing(
    context: &Context,
    hpc: &HpcHandle,
    in_stream: HashSet<JobId>,
) -> anyhow::Result<()> {
    let (store, name, per_user) = (&context.store, hpc.name(), hpc.config.jobs_per_user);
    let mut after = None;
    loop {
        let page = store.queued_and_ready(name, per_user, after.as_ref(), PAGE);
        let page = page.await?;
        let missing = page.iter().filter(|waiting| {
            is_overdue(context, waiting, GRACE) && !in_stream.contains(&waiting.id)
        });
        let mut missing: Vec<_> = missing.map(|waiting| waiting.id.clone()).collect();
        for (id, error) in store.unreadable_jobs(&missing).await? {
            unreadable_row(&error);
            missing.retain(|one| *one != id);
        }
        for id in &missing {
            tracing::warn!(job.id = %id, hpc = name, "queued but not in the stream: published again");
        }
        context.queue.publish_all(name, &missing).await?;
        let Some(last) = last_of_full(page) else {
            return Ok(());
        };
        after = Some(last);
    }
}

/// Claims up to `most` of the jobs that wait in the database alone, and whose users may
/// have more jobs now; false if no place is free. A job whose row cannot be read is left out
/// and added to `unreadable`; those that are there already are not tried.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub(super) async fn claim_passed_over(
    context: &Arc<Context>,
    hpc: &HpcHandle,
    most: u32,
    unreadable: &mut HashSet<JobId>,
) -> Result<bool, StoreError> {
    claim_waiting(context, hpc, most, Duration::ZERO, unreadable).await
}

/// The same for jobs that have been queued for longer than `age`.
async fn claim_waiting(
    context: &Arc<Context>,
    hpc: &HpcHandle,
    most: u32,
    age: Duration,
    unreadable: &mut HashSet<JobId>,
) -> Result<bool, StoreError> {
    let (mut claimed, mut after, mut full) = (0, None, HashSet::new());
    let per_user = hpc.config.jobs_per_user;
    loop {
        let store = &context.store;
        let page = store.queued_and_ready(hpc.name(), per_user, after.as_ref(), PAGE);
        let page = page.await?;
        for waiting in &page {
            let is_left_out = unreadable.contains(&waiting.id) || full.contains(&waiting.user_id);
            if is_left_out || !is_overdue(context, waiting, age) {
                continue;
            }
            match leave_out_row(claim(context, hpc, &waiting.id).await)? {
                Some(Claimed::Full) => return Ok(false),
                Some(Claimed::UserFull) => {
                    full.insert(waiting.user_id.clone());
                }
                Some(Claimed::Taken) => claimed += 1,
                Some(Claimed::Gone | Claimed::Paused) => {}
                None => {
                    unreadable.insert(waiting.id.clone());
                }
            }
            if claimed >= most {
                return Ok(true);
            }
        }
        let Some(last) = last_of_full(page) else {
            return Ok(true);
        };
        after = Some(last);
    }
}

/// Whether the job has been queued for longer than `age`.
fn is_overdue(context: &Context, waiting: &Waiting, age: Duration) -> bool {
    age.is_zero() || context.clock.now().since(waiting.submitted_at) > age
}

/// The last job of a page that others may follow.
fn last_of_full(mut page: Vec<Waiting>) -> Option<Waiting> {
    let is_full = u64::try_from(page.len()).is_ok_and(|length| length >= PAGE);
    page.pop().filter(|_| is_full)
}
