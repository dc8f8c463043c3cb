//! Takes jobs from the stream of one HPC as long as there are free places.
//!
//! An entry is only a hint that a row is queued: the row decides. It is
//! acknowledged as soon as the row is leased, or turns out not to be queued any
//! more; never held while a job runs. So is the entry of a job whose user has as
//! many jobs there as one may have: it would be in the way of the others. Its row
//! stays queued, and is taken from the store when one of that user's jobs is over.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use compute_queue::{Consumer, Entry};

use crate::{
    context::Context,
    hpc_port::HpcPort,
    patience::{backoff, jittered},
    recover::{self, Claimed},
};

/// Longest wait for an entry or a free place before looking again.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// The same while jobs wait for their users to have fewer others.
const LOOK_AGAIN_SOON: Duration = Duration::from_secs(1);

/// Entries taken at once.
const HANDFUL: usize = 8;

/// Deliveries of an entry before it is put aside.
const MAX_DELIVERIES: u64 = 10;

/// Runs until the process stops.
pub async fn run(context: Arc<Context>, port: HpcPort) {
    let mut consumer = context.queue.consumer(port.hpc_name(), context.id.as_str());
    let mut freed = context.queue.slot_freed_notifications(port.hpc_name());
    let mut held = Held::default();
    let mut failures = 0;
    while !context.shutdown.token.is_cancelled() {
        let turn = tokio::select! {
            () = context.shutdown.token.cancelled() => break,
            turn = turn(&context, &port, &mut consumer, &mut held) => turn,
        };
        let pause = match turn {
            Ok(Turn::Again) => {
                failures = 0;
                continue;
            }
            Ok(Turn::Full) => {
                failures = 0;
                LOOK_AGAIN
            }
            Err(error) => {
                tracing::warn!(hpc = port.hpc_name(), %error, "could not take jobs");
                failures += 1;
                jittered(backoff(failures - 1))
            }
        };
        tokio::select! {
            () = context.shutdown.token.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
            () = freed.next() => {}
        }
    }
    if let Err(error) = consumer.leave().await {
        tracing::warn!(hpc = port.hpc_name(), %error, "could not leave the stream's group");
    }
}

/// What has been read and is not done with.
#[derive(Default)]
struct Held {
    entries: VecDeque<Entry>,
    /// Whether entries were dropped whose jobs still wait, for their users' sake.
    passed_over: bool,
}

enum Turn {
    Again,
    Full,
}

async fn turn(
    context: &Arc<Context>,
    port: &HpcPort,
    consumer: &mut Consumer,
    held: &mut Held,
) -> anyhow::Result<Turn> {
    let hpc = port.hpc_name();
    if held.passed_over {
        if !recover::claim_passed_over(context, port, HANDFUL).await? {
            return Ok(Turn::Full);
        }
        held.passed_over = !context.store.queued_on(hpc, 1).await?.is_empty();
    }
    if held.entries.is_empty() {
        let taken = context.store.places_taken(hpc).await?;
        let free = port.hpc.job_pool_capacity.saturating_sub(taken);
        let Some(free) = usize::try_from(free).ok().filter(|&free| free > 0) else {
            return Ok(Turn::Full);
        };
        let wait = if held.passed_over {
            LOOK_AGAIN_SOON
        } else {
            LOOK_AGAIN
        };
        let entries = consumer.next(free.min(HANDFUL), wait).await?;
        held.entries.extend(entries);
        if held.entries.is_empty() {
            let stale = consumer.stale(context.lease, HANDFUL).await?;
            held.entries.extend(stale);
        }
    }
    while let Some(entry) = held.entries.front() {
        if entry.deliveries > MAX_DELIVERIES {
            consumer.dead_letter(entry, "delivered too often").await?;
        } else {
            match recover::claim(context, port, &entry.job_id).await? {
                Claimed::Full => return Ok(Turn::Full),
                Claimed::UserFull => held.passed_over = true,
                Claimed::Done => {}
            }
            consumer.done(entry).await?;
        }
        held.entries.pop_front();
    }
    Ok(Turn::Again)
}
