//! Waiting: parked by trouble until the next probe, or held by the job's owner
//! before it was handed to the scheduler.

use std::time::Duration;

use compute_db::{Progress, StoreError};
use compute_domain::job::{Change, Intent, NewEvent, Step};

use super::{Carrier, PutDown, cancel::CANCEL_AGAIN};
use crate::patience::{backoff, jittered, worth_telling};

/// How long a job that comes back waits before it looks for a place again.
const PLACE_AGAIN: Duration = Duration::from_secs(3);

impl Carrier<'_> {
    /// Waits until the job's owner no longer wants it held.
    pub(super) async fn hold_before_submit(&mut self) -> Result<(), PutDown> {
        let mut wishes = self.signals.wish.clone();
        wishes.mark_unchanged();
        if self.wish(Intent::Pause).is_none() {
            return Ok(());
        }
        tokio::select! {
            _ = wishes.changed() => Ok(()),
            reason = Self::interrupted(&self.signals, self.context) => Err(reason),
        }
    }

    pub(super) async fn park(&mut self, reason: &str) -> Result<(), PutDown> {
        let attempts = self.job.attempts.unsigned_abs().saturating_add(1);
        let mut wait = jittered(backoff(attempts.saturating_sub(1)));
        let mut words = reason.to_owned();
        if self.is_to_be_cancelled() {
            wait = wait.min(CANCEL_AGAIN);
            words = format!("it is to be cancelled as soon as the HPC answers ({reason})");
        }
        tracing::warn!(step = self.job.step.as_str(), reason, "trouble");
        let told = worth_telling(attempts) || self.job.blocked_reason.as_deref() != Some(reason);
        let event = NewEvent::retry(&self.job.id, &words, wait.as_secs().max(1));
        self.save(Progress {
            change: Some(Change::Park),
            blocked_reason: Some(Some(reason.to_owned())),
            next_probe_at: Some(Some(self.context.clock.now().plus(wait))),
            attempts: Some(i32::try_from(attempts).unwrap_or(i32::MAX)),
            events: told.then_some(event).into_iter().collect(),
            ..Progress::default()
        })
        .await
    }

    pub(super) async fn wait_for_probe(&mut self) -> Result<(), PutDown> {
        if self.waits_for_password() {
            return self.wait_for_password().await;
        }
        let now = self.context.clock.now();
        let mut wait = self
            .job
            .next_probe_at
            .map_or(Duration::ZERO, |at| at.since(now));
        if self.is_to_be_cancelled() {
            wait = wait.min(CANCEL_AGAIN);
        }
        let mut wishes = self.signals.wish.clone();
        wishes.mark_unchanged();
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            // Its owner asks once more.
            () = self.signals.look.notified(), if self.is_to_be_cancelled() => {}
            _ = wishes.changed() => if !self.is_to_be_cancelled() { return Ok(()) },
            reason = Self::interrupted(&self.signals, self.context) => return Err(reason),
        }
        self.unpark().await
    }

    /// Goes on with a parked job. What is still to be brought to the HPC needs a place
    /// there again, and waits for one; what is on the HPC, or to be ended, does not.
    pub(super) async fn unpark(&mut self) -> Result<(), PutDown> {
        let progress = Progress {
            change: Some(Change::Unpark(self.job.step)),
            next_probe_at: Some(None),
            ..Progress::default()
        };
        if self.job.step > Step::Submit || self.is_to_be_cancelled() {
            return self.save(progress).await;
        }
        let most = most_with_returning(self.port.hpc.job_pool_capacity);
        let back = self
            .context
            .store
            .come_back(&self.held(), self.port.hpc_name(), progress, most)
            .await;
        match back {
            Ok(Some(job)) => {
                self.job = job;
                Ok(())
            }
            Ok(None) => self.wait_for_place().await,
            Err(StoreError::LeaseLost) => Err(PutDown::Lost),
            Err(error) if error.kind().is_transient() => {
                tracing::warn!(%error, "could not go on, trying again");
                self.pause_for(jittered(PLACE_AGAIN)).await
            }
            Err(error) => Err(PutDown::Store(error)),
        }
    }

    async fn wait_for_place(&mut self) -> Result<(), PutDown> {
        let wait = jittered(PLACE_AGAIN);
        let reason = format!("all places on {} are taken", self.job.hpc);
        self.save(Progress {
            change: Some(Change::Park),
            blocked_reason: Some(Some(reason)),
            next_probe_at: Some(Some(self.context.clock.now().plus(wait))),
            ..Progress::default()
        })
        .await
    }

    async fn pause_for(&self, wait: Duration) -> Result<(), PutDown> {
        tokio::select! {
            () = tokio::time::sleep(wait) => Ok(()),
            reason = Self::interrupted(&self.signals, self.context) => Err(reason),
        }
    }
}

/// Places that may be taken once blocked jobs have come back. New jobs are taken up to
/// the capacity, so that those beyond are for jobs that come back alone: they do not
/// wait behind new ones for ever.
fn most_with_returning(capacity: u32) -> u32 {
    capacity.saturating_add(capacity.div_ceil(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_always_room_for_a_job_that_comes_back() {
        assert_eq!([1, 2, 5, 10].map(most_with_returning), [2, 3, 8, 15]);
    }
}
