//! The HPCs that this connector owns, each with the accounts that are used there.

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

/// One HPC.
enum HpcAccounts {
    /// All jobs run as one account.
    Community(Arc<Account>),
    /// Each job runs as its owner's own.
    Private(Box<PrivateAccounts>),
}

/// All of them, by name. An HPC without a login answers why there is none.
pub(crate) struct HpcRegistry {
    served: BTreeMap<String, Result<HpcAccounts, Error>>,
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
    /// Gets everything ready; connects to nothing yet. `key` seals what owners give
    /// of their private accounts.
    pub(crate) fn new(
        hpcs: impl IntoIterator<Item = Hpc>,
        deps: &AccountDeps,
        key: Option<&Arc<SealingKey>>,
    ) -> Self {
        let served = hpcs.into_iter().map(|hpc| {
            let name = hpc.name.clone();
            let served = HpcAccounts::new(hpc, deps, key);
            if let Err(error) = &served {
                tracing::warn!(hpc = name, %error, "no jobs can run there");
            }
            (name, served)
        });
        Self {
            served: served.collect(),
        }
    }

    fn get(&self, hpc: &str) -> Result<&HpcAccounts, Error> {
        match self.served.get(hpc) {
            Some(Ok(served)) => Ok(served),
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
        let Target { hpc, credential } = target;
        match (self.get(hpc)?, credential) {
            (HpcAccounts::Community(account), None) => Ok(Arc::clone(account)),
            (HpcAccounts::Community(_), Some(_)) => Err(only_community(hpc)),
            (HpcAccounts::Private(_), None) => Err(Error::NoLogin(hpc.to_owned())),
            (HpcAccounts::Private(accounts), Some(Credential { job_id, sealed })) => {
                accounts.open(job_id, sealed)
            }
        }
    }

    /// Whether each user logs in to that HPC with an account of their own.
    pub(crate) fn is_private(&self, hpc: &str) -> bool {
        matches!(self.get(hpc), Ok(HpcAccounts::Private(_)))
    }

    /// Logs in to a private account once, and seals what was given for `job`.
    ///
    /// # Errors
    /// [`Error::Password`] if the HPC refuses it, [`Error::Login`] if it cannot be
    /// asked; [`Error::Argument`] if the HPC has no private accounts, or that is
    /// none.
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

    /// How each HPC is, as far as it is known without asking it.
    pub(crate) fn noted(&self) -> Vec<(String, CheckResult)> {
        let finding = |served: &Result<HpcAccounts, Error>| {
            let trouble = match served {
                Ok(HpcAccounts::Community(account)) => account.remote.pool().trouble(),
                Ok(HpcAccounts::Private(accounts)) => accounts.trouble(),
                Err(error) => return Err(error.to_string()),
            };
            trouble.map_or(Ok(()), |reason| {
                Err(format!("logins are held back: {reason}"))
            })
        };
        let noted = self.served.iter();
        noted
            .map(|(name, served)| (name.clone(), finding(served)))
            .collect()
    }

    /// Forgets private accounts that nobody uses; never returns.
    pub(crate) async fn forget_idle_accounts(&self) {
        let private = || {
            self.served.values().filter_map(|served| match served {
                Ok(HpcAccounts::Private(accounts)) => Some(accounts),
                _ => None,
            })
        };
        loop {
            tokio::time::sleep(PrivateAccounts::LOOK_EVERY).await;
            for accounts in private() {
                accounts.forget_idle().await;
            }
        }
    }

    /// Ends all logins.
    pub(crate) async fn close(&self) {
        for served in self.served.values().flatten() {
            match served {
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
