//! Polls the scheduler for the states of all jobs of an HPC that wait there.
//!
//! A job subscribes with the poller of its account: one for the community account, or one for
//! each private account. Once per `poll_interval`, as long as there is a subscription, one
//! `JobStates` call asks about all of them. A call that fails says nothing about any job: then
//! nothing is published.

mod account_poller;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use compute_domain::job::SlurmJob;
use compute_proto::ConnectorClient;
use compute_runtime::shutdown::Shutdown;

pub use account_poller::{LoginRefused, Subscription};

use account_poller::{AccountPoller, lock};

/// The poller of one HPC.
#[derive(Debug)]
pub struct StatusPoller {
    hpc: String,
    interval: Duration,
    shutdown: Shutdown,
    community: Arc<AccountPoller>,
    /// By account; each exists only while it has subscriptions.
    private: Mutex<HashMap<String, Arc<AccountPoller>>>,
}

impl StatusPoller {
    /// A poller of `hpc`, which asks once per `interval`. Nothing runs yet.
    pub fn new(hpc: &str, interval: Duration, shutdown: Shutdown) -> Self {
        Self {
            hpc: hpc.to_owned(),
            interval,
            shutdown,
            community: Arc::default(),
            private: Mutex::default(),
        }
    }

    /// Subscribes to `job`, one of the private `account` or of the community account. The
    /// HPC is asked through `connector`, or that of another subscriber of the same account.
    pub fn subscribe(
        self: &Arc<Self>,
        account: Option<&str>,
        job: &SlurmJob,
        connector: ConnectorClient,
    ) -> Subscription {
        let Some(account) = account else {
            return self.community.subscribe(job, connector);
        };
        // Locked until the job is subscribed: an account without subscriptions is removed.
        let mut private = lock(&self.private);
        if let Some(poller) = private.get(account) {
            return poller.subscribe(job, connector);
        }
        let poller = Arc::new(AccountPoller::default());
        private.insert(account.to_owned(), Arc::clone(&poller));
        let subscription = poller.subscribe(job, connector);
        let (this, account) = (Arc::clone(self), account.to_owned());
        self.shutdown.tasks.spawn(async move {
            while !this.shutdown.token.is_cancelled() {
                this.poll(&poller).await;
                if this.remove_if_idle(&account, &poller) {
                    return;
                }
            }
        });
        subscription
    }

    fn remove_if_idle(&self, account: &str, poller: &AccountPoller) -> bool {
        let mut private = lock(&self.private);
        let is_idle = poller.is_idle();
        if is_idle {
            private.remove(account);
        }
        is_idle
    }

    /// Polls the community account until the process stops.
    pub async fn run_community(&self) {
        let stop = &self.shutdown.token;
        while !stop.is_cancelled() {
            self.poll(&self.community).await;
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.community.subscribed() => {}
            }
        }
    }

    async fn poll(&self, poller: &AccountPoller) {
        let polling = poller.poll_while_subscribed(&self.hpc, self.interval);
        self.shutdown.token.run_until_cancelled(polling).await;
    }
}

#[cfg(test)]
mod tests {
    use super::{account_poller::tests, *};

    #[tokio::test]
    async fn a_private_account_is_forgotten_without_subscriptions() {
        let poller = StatusPoller::new("hpc", Duration::from_secs(1), Shutdown::default());
        let account = Arc::new(AccountPoller::default());
        lock(&poller.private).insert("alice".to_owned(), Arc::clone(&account));
        let subscription = account.subscribe(&tests::job("1"), tests::connector());
        assert!(!poller.remove_if_idle("alice", &account));
        drop(subscription);
        assert!(poller.remove_if_idle("alice", &account));
        assert!(lock(&poller.private).is_empty());
    }
}
