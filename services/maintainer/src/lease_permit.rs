//! The check right before each call of a runner that changes something on an HPC.
//!
//! First the process looks at its own monotonic clock, then it reads in the database that the
//! job still names its lease and that the lease is valid, then it looks at its clock again. What
//! was read or written under the lease just before counts as well.
//!
//! A read suffices, without a write: if another maintainer takes the job over after the read, the
//! call carries a fence that is older than the one with which the other begins on the HPC.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use compute_db::{LeaseToken, Store};
use compute_domain::ErrorKind;
use compute_proto::{Permit, Permitted, RemoteError};
use tokio::time::Instant;

use crate::{
    backoff::{backoff, jittered},
    own_lease::OwnLease,
};

/// How long a read or write under the lease counts, by the monotonic clock: calls that follow one
/// another quickly share it.
const COUNTS_FOR: Duration = Duration::from_secs(1);

/// Lets the calls of one runner through as long as it holds the job's lease.
#[derive(Debug)]
pub(crate) struct LeasePermit {
    /// The lease of the process.
    own_lease: Arc<OwnLease>,
    /// The source of truth.
    store: Store,
    /// The lease of the job.
    token: LeaseToken,
    /// When the latest read or write under the lease was sent.
    seen: Mutex<Option<Instant>>,
}

impl LeasePermit {
    /// For the runner that has taken a job with `token`.
    pub(crate) fn new(own_lease: Arc<OwnLease>, store: Store, token: LeaseToken) -> Self {
        Self {
            own_lease,
            store,
            token,
            seen: Mutex::default(),
        }
    }

    /// A read or write under the lease succeeded; it was sent at `sent`.
    pub(crate) fn seen(&self, sent: Instant) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(sent);
    }

    fn was_seen_just_now(&self) -> bool {
        let seen = *self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.is_some_and(|seen| seen.elapsed() < COUNTS_FOR)
    }

    /// Waits while the database does not respond: the lease of the process limits that.
    async fn check(&self) -> Result<(), RemoteError> {
        let epoch = self.token.holder.epoch;
        let mut failures = 0;
        while self.own_lease.is_held(epoch) {
            if self.was_seen_just_now() {
                return Ok(());
            }
            let sent = Instant::now();
            match self.store.still_held(&self.token).await {
                Ok(true) => {
                    self.seen(sent);
                    if self.own_lease.is_held(epoch) {
                        return Ok(());
                    }
                }
                Ok(false) => {
                    let words = "another maintainer has the lease of the job";
                    return Err(RemoteError::new(ErrorKind::Unavailable, words));
                }
                Err(error) if error.kind().is_transient() => {
                    tracing::warn!(%error, "could not look at the lease, trying again");
                    tokio::time::sleep(jittered(backoff(failures))).await;
                    failures += 1;
                }
                Err(error) => {
                    return Err(RemoteError::new(ErrorKind::Unavailable, error.to_string()));
                }
            }
        }
        self.own_lease.end_if_over();
        // The runner is dropped here: it must do nothing about a call that was not made.
        std::future::pending().await
    }
}

impl Permit for LeasePermit {
    fn permitted(&self) -> Permitted<'_> {
        Box::pin(self.check())
    }
}
