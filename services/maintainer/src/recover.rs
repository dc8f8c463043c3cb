//! Repairs what was lost, at the start and once each sweep, for one HPC:
//!
//! - jobs whose lease has expired are taken over, and go on from their step;
//! - jobs that are queued but not in the stream are put back into it (the entry
//!   was never written, or Redis lost it). While Redis is away they are claimed
//!   without it;
//! - queued jobs whose owner wants them cancelled are ended.

use std::{collections::HashSet, sync::Arc, time::Duration};

use compute_db::{Claim, Places, Waiting};
use compute_domain::ids::JobId;
use tokio::time::MissedTickBehavior;

use crate::{context::Context, hpc_port::HpcPort, supervisor};

/// Rows looked at in one sweep.
const MOST: u64 = 200;

/// A row this young may simply not be in the stream yet.
const GRACE: Duration = Duration::from_secs(2);

/// How often logins of jobs that wait are kept for longer.
const KEEP_EVERY: Duration = Duration::from_secs(600);

/// Runs until the process stops.
pub async fn run(context: Arc<Context>, port: HpcPort) {
    let mut tick = tokio::time::interval(context.sweep);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut keep = tokio::time::interval(context.sweep.max(KEEP_EVERY));
    loop {
        tokio::select! {
            () = context.shutdown.token.cancelled() => return,
            _ = tick.tick() => {}
            _ = keep.tick(), if !port.hpc.is_community_account => {
                if let Err(error) = keep_logins(&context, &port).await {
                    tracing::warn!(hpc = port.hpc_name(), %error, "could not keep logins");
                }
                continue;
            }
        }
        if let Err(error) = sweep(&context, &port).await {
            tracing::warn!(hpc = port.hpc_name(), %error, "sweep failed");
        }
    }
}

/// The logins of jobs that wait for a place, on an HPC with private accounts.
async fn keep_logins(context: &Context, port: &HpcPort) -> anyhow::Result<()> {
    let time = port.site.server.credential_time;
    for waiting in context.store.queued_on(port.hpc_name(), MOST).await? {
        context
            .queue
            .extend_credential(port.hpc_name(), &waiting.id, time)
            .await?;
    }
    Ok(())
}

async fn sweep(context: &Arc<Context>, port: &HpcPort) -> anyhow::Result<()> {
    let hpc = port.hpc_name();
    for id in context.store.expired_on(hpc, MOST).await? {
        if let Some(job) = context
            .store
            .take_over(&id, &context.id, context.lease)
            .await?
        {
            supervisor::take(context, job);
        }
    }
    for waiting in context.store.queued_to_cancel(hpc, MOST).await? {
        claim(context, port, &waiting.id).await?;
    }
    let per_user = port.hpc.jobs_per_user;
    let queued = context.store.queued_and_ready(hpc, per_user, MOST).await?;
    let now = context.clock.now();
    let overdue = |w: &&Waiting| now.since(w.submitted_at) > GRACE;
    let overdue: Vec<_> = queued.iter().filter(overdue).collect();
    if overdue.is_empty() {
        return Ok(());
    }
    match context.queue.waiting(hpc).await {
        Ok(in_stream) => {
            let in_stream: HashSet<JobId> = in_stream.into_iter().collect();
            for waiting in overdue
                .iter()
                .filter(|waiting| !in_stream.contains(&waiting.id))
            {
                tracing::warn!(job.id = %waiting.id, hpc, "queued but not in the stream: put back");
                context.queue.publish(hpc, &waiting.id).await?;
            }
        }
        Err(error) => {
            tracing::warn!(hpc, %error, "no stream: taking queued jobs from the store");
            for waiting in overdue {
                if claim(context, port, &waiting.id).await? == Claimed::Full {
                    break;
                }
            }
        }
    }
    Ok(())
}

/// What came of taking a queued job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Claimed {
    /// It is carried here, or needs nothing: it is not queued any more, or paused by
    /// its owner. The sweep puts a paused one back when it is resumed.
    Done,
    /// No place is free on its HPC.
    Full,
    /// Its user has as many jobs there as one may have.
    UserFull,
}

/// Claims a queued job and carries it.
pub(crate) async fn claim(
    context: &Arc<Context>,
    port: &HpcPort,
    id: &JobId,
) -> anyhow::Result<Claimed> {
    let places = Places {
        all: port.hpc.job_pool_capacity,
        per_user: port.hpc.jobs_per_user,
    };
    let claim = context
        .store
        .claim(id, &context.id, context.lease, places)
        .await?;
    Ok(match claim {
        Claim::Taken(job) => {
            supervisor::take(context, *job);
            Claimed::Done
        }
        Claim::Full => Claimed::Full,
        Claim::UserFull => Claimed::UserFull,
        Claim::Gone | Claim::Held => Claimed::Done,
    })
}

/// Claims up to `most` of the jobs that wait in the store alone, and whose users may
/// have more jobs now; false if there is no free place.
pub(crate) async fn claim_passed_over(
    context: &Arc<Context>,
    port: &HpcPort,
    most: usize,
) -> anyhow::Result<bool> {
    let (hpc, per_user) = (port.hpc_name(), port.hpc.jobs_per_user);
    let most = u64::try_from(most).unwrap_or(u64::MAX);
    for waiting in context.store.queued_and_ready(hpc, per_user, most).await? {
        if claim(context, port, &waiting.id).await? == Claimed::Full {
            return Ok(false);
        }
    }
    Ok(true)
}
