//! The HPCs that this connector owns, each with its accounts.

use std::{collections::BTreeMap, sync::Arc};

use compute_domain::site::Hpc;
use compute_proto::wire::{Credential, Target};
use compute_runtime::{health::CheckResult, seal::SealingKey};
use secrecy::SecretString;

use crate::{
    account::{Account, AccountDeps},
    error::Error,
    private_accounts::PrivateAccounts,
    ssh_target::SshTarget,
};

/// The accounts of one HPC.
enum HpcAccounts {
    /// All jobs run as one account.
    Community(Arc<Account>),
    /// Each job runs as the account of its owner.
    Private(Box<PrivateAccounts>),
}

/// All HPCs by name. One that cannot be used has the reason.
pub(crate) struct HpcRegistry {
    hpcs: BTreeMap<String, Result<HpcAccounts, Error>>,
}

impl HpcAccounts {
    fn new(hpc: Hpc, deps: &AccountDeps, key: Option<&Arc<SealingKey>>) -> Result<Self, Error> {
        let hpc = Arc::new(hpc);
        if hpc.is_community_account {
            let target = SshTarget::community(&hpc)?;
            return Ok(Self::Community(Arc::new(Account::new(hpc, target, deps))));
        }
        let key = key.ok_or_else(|| Error::NoLogin(hpc.name.clone()))?;
        let accounts = PrivateAccounts::new(hpc, deps.clone(), Arc::clone(key))?;
        Ok(Self::Private(Box::new(accounts)))
    }
}

impl HpcRegistry {
    /// Prepares all accounts. Does not connect yet. `key` seals the logins of private
    /// accounts.
    pub(crate) fn new(
        hpcs: impl IntoIterator<Item = Hpc>,
        deps: &AccountDeps,
        key: Option<&Arc<SealingKey>>,
    ) -> Self {
        let hpcs = hpcs.into_iter().map(|hpc| {
            let name = hpc.name.clone();
            let accounts = HpcAccounts::new(hpc, deps, key);
            if let Err(error) = &accounts {
                tracing::warn!(hpc = name, %error, "no jobs can run on this HPC");
            }
            (name, accounts)
        });
        Self {
            hpcs: hpcs.collect(),
        }
    }

    fn get(&self, hpc: &str) -> Result<&HpcAccounts, Error> {
        match self.hpcs.get(hpc) {
            Some(Ok(accounts)) => Ok(accounts),
            Some(Err(error)) => Err(error.clone()),
            None => Err(Error::UnknownHpc(hpc.to_owned())),
        }
    }

    /// The account that a call is for.
    ///
    /// # Errors
    /// [`Error::UnknownHpc`] if there is no such HPC, [`Error::NoLogin`] if it has no
    /// login, or needs a credential and `target` has none; [`Error::Argument`] if it takes
    /// none and `target` has one; [`Error::Password`] if the credential cannot be opened.
    pub(crate) fn account(&self, target: &Target) -> Result<Arc<Account>, Error> {
        let Target {
            hpc, credential, ..
        } = target;
        match (self.get(hpc)?, credential) {
            (HpcAccounts::Community(account), None) => Ok(Arc::clone(account)),
            (HpcAccounts::Community(_), Some(_)) => Err(only_community(hpc)),
            (HpcAccounts::Private(_), None) => Err(Error::NoLogin(hpc.to_owned())),
            (HpcAccounts::Private(accounts), Some(Credential { job_id, sealed })) => {
                accounts.open(job_id, sealed)
            }
        }
    }

    /// Whether the HPC has private accounts.
    pub(crate) fn is_private(&self, hpc: &str) -> bool {
        matches!(self.get(hpc), Ok(HpcAccounts::Private(_)))
    }

    /// Logs in to a private account once, and seals user and password for `job`.
    ///
    /// # Errors
    /// [`Error::Password`] if the HPC rejects the login, [`Error::Login`] if it cannot be
    /// reached; [`Error::Argument`] if the HPC has no private accounts, or `user` is not
    /// the name of an account.
    pub(crate) async fn check_login(
        &self,
        hpc: &str,
        job: &str,
        user: &str,
        password: SecretString,
    ) -> Result<String, Error> {
        match self.get(hpc)? {
            HpcAccounts::Private(accounts) => accounts.check(job, user, password).await,
            HpcAccounts::Community(_) => Err(only_community(hpc)),
        }
    }

    /// The state of each HPC, as far as it is known without connecting to it.
    pub(crate) fn health(&self) -> Vec<(String, CheckResult)> {
        let state_of = |accounts: &Result<HpcAccounts, Error>| {
            let trouble = match accounts {
                Ok(HpcAccounts::Community(account)) => account.remote.pool().trouble(),
                Ok(HpcAccounts::Private(accounts)) => accounts.trouble(),
                Err(error) => return Err(error.to_string()),
            };
            trouble.map_or(Ok(()), |reason| Err(format!("logins are paused: {reason}")))
        };
        let all = self.hpcs.iter();
        all.map(|(name, accounts)| (name.clone(), state_of(accounts)))
            .collect()
    }

    /// Removes private accounts that are not in use; never returns.
    pub(crate) async fn forget_idle_accounts(&self) {
        let private = || {
            self.hpcs.values().filter_map(|accounts| match accounts {
                Ok(HpcAccounts::Private(accounts)) => Some(accounts),
                _ => None,
            })
        };
        loop {
            tokio::time::sleep(PrivateAccounts::CHECK_INTERVAL).await;
            for accounts in private() {
                accounts.forget_idle().await;
            }
        }
    }

    /// Ends all logins.
    pub(crate) async fn close(&self) {
        for accounts in self.hpcs.values().flatten() {
            match accounts {
                HpcAccounts::Community(account) => account.remote.pool().close().await,
                HpcAccounts::Private(accounts) => accounts.close().await,
            }
        }
    }
}

fn only_community(hpc: &str) -> Error {
    Error::Argument(format!(
        "HPC {hpc} has a community account and accepts no other login"
    ))
}
