//! The identity of this process, taken up anew whenever its files change: each
//! new connection is made with the newest one.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use compute_config::TlsFiles;
use compute_domain::{Clock, Timestamp};
use tokio::{sync::watch, time::MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::identity::{Identity, IdentityError, Pems};
use crate::meters;

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// Time before its expiry from which a certificate is reported.
const EXPIRES_SOON: Duration = Duration::from_hours(24 * 14);
/// Interval between two reports.
const REPORT_INTERVAL: Duration = Duration::from_hours(12);

/// Certificate, key and authority of this process. Cheap to clone.
#[derive(Clone)]
pub struct Credentials(Arc<Kept>);

struct Kept {
    files: TlsFiles,
    seen: Mutex<Pems>,
    identity: watch::Sender<Arc<Identity>>,
}

impl Credentials {
    /// Reads the files.
    ///
    /// # Errors
    /// If one is missing, or they cannot be used together.
    pub fn load(files: &TlsFiles) -> Result<Self, IdentityError> {
        let pems = Pems::read(files)?;
        let identity = Arc::new(Identity::of(&pems, files)?);
        Ok(Self(Arc::new(Kept {
            files: files.clone(),
            seen: Mutex::new(pems),
            identity: watch::Sender::new(identity),
        })))
    }

    /// Takes up what the files hold now; false if it is what they held before.
    ///
    /// # Errors
    /// If it cannot be used, as while they are being replaced one by one: the
    /// identity that was good stays.
    pub fn refresh(&self) -> Result<bool, IdentityError> {
        let kept = &self.0;
        let pems = Pems::read(&kept.files)?;
        let mut seen = kept.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if *seen == pems {
            return Ok(false);
        }
        let identity = Identity::of(&pems, &kept.files)?;
        kept.identity.send_replace(Arc::new(identity));
        *seen = pems;
        Ok(true)
    }

    /// Until when the certificate is good.
    pub fn expires(&self) -> Timestamp {
        self.identity().expires
    }

    pub(crate) fn identity(&self) -> Arc<Identity> {
        Arc::clone(&self.0.identity.borrow())
    }

    /// Refreshes periodically until `stop`, and reports when the certificate expires: as a
    /// metric, and in the log if that is soon.
    pub(crate) async fn keep_fresh(self, clock: Arc<dyn Clock>, stop: CancellationToken) {
        let mut tick = tokio::time::interval(LOOK_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut failed, mut reported) = (false, None);
        while stop.run_until_cancelled(tick.tick()).await.is_some() {
            match self.refresh() {
                Ok(changed) => {
                    failed = false;
                    if changed {
                        let expires = self.expires().to_iso();
                        tracing::info!(expires, "new certificate taken up");
                    }
                }
                Err(error) if !failed => {
                    failed = true;
                    tracing::warn!(%error, "certificate cannot be renewed: the former one is kept");
                }
                Err(_) => {}
            }
            self.report_expiry(clock.now(), &mut reported);
        }
    }

    fn report_expiry(&self, now: Timestamp, reported: &mut Option<Timestamp>) {
        let expires = self.expires();
        meters::certificate_expires(expires);
        let is_recent = reported.is_some_and(|reported| now.since(reported) < REPORT_INTERVAL);
        if expires > now.plus(EXPIRES_SOON) || is_recent {
            return;
        }
        *reported = Some(now);
        let expires = expires.to_iso();
        tracing::warn!(expires, "the certificate for other services expires soon");
    }
}
