//! Jobs that run as their owner's own account: every call carries the login that the owner
//! gave, as the connector has sealed it. If it is missing or refused, the job waits until the
//! owner gives it again. Nothing is tried meanwhile: sites lock accounts.

use std::{convert::Infallible, time::Duration};

use compute_db::Progress;
use compute_domain::{
    ids::JobId,
    job::{Change, NewEvent},
};
use compute_queue::Queue;

use super::{JobRunner, StopReason};

/// How often Redis is asked for the login. The gateway also notifies the maintainer.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(3);

/// How often the time for which a login is kept is renewed within that time.
const EXTENSIONS: u32 = 24;

/// Whether the login of a job is there.
pub(super) enum Kept {
    /// The one that is used already.
    Same,
    /// Another one.
    Other(String),
    /// None.
    Missing,
}

impl JobRunner<'_> {
    /// Takes up the login with which the job's HPC is called, if it needs one. False
    /// if there is none: then the job is parked.
    pub(super) async fn has_login(&mut self) -> Result<bool, StopReason> {
        match self.kept_login().await {
            Ok(Kept::Same) => Ok(true),
            Ok(Kept::Other(sealed)) => {
                self.take_up(sealed);
                Ok(true)
            }
            Ok(Kept::Missing) => {
                self.password_is_missing().await?;
                Ok(false)
            }
            Err(reason) => {
                self.park(&reason).await?;
                Ok(false)
            }
        }
    }

    /// From now on the HPC is called with this login.
    pub(super) fn take_up(&mut self, sealed: String) {
        self.hpc.connector = self.hpc.connector.with_credential(&self.job.id, &sealed);
        self.sealed = Some(sealed);
    }

    /// Looks for the login. A job on an HPC with a community account needs none.
    ///
    /// # Errors
    /// Why it could not be looked for.
    pub(super) async fn kept_login(&self) -> Result<Kept, String> {
        if self.job.account.is_none() {
            return Ok(Kept::Same);
        }
        let kept = self
            .context
            .queue
            .credential(&self.job.hpc, &self.job.id)
            .await
            .map_err(|error| format!("its login could not be read: {error}"))?;
        Ok(match kept {
            None => Kept::Missing,
            same if same == self.sealed => Kept::Same,
            Some(other) => Kept::Other(other),
        })
    }

    pub(super) async fn password_is_missing(&mut self) -> Result<(), StopReason> {
        let account = self.job.account.as_deref().unwrap_or_default();
        let reason = format!(
            "the password for {account} at {} is not known any more: give it again with PUT \
             /job/{}/credential",
            self.job.hpc, self.job.id
        );
        self.park_for_password(reason).await
    }

    /// The HPC refuses the login, with this `message`.
    pub(super) async fn password_is_refused(&mut self, message: &str) -> Result<(), StopReason> {
        let reason = format!(
            "{message}; give the new one with PUT /job/{}/credential",
            self.job.id
        );
        if let Some(sealed) = &self.sealed {
            let queue = &self.context.queue;
            let removed = queue
                .remove_this_credential(&self.job.hpc, &self.job.id, sealed)
                .await;
            if let Err(error) = removed {
                tracing::warn!(%error, "a refused login is still kept");
            }
        }
        self.park_for_password(reason).await
    }

    /// Parks the job without a next try.
    async fn park_for_password(&mut self, reason: String) -> Result<(), StopReason> {
        tracing::info!(reason, "waits for a password");
        self.save(Progress {
            change: Some(Change::Park),
            next_probe_at: Some(None),
            attempts: Some(self.job.attempts.saturating_add(1)),
            events: vec![NewEvent::waits(&self.job.id, &reason)],
            blocked_reason: Some(Some(reason)),
            ..Progress::default()
        })
        .await
    }

    /// Whether the job is parked until its owner gives a password.
    pub(super) fn waits_for_password(&self) -> bool {
        self.job.account.is_some() && self.job.next_probe_at.is_none()
    }

    /// Waits for a login other than the one that was refused.
    pub(super) async fn wait_for_password(&mut self) -> Result<(), StopReason> {
        let mut intents = self.signals.intent.clone();
        intents.mark_unchanged();
        loop {
            match self.kept_login().await {
                Ok(Kept::Other(_)) => break,
                Ok(Kept::Same | Kept::Missing) => {}
                Err(reason) => tracing::warn!(reason, "looking again"),
            }
            tokio::select! {
                () = self.signals.look.notified() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
                _ = intents.changed() => return Ok(()),
                reason = Self::interrupted(&self.signals, self.context) => return Err(reason),
            }
        }
        self.unpark().await
    }
}

/// Keeps the login of a job as long as the job runs here.
pub(super) async fn keep_login(
    queue: &Queue,
    hpc: &str,
    job: &JobId,
    time: Duration,
) -> Infallible {
    let mut tick = tokio::time::interval(time / EXTENSIONS);
    loop {
        tick.tick().await;
        if let Err(error) = queue.extend_credential(hpc, job, time).await {
            tracing::warn!(%error, "could not keep the login for longer");
        }
    }
}
