//! Waiting: parked by trouble until the next probe, or held by the job's owner
//! before it was handed to the scheduler.

use std::time::Duration;

use compute_db::Progress;
use compute_domain::job::{Change, Intent, NewEvent};

use super::{Carrier, PutDown};
use crate::patience::{backoff, jittered, worth_telling};

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
        let wait = jittered(backoff(attempts.saturating_sub(1)));
        tracing::warn!(step = self.job.step.as_str(), reason, "trouble");
        let told = worth_telling(attempts) || self.job.blocked_reason.as_deref() != Some(reason);
        let event = NewEvent::retry(&self.job.id, reason, wait.as_secs().max(1));
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
        let wait = self
            .job
            .next_probe_at
            .map_or(Duration::ZERO, |at| at.since(now));
        let mut wishes = self.signals.wish.clone();
        wishes.mark_unchanged();
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            _ = wishes.changed() => return Ok(()),
            reason = Self::interrupted(&self.signals, self.context) => return Err(reason),
        }
        self.unpark().await
    }

    pub(super) async fn unpark(&mut self) -> Result<(), PutDown> {
        self.save(Progress {
            change: Some(Change::Unpark(self.job.step)),
            next_probe_at: Some(None),
            ..Progress::default()
        })
        .await
    }
}
