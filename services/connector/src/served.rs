//! The HPCs that this connector owns, each with the accounts that are used there.

use std::{collections::BTreeMap, sync::Arc};

use compute_domain::site::Hpc;
use compute_proto::wire::Credential;
use compute_runtime::{health::Finding, seal::SealingKey};
use secrecy::SecretString;

use crate::{
    account::{Account, Surroundings},
    error::Error,
    private_accounts::PrivateAccounts,
    target::Target,
};

/// One HPC.
enum Served {
    /// All jobs run as one account.
    Community(Arc<Account>),
    /// Each job runs as its owner's own.
    Private(Box<PrivateAccounts>),
}

/// All of them, by name. An HPC without a login answers why there is none.
pub(crate) struct Directory {
    served: BTreeMap<String, Result<Served, Error>>,
}

impl Served {
    fn new(hpc: Hpc, around: &Surroundings, key: Option<&Arc<SealingKey>>) -> Result<Self, Error> {
        let hpc = Arc::new(hpc);
        if hpc.is_community_account {
            let target = Target::community(&hpc)?;
            return Ok(Self::Community(Arc::new(Account::new(hpc, target, around))));
        }
        let key = key.ok_or_else(|| Error::NoLogin(hpc.name.clone()))?;
        let accounts = PrivateAccounts::new(hpc, around.clone(), Arc::clone(key))?;
        Ok(Self::Private(Box::new(accounts)))
    }
}

impl Directory {
    /// Gets everything ready; connects to nothing yet. `key` seals what owners give
    /// of their private accounts.
    pub(crate) fn new(
        hpcs: impl IntoIterator<Item = Hpc>,
        around: &Surroundings,
        key: Option<&Arc<SealingKey>>,
    ) -> Self {
        let served = hpcs.into_iter().map(|hpc| {
            let name = hpc.name.clone();
            let served = Served::new(hpc, around, key);
            if let Err(error) = &served {
                tracing::warn!(hpc = name, %error, "no jobs can run there");
            }
            (name, served)
        });
        Self {
            served: served.collect(),
        }
    }

    fn get(&self, hpc: &str) -> Result<&Served, Error> {
        match self.served.get(hpc) {
            Some(Ok(served)) => Ok(served),
            Some(Err(error)) => Err(error.clone()),
            None => Err(Error::UnknownHpc(hpc.to_owned())),
        }
    }

    /// The account on that HPC that a call is for.
    ///
    /// # Errors
    /// [`Error::UnknownHpc`] if there is no such HPC, [`Error::NoLogin`] if nobody
    /// can log in there, or a login is needed and missing; [`Error::Password`] if
    /// the credential cannot be opened.
    pub(crate) fn account(
        &self,
        hpc: &str,
        credential: Option<&Credential>,
    ) -> Result<Arc<Account>, Error> {
        match (self.get(hpc)?, credential) {
            (Served::Community(account), None) => Ok(Arc::clone(account)),
            (Served::Community(_), Some(_)) => Err(Error::Argument(format!(
                "HPC {hpc} has a community account, and takes no other login"
            ))),
            (Served::Private(_), None) => Err(Error::NoLogin(hpc.to_owned())),
            (Served::Private(accounts), Some(Credential { job_id, sealed })) => {
                accounts.open(job_id, sealed)
            }
        }
    }

    /// Whether each user logs in to that HPC with an account of their own.
    pub(crate) fn is_private(&self, hpc: &str) -> bool {
        matches!(self.get(hpc), Ok(Served::Private(_)))
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
            Served::Private(accounts) => accounts.check(job, user, password).await,
            Served::Community(_) => Err(Error::Argument(format!(
                "HPC {hpc} has a community account, and takes no other login"
            ))),
        }
    }

    /// How each HPC is, as far as it is known without asking it.
    pub(crate) fn noted(&self) -> Vec<(String, Finding)> {
        let finding = |served: &Result<Served, Error>| {
            let trouble = match served {
                Ok(Served::Community(account)) => account.remote.pool().trouble(),
                Ok(Served::Private(accounts)) => accounts.trouble(),
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
                Ok(Served::Private(accounts)) => Some(accounts),
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
                Served::Community(account) => account.remote.pool().close().await,
                Served::Private(accounts) => accounts.close().await,
            }
        }
    }
}
