//! The logins of one account: few, opened when needed, shared by all commands.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex as SyncMutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use compute_domain::{Clock, site::Hpc};
use futures::future::select_all;
use openssh::Session;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};

use crate::{breaker::Breaker, error::Error, meters, session::Master, ssh_target::SshTarget};

/// How long a command waits while all sessions are in use.
const SESSION_TIMEOUT: Duration = Duration::from_secs(20);

/// The logins of one account.
#[derive(Debug)]
pub(crate) struct Pool {
    target: SshTarget,
    slots: Vec<Slot>,
    breaker: SyncMutex<Breaker>,
    /// Held while logging in with a password; contains the error once the HPC has
    /// rejected it. Another attempt could lock the account.
    rejected: Mutex<Option<Error>>,
    clock: Arc<dyn Clock>,
    control_directory: PathBuf,
}

/// At most one login.
#[derive(Debug)]
struct Slot {
    sessions: Arc<Semaphore>,
    master: Mutex<Option<Arc<Master>>>,
    /// Whether `master` was up when last checked.
    is_open: AtomicBool,
}

/// A session on a login. Dropping it returns the session to the pool.
#[derive(Debug)]
pub(crate) struct SessionGuard {
    master: Arc<Master>,
    hpc: String,
    _permit: OwnedSemaphorePermit,
}

impl Pool {
    /// A pool of logins to `target` on `hpc`. Does not connect yet.
    pub(crate) fn new(
        hpc: &Hpc,
        target: SshTarget,
        clock: Arc<dyn Clock>,
        control_directory: PathBuf,
    ) -> Self {
        let sessions = hpc.max_sessions_per_connection as usize;
        let slots = (0..hpc.max_connections)
            .map(|_| Slot::new(sessions))
            .collect();
        Self {
            target,
            slots,
            breaker: SyncMutex::default(),
            rejected: Mutex::default(),
            clock,
            control_directory,
        }
    }

    /// Name of the HPC.
    pub(crate) fn hpc(&self) -> &str {
        self.target.hpc()
    }

    /// Acquires a session. Logs in if all logins are full and another one is allowed.
    ///
    /// # Errors
    /// [`Error::Login`] if the login fails or has just failed, [`Error::Password`] if the
    /// HPC rejects the password, [`Error::Busy`] if no session becomes free in time.
    pub(crate) async fn acquire(&self) -> Result<SessionGuard, Error> {
        if let Some((slot, permit)) = self.room(true) {
            return self.acquire_from(slot, permit).await;
        }
        if let Some((slot, permit)) = self.room(false) {
            match self.acquire_from(slot, permit).await {
                Err(error) if !self.is_open() => return Err(error),
                // Another login fails, but an established one is only full: wait for it.
                Err(_) => {}
                guard => return guard,
            }
        }
        let open: Vec<&Slot> = self.slots.iter().filter(|slot| slot.is_open()).collect();
        let candidates = if open.is_empty() {
            self.slots.iter().collect()
        } else {
            open
        };
        let waits = candidates.iter().map(|slot| Box::pin(slot.permit()));
        let waited = tokio::time::timeout(SESSION_TIMEOUT, select_all(waits)).await;
        let (permit, index, _) = waited.map_err(|_| Error::Busy(self.hpc().to_owned()))?;
        match (candidates.get(index), permit) {
            (Some(slot), Some(permit)) => self.acquire_from(slot, permit).await,
            _ => Err(Error::Internal("the pool is closed".to_owned())),
        }
    }

    fn room(&self, open: bool) -> Option<(&Slot, OwnedSemaphorePermit)> {
        self.slots
            .iter()
            .filter(|slot| slot.is_open() == open)
            .find_map(|slot| {
                let permit = Arc::clone(&slot.sessions).try_acquire_owned().ok()?;
                Some((slot, permit))
            })
    }

    fn is_open(&self) -> bool {
        self.slots.iter().any(Slot::is_open)
    }

