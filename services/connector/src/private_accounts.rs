//! The private accounts on one HPC that are in use.
//!
//! An account is identified by its name and password: a login that one password has
//! opened is never used for another. To compare passwords, a MAC is stored under a random
//! key of this process, so the time of a comparison reveals nothing.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use compute_domain::{Timestamp, site::Hpc};
use compute_runtime::seal::SealingKey;
use ring::{hmac, rand::SystemRandom};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use crate::{
    account::{Account, AccountDeps},
    error::Error,
    ssh_target::SshTarget,
};

/// Time after which an account that is not in use is removed, with its password.
const IDLE_TIME: Duration = Duration::from_secs(300);

type Identity = (String, Vec<u8>);

/// Accounts in use, created when first needed.
pub(crate) struct PrivateAccounts {
    hpc: Arc<Hpc>,
    deps: AccountDeps,
    key: Arc<SealingKey>,
    tag_key: hmac::Key,
    known: Mutex<HashMap<Identity, Known>>,
}

struct Known {
    account: Arc<Account>,
    used: Timestamp,
}

impl PrivateAccounts {
    /// Interval between calls of [`forget_idle`](Self::forget_idle).
    pub(crate) const CHECK_INTERVAL: Duration = Duration::from_secs(60);

    /// Without any account yet.
    ///
    /// # Errors
    /// [`Error::Internal`] if the system has no source of random numbers.
    pub(crate) fn new(
        hpc: Arc<Hpc>,
        deps: AccountDeps,
        key: Arc<SealingKey>,
    ) -> Result<Self, Error> {
        let tag_key =
            hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).map_err(|_| {
                Error::Internal("the system has no source of random numbers".to_owned())
            })?;
        Ok(Self {
            hpc,
            deps,
            key,
            tag_key,
            known: Mutex::default(),
        })
    }

    /// Logs in once, and seals user and password for `job`. Keeps the login for the next
    /// calls.
    ///
    /// # Errors
    /// [`Error::Password`] if the HPC rejects the login, [`Error::Login`] if it cannot be
    /// reached.
    pub(crate) async fn check(
        &self,
        job: &str,
        user: &str,
        password: SecretString,
    ) -> Result<String, Error> {
        // A new login, even if one is up: the password may have changed since.
        let account = self.make(user, password.clone())?;
        account.remote.pool().acquire().await?;
        let login = json!({"user": user, "password": password.expose_secret()});
        let sealed = self
            .key
            .seal(&SecretString::from(login.to_string()), &self.purpose(job))
            .map_err(|error| Error::Internal(error.to_string()))?;
        self.keep(self.identity(user, &password), account).await;
        Ok(sealed)
    }

    /// The account that was sealed for `job`. Does not check whether the HPC still
    /// accepts the password.
    ///
    /// # Errors
    /// [`Error::Password`] if it cannot be opened.
    pub(crate) fn open(&self, job: &str, sealed: &str) -> Result<Arc<Account>, Error> {
        let closed = || {
            let hpc = &self.hpc.name;
            Error::Password(format!(
                "the stored password for HPC {hpc} cannot be opened: give it again"
            ))
        };
        let opened = self
            .key
            .open(sealed, &self.purpose(job))
            .map_err(|_| closed())?;
        let (user, password) = login_of(&opened).ok_or_else(closed)?;
        let identity = self.identity(&user, &password);
        let mut known = self.lock();
        if let Some(held) = known.get_mut(&identity) {
            held.used = self.deps.clock.now();
            return Ok(Arc::clone(&held.account));
        }
        let account = Arc::new(self.make(&user, password)?);
        known.insert(identity, self.known(&account));
        Ok(account)
    }

    /// Ends the logins of accounts that are idle, and removes their passwords.
    pub(crate) async fn forget_idle(&self) {
        let now = self.deps.clock.now();
        let is_idle = |known: &Known| {
            now.since(known.used) > IDLE_TIME && Arc::strong_count(&known.account) == 1
        };
        let idle: Vec<Known> = self
            .lock()
            .extract_if(|_, known| is_idle(known))
            .map(|(_, known)| known)
            .collect();
        for known in idle {
            known.account.remote.pool().close().await;
        }
    }

    /// Why logins of one of the accounts are paused, if they are.
    pub(crate) fn trouble(&self) -> Option<String> {
        let known = self.lock();
        known
            .values()
            .find_map(|known| known.account.remote.pool().trouble())
    }

    /// Ends all logins.
    pub(crate) async fn close(&self) {
        let all: Vec<Known> = self.lock().drain().map(|(_, known)| known).collect();
        for known in all {
            known.account.remote.pool().close().await;
        }
    }

    /// Keeps a new login, unless one that works is known.
    async fn keep(&self, identity: Identity, account: Account) {
        let held = self
            .lock()
            .get(&identity)
            .map(|known| Arc::clone(&known.account));
        if let Some(held) = held
            && !held.remote.pool().is_rejected().await
        {
            return;
        }
        let known = self.known(&Arc::new(account));
        self.lock().insert(identity, known);
    }

    fn known(&self, account: &Arc<Account>) -> Known {
        Known {
            account: Arc::clone(account),
            used: self.deps.clock.now(),
        }
    }

    fn make(&self, user: &str, password: SecretString) -> Result<Account, Error> {
        let target = SshTarget::private(&self.hpc, user, password)?;
        Ok(Account::new(Arc::clone(&self.hpc), target, &self.deps))
    }

    /// A credential that is sealed for one job on one HPC opens for no other.
    fn purpose(&self, job: &str) -> String {
        format!("credential:{}:{job}", self.hpc.name)
    }

    fn identity(&self, user: &str, password: &SecretString) -> Identity {
        let tag = hmac::sign(&self.tag_key, password.expose_secret().as_bytes());
        (user.to_owned(), tag.as_ref().to_vec())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Identity, Known>> {
        // A panic elsewhere cannot leave the map inconsistent.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn login_of(opened: &SecretString) -> Option<(String, SecretString)> {
    let login: Value = serde_json::from_str(opened.expose_secret()).ok()?;
    let text = |key: &str| login.get(key).and_then(Value::as_str);
    Some((
        text("user")?.to_owned(),
        SecretString::from(text("password")?),
    ))
}

#[cfg(test)]
mod tests {
    use std::{path::Path, sync::Arc};

    use compute_domain::clock::ManualClock;
    use tokio_util::task::TaskTracker;

    use super::*;

    fn accounts(folder: &Path) -> (PrivateAccounts, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::at(Timestamp::from_millis(0)));
        let deps = AccountDeps {
            clock: clock.clone(),
            control_directory: folder.to_owned(),
            tasks: TaskTracker::new(),
        };
        let key = SealingKey::load_or_create(&folder.join("credential.key")).unwrap();
        let hpc = Arc::new(compute_testing::private_hpc());
        let accounts = PrivateAccounts::new(hpc, deps, Arc::new(key)).unwrap();
        (accounts, clock)
    }

    fn sealed(accounts: &PrivateAccounts, job: &str, user: &str, password: &str) -> String {
        let login = json!({"user": user, "password": password}).to_string();
        let purpose = accounts.purpose(job);
        accounts
            .key
            .seal(&SecretString::from(login), &purpose)
            .unwrap()
    }

    #[test]
    fn a_login_is_shared_by_those_who_gave_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let (accounts, _) = accounts(folder.path());
        let open = |job: &str, user: &str, password: &str| {
            let sealed = sealed(&accounts, job, user, password);
            accounts.open(job, &sealed).unwrap()
        };
        let first = open("1", "alice", "right");
        assert!(Arc::ptr_eq(&first, &open("2", "alice", "right")));
        assert!(!Arc::ptr_eq(&first, &open("3", "alice", "wrong")));
        assert!(!Arc::ptr_eq(&first, &open("4", "bob", "right")));
    }

    #[tokio::test]
    async fn an_account_that_nobody_uses_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let (accounts, clock) = accounts(folder.path());
        let open = |job: &str, user: &str| {
            let sealed = sealed(&accounts, job, user, "right");
            accounts.open(job, &sealed).unwrap()
        };
        let under_way = open("1", "alice");
        drop(open("2", "bob"));
        clock.advance(IDLE_TIME);
        drop(open("3", "carol"));
        clock.advance(Duration::from_secs(1));
        accounts.forget_idle().await;
        let left = || {
            let known = accounts.lock();
            let mut users: Vec<_> = known.keys().map(|(user, _)| user.clone()).collect();
            users.sort();
            users
        };
        assert_eq!(left(), ["alice", "carol"]);
        drop(under_way);
        accounts.forget_idle().await;
        assert_eq!(left(), ["carol"]);
    }

    #[test]
    fn what_was_sealed_for_another_job_does_not_open() {
        let folder = tempfile::tempdir().unwrap();
        let (accounts, _) = accounts(folder.path());
        let sealed = sealed(&accounts, "1", "alice", "right");
        for (job, text) in [("2", sealed.as_str()), ("1", "v1:AAAA"), ("1", "")] {
            let refused = accounts.open(job, text);
            assert!(matches!(refused, Err(Error::Password(_))), "{job} {text}");
        }
    }
}
