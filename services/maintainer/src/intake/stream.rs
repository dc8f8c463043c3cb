//! Takes jobs from the stream of one HPC as long as places are free.
//!
//! An entry is only a hint that a row is queued: the row decides. It is
//! acknowledged as soon as the row is leased, or turns out not to be queued any
//! more; it is not kept while a job runs. So is the entry of a job whose user has
//! `jobs_per_user` jobs there: it would block the entries behind it. Its row
//! stays queued, and is taken from the database when one of that user's jobs ends.
//! The entry of a job whose row cannot be read goes to the dead letter stream.

use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use compute_domain::ids::JobId;
use compute_queue::{Consumer, Entry};

use super::{Claimed, claim, sweep, unreadable_row};
use crate::{
    backoff::{backoff, jittered},
    context::Context,
    hpc_handle::HpcHandle,
};

/// Longest wait for an entry or a free place before looking again.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// The same while jobs wait for their users to have fewer others.
const LOOK_AGAIN_SOON: Duration = Duration::from_secs(1);

/// Entries taken at once.
const BATCH: u32 = 8;

/// Rows that cannot be read and that a query leaves out; beyond that, such rows are looked at
/// again every second.
const MOST_UNREADABLE: usize = 500;

/// Deliveries of an entry before it goes to the dead letter stream.
const MAX_DELIVERIES: u64 = 10;

/// Runs until the process stops.
pub async fn run(context: Arc<Context>, hpc: HpcHandle) {
    let consumer = context.queue.consumer(hpc.name(), context.id.as_str());
    let mut freed = context.queue.slot_freed_notifications(hpc.name());
    let mut reader = Reader {
        context: Arc::clone(&context),
        hpc: hpc.clone(),
        consumer,
        entries: VecDeque::new(),
        passed_over: false,
        unreadable: HashSet::new(),
    };
    let mut failures = 0;
    while !context.shutdown.token.is_cancelled() {
        let turn = tokio::select! {
            () = context.shutdown.token.cancelled() => break,
            turn = reader.turn() => turn,
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
                tracing::warn!(hpc = hpc.name(), %error, "could not take jobs, trying again");
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
    if let Err(error) = reader.consumer.leave().await {
        tracing::warn!(hpc = hpc.name(), %error, "could not leave the stream's group");
    }
}

enum Turn {
    Again,
    /// No place is free.
    Full,
}

struct Reader {
    context: Arc<Context>,
    hpc: HpcHandle,
    consumer: Consumer,
    /// Read and not acknowledged.
    entries: VecDeque<Entry>,
    /// Whether entries were acknowledged whose jobs still wait, because of `jobs_per_user`.
    passed_over: bool,
    /// Queued jobs whose rows cannot be read, so that they are not claimed again and again. Once
    /// its row is corrected, the sweep publishes such a job.
    unreadable: HashSet<JobId>,
}

impl Reader {
    async fn turn(&mut self) -> anyhow::Result<Turn> {
        let (context, hpc) = (&self.context, &self.hpc);
        if self.passed_over {
            let unreadable = &mut self.unreadable;
            if !sweep::claim_passed_over(context, hpc, BATCH, unreadable).await? {
                return Ok(Turn::Full);
            }
            self.passed_over = context
                .store
                .is_any_queued_on(hpc.name(), self.unreadable.iter().take(MOST_UNREADABLE))
                .await?;
        }
        if self.entries.is_empty() && !self.read().await? {
            return Ok(Turn::Full);
        }
        while let Some(entry) = self.entries.front() {
            if entry.deliveries > MAX_DELIVERIES {
                self.consumer
                    .dead_letter(entry, "delivered too often")
                    .await?;
                self.entries.pop_front();
                continue;
            }
            match claim(&self.context, &self.hpc, &entry.job_id).await {
                Ok(Claimed::Full) => return Ok(Turn::Full),
                Ok(claimed) => {
                    self.passed_over |= claimed == Claimed::UserFull;
                    self.consumer.done(entry).await?;
                }
                Err(error) if error.is_of_one_row() => {
                    unreadable_row(&error);
                    self.consumer.dead_letter(entry, &error.to_string()).await?;
                }
                Err(error) => return Err(error.into()),
            }
            self.entries.pop_front();
        }
        Ok(Turn::Again)
    }

    /// Reads as many entries as places are free; false if none is.
    async fn read(&mut self) -> anyhow::Result<bool> {
        let (context, config) = (&self.context, &self.hpc.config);
        let taken = context.store.places_taken(self.hpc.name()).await?;
        let free = config.job_pool_capacity.saturating_sub(taken).min(BATCH);
        if free == 0 {
            return Ok(false);
        }
        let wait = if self.passed_over {
            LOOK_AGAIN_SOON
        } else {
            LOOK_AGAIN
        };
        let entries = self.consumer.next(usize::try_from(free)?, wait).await?;
        self.entries.extend(entries);
        if self.entries.is_empty() {
            let batch = usize::try_from(BATCH)?;
            let stale = self.consumer.stale(context.lease, batch).await?;
            self.entries.extend(stale);
        }
        Ok(true)
    }
}