    /// A session of this slot's login, which is opened (again) if it is not up.
    async fn acquire_from(
        &self,
        slot: &Slot,
        permit: OwnedSemaphorePermit,
    ) -> Result<SessionGuard, Error> {
        let mut master = slot.master.lock().await;
        if let Some(up) = master.as_ref()
            && up.is_alive().await
        {
            return Ok(SessionGuard::new(Arc::clone(up), permit, self.hpc()));
        }
        *master = None;
        slot.is_open.store(false, Ordering::Relaxed);
        let up = Arc::new(self.log_in().await?);
        slot.is_open.store(true, Ordering::Relaxed);
        *master = Some(Arc::clone(&up));
        Ok(SessionGuard::new(up, permit, self.hpc()))
    }

    async fn log_in(&self) -> Result<Master, Error> {
        if !self.target.is_private() {
            return self.try_log_in().await;
        }
        let mut rejected = self.rejected.lock().await;
        if let Some(error) = &*rejected {
            return Err(error.clone());
        }
        let opened = self.try_log_in().await;
        if let Err(error @ Error::Password(_)) = &opened {
            *rejected = Some(error.clone());
        }
        opened
    }

    /// Whether the HPC has rejected the password.
    pub(crate) async fn is_rejected(&self) -> bool {
        self.rejected.lock().await.is_some()
    }

    async fn try_log_in(&self) -> Result<Master, Error> {
        self.breaker()
            .admit(self.clock.now())
            .map_err(|pause| Error::Login {
                node: self.target.node(),
                reason: format!(
                    "{}; next login attempt in {} s",
                    pause.reason,
                    pause.left.as_secs() + 1
                ),
            })?;
        let opened = Master::open(&self.target, &self.control_directory).await;
        let mut breaker = self.breaker();
        match &opened {
            Ok(_) => {
                tracing::info!(hpc = self.hpc(), node = self.target.node(), "logged in");
                breaker.succeeded();
            }
            // The login node itself works.
            Err(error @ Error::Password(_)) => {
                tracing::info!(hpc = self.hpc(), %error, "login rejected");
                breaker.succeeded();
            }
            Err(error) => {
                tracing::warn!(hpc = self.hpc(), %error, "login failed");
                let reason = match error {
                    Error::Login { reason, .. } => reason.clone(),
                    other => other.to_string(),
                };
                breaker.failed(self.clock.now(), &reason, rand::random());
            }
        }
        opened
    }

    /// Why logins are paused, if they are.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.breaker().trouble().map(str::to_owned)
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        // A panic elsewhere cannot leave the breaker inconsistent.
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends all logins. Running commands keep theirs until they end.
    pub(crate) async fn close(&self) {
        for slot in &self.slots {
            slot.is_open.store(false, Ordering::Relaxed);
            slot.master.lock().await.take();
        }
    }
}

impl Slot {
    fn new(sessions: usize) -> Self {
        Self {
            sessions: Arc::new(Semaphore::new(sessions)),
            master: Mutex::default(),
            is_open: AtomicBool::new(false),
        }
    }

    fn is_open(&self) -> bool {
        self.is_open.load(Ordering::Relaxed)
    }

    async fn permit(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.sessions).acquire_owned().await.ok()
    }
}

impl SessionGuard {
    fn new(master: Arc<Master>, permit: OwnedSemaphorePermit, hpc: &str) -> Self {
        meters::sessions(hpc, 1.0);
        Self {
            master,
            hpc: hpc.to_owned(),
            _permit: permit,
        }
    }

    /// The session for one command.
    pub(crate) fn session(&self) -> &Arc<Session> {
        self.master.session()
    }

    /// Whether the login is still up.
    pub(crate) async fn is_alive(&self) -> bool {
        self.master.is_alive().await
    }
}

impl Drop for SessionGuard {
    fn drop(&mut self) {
        meters::sessions(&self.hpc, -1.0);
    }
}
