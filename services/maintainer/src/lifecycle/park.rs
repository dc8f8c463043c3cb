//! Waiting: parked by trouble until the next probe, or paused by the job's owner before it
//! was handed to the scheduler.

use std::time::Duration;

use compute_db::{Progress, StoreError};
use compute_domain::job::{Change, Intent, NewEvent, Step};

use super::{JobRunner, StopReason, cancel::CANCEL_AGAIN};
use crate::backoff::{backoff, is_worth_an_event, jittered};

/// How long a job that comes back waits before it looks for a place again.
const PLACE_AGAIN: Duration = Duration::from_secs(3);

impl JobRunner<'_> {
    /// Waits until the job's owner resumes or cancels it. Meanwhile it takes no place.
    pub(super) async fn pause_before_submit(&mut self) -> Result<(), StopReason> {
        let mut intents = self.signals.intent.clone();
        intents.mark_unchanged();
        if self.intent_by(Intent::Pause).is_none() {
            return Ok(());
        }
        tokio::select! {
            _ = intents.changed() => {}
            reason = Self::interrupted(&self.signals, self.context) => return Err(reason),
        }
        if self.intent_by(Intent::Resume).is_some() && self.is_over_capacity().await {
            return self.wait_for_place().await;
        }
        Ok(())
    }

    /// Whether too many places are taken for a job that goes on after a pause. If the database
    /// does not answer, the job goes on.
    async fn is_over_capacity(&self) -> bool {
        let most = most_with_returning(self.hpc.config.job_pool_capacity);
        match self.context.store.places_taken(&self.job.hpc).await {
            Ok(taken) => taken > most,
            Err(error) => {
                tracing::warn!(%error, "places not counted");
                false
            }
        }
    }

    pub(super) async fn park(&mut self, reason: &str) -> Result<(), StopReason> {
        let attempts = self.job.attempts.unsigned_abs().saturating_add(1);
        let mut wait = jittered(backoff(attempts.saturating_sub(1)));
        let mut message = reason.to_owned();
        if self.is_to_be_cancelled() {
            wait = wait.min(CANCEL_AGAIN);
            message = format!("it is to be cancelled as soon as the HPC answers ({reason})");
        }
        tracing::warn!(step = self.job.step.as_str(), reason, "job parked");
        let has_event =
            is_worth_an_event(attempts) || self.job.blocked_reason.as_deref() != Some(reason);
        let event = NewEvent::retry(&self.job.id, &message, wait.as_secs().max(1));
        self.save(Progress {
            change: Some(Change::Park),
            blocked_reason: Some(Some(reason.to_owned())),
            next_probe_at: Some(Some(self.context.clock.now().plus(wait))),
            attempts: Some(i32::try_from(attempts).unwrap_or(i32::MAX)),
            events: has_event.then_some(event).into_iter().collect(),
            ..Progress::default()
        })
        .await
    }

    pub(super) async fn wait_for_probe(&mut self) -> Result<(), StopReason> {
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
        let mut intents = self.signals.intent.clone();
        intents.mark_unchanged();
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            // Its owner asks once more.
            () = self.signals.look.notified(), if self.is_to_be_cancelled() => {}
            _ = intents.changed() => if !self.is_to_be_cancelled() { return Ok(()) },
            reason = Self::interrupted(&self.signals, self.context) => return Err(reason),
        }
        self.unpark().await
    }

    /// Goes on with a parked job. What is still to be brought to the HPC needs a place
    /// there again, and waits for one; what is on the HPC, or to be ended, does not.
    pub(super) async fn unpark(&mut self) -> Result<(), StopReason> {
        let progress = Progress {
            change: Some(Change::Unpark(self.job.step)),
            next_probe_at: Some(None),
            ..Progress::default()
        };
        if self.job.step > Step::Submit || self.is_to_be_cancelled() {
            return self.save(progress).await;
        }
        let most = most_with_returning(self.hpc.config.job_pool_capacity);
        let back = self
            .context
            .store
            .come_back(&self.token(), &self.job, progress, most)
            .await;
        match back {
            Ok(Some(job)) => {
                self.job = job;
                Ok(())
            }
            Ok(None) => self.wait_for_place().await,
            Err(StoreError::LeaseLost) => Err(StopReason::LeaseLost),
            Err(error) if error.kind().is_transient() => {
                tracing::warn!(%error, "could not go on, trying again");
                self.pause_for(jittered(PLACE_AGAIN)).await?;
                self.read_again().await
            }
            Err(error) => Err(StopReason::Store(error)),
        }
    }

    /// Reads the job after a write of which it is not known whether it happened.
    async fn read_again(&mut self) -> Result<(), StopReason> {
        loop {
            match self.context.store.job(&self.job.id).await {
                Ok(Some(job)) if job.fence == self.job.fence => {
                    self.job = job;
                    return Ok(());
                }
                Ok(_) => return Err(StopReason::LeaseLost),
                Err(error) if error.kind().is_transient() => {
                    tracing::warn!(%error, "could not read the job, trying again");
                    self.pause_for(jittered(PLACE_AGAIN)).await?;
                }
                Err(error) => return Err(StopReason::Store(error)),
            }
        }
    }

    async fn wait_for_place(&mut self) -> Result<(), StopReason> {
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

    /// Waits, unless the runner must stop.
    pub(super) async fn pause_for(&self, wait: Duration) -> Result<(), StopReason> {
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
