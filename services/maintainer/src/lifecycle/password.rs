//! Jobs that run as their owner's own account: the login that the owner gave, as
//! the connector has sealed it, goes with every call. Where it is missing or
//! refused, the job waits until the owner gives it again. Nothing is tried
//! meanwhile: sites lock accounts.

use std::{convert::Infallible, time::Duration};

use compute_db::Progress;
use compute_domain::{
    ids::JobId,
    job::{Change, NewEvent},
};
use compute_queue::Queue;

use super::{Carrier, PutDown};

/// How often Redis is asked whether a login is there. A maintainer is told, too.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(3);

/// The time that a login is kept is set anew so often within that time.
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

impl Carrier<'_> {
    /// Takes up the login with which the job's HPC is called, if it needs one. False
    /// if there is none: then the job is parked.
    pub(super) async fn has_login(&mut self) -> Result<bool, PutDown> {
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
        self.port.connector = self.port.connector.with_credential(&self.job.id, &sealed);
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

    pub(super) async fn password_is_missing(&mut self) -> Result<(), PutDown> {
        let account = self.job.account.as_deref().unwrap_or_default();
        let reason = format!(
            "the password for {account} at {} is not known any more: give it again with PUT \
             /job/{}/credential",
            self.job.hpc, self.job.id
        );
        self.park_for_password(reason).await
    }

    /// The HPC refuses the login, in these words.
    pub(super) async fn password_is_refused(&mut self, words: &str) -> Result<(), PutDown> {
        let reason = format!(
            "{words}; give the new one with PUT /job/{}/credential",
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
    async fn park_for_password(&mut self, reason: String) -> Result<(), PutDown> {
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
    pub(super) async fn wait_for_password(&mut self) -> Result<(), PutDown> {
        let mut wishes = self.signals.wish.clone();
        wishes.mark_unchanged();
        loop {
            match self.kept_login().await {
                Ok(Kept::Other(_)) => break,
                Ok(Kept::Same | Kept::Missing) => {}
                Err(reason) => tracing::warn!(reason, "looking again"),
            }
            tokio::select! {
                () = self.signals.look.notified() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
                _ = wishes.changed() => return Ok(()),
                reason = Self::interrupted(&self.signals, self.context) => return Err(reason),
            }
        }
        self.unpark().await
    }
}

/// Keeps the login of a job as long as somebody carries the job.
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
