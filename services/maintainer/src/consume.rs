//! Takes jobs from the stream of one HPC as long as there are free places.
//!
//! An entry is only a hint that a row is queued: the row decides. It is
//! acknowledged as soon as the row is leased, or turns out not to be queued any
//! more; never held while a job runs.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use compute_queue::{Consumer, Entry};

use crate::{
    context::Context,
    hpc_port::HpcPort,
    patience::{backoff, jittered},
    recover,
};

/// Longest wait for an entry or a free place before looking again.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// Entries taken at once.
const HANDFUL: usize = 8;

/// Deliveries of an entry before it is put aside.
const MAX_DELIVERIES: u64 = 10;

/// Runs until the process stops.
pub async fn run(context: Arc<Context>, port: HpcPort) {
    let mut consumer = context.queue.consumer(port.hpc_name(), context.id.as_str());
    let mut freed = context.queue.watch_freed(port.hpc_name());
    let mut held = VecDeque::new();
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

enum Turn {
    Again,
    Full,
}

async fn turn(
    context: &Arc<Context>,
    port: &HpcPort,
    consumer: &mut Consumer,
    held: &mut VecDeque<Entry>,
) -> anyhow::Result<Turn> {
    if held.is_empty() {
        let carried = context.store.carried_count(port.hpc_name()).await?;
        let free = port.hpc.job_pool_capacity.saturating_sub(carried);
        let Some(free) = usize::try_from(free).ok().filter(|&free| free > 0) else {
            return Ok(Turn::Full);
        };
        held.extend(consumer.next(free.min(HANDFUL), LOOK_AGAIN).await?);
        if held.is_empty() {
            held.extend(consumer.stale(context.lease, HANDFUL).await?);
        }
    }
    while let Some(entry) = held.front() {
        if entry.deliveries > MAX_DELIVERIES {
            consumer.bury(entry, "delivered too often").await?;
        } else if !recover::claim(context, port, &entry.job_id).await? {
            return Ok(Turn::Full);
        } else {
            consumer.done(entry).await?;
        }
        held.pop_front();
    }
    Ok(Turn::Again)
}
