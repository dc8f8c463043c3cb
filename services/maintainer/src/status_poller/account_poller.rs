//! The subscriptions of one account, and the call that serves all of them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use compute_domain::{
    ErrorKind,
    ids::JobId,
    job::{JobObservation, SlurmJob},
};
use compute_proto::{ConnectorClient, RemoteError};
use tokio::sync::{Notify, watch};

use crate::meters;

/// The latest observation of a job, if there is one. A new one is always
/// published, even if it says the same.
type Latest = Option<Result<JobObservation, LoginRefused>>;

/// The HPC refuses the login of the job's owner, with this message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginRefused(pub String);

/// Who has subscribed to which job of one account.
#[derive(Debug, Default)]
pub(super) struct AccountPoller {
    subscribers: Mutex<BTreeMap<JobId, Subscriber>>,
    begun: Notify,
}

#[derive(Debug)]
struct Subscriber {
    latest: watch::Sender<Latest>,
    job: SlurmJob,
    /// With the owner's login, where one is needed.
    connector: ConnectorClient,
}

/// Observes one job until it is dropped.
#[derive(Debug)]
pub struct Subscription {
    poller: Arc<AccountPoller>,
    job: JobId,
    latest: watch::Receiver<Latest>,
}

/// A panic elsewhere cannot leave a half-made map.
pub(super) fn lock<T>(map: &Mutex<T>) -> MutexGuard<'_, T> {
    map.lock().unwrap_or_else(PoisonError::into_inner)
}

impl AccountPoller {
    pub(super) fn subscribe(
        self: &Arc<Self>,
        job: &SlurmJob,
        connector: ConnectorClient,
    ) -> Subscription {
        let (sender, latest) = watch::channel(None);
        let subscriber = Subscriber {
            latest: sender,
            job: job.clone(),
            connector,
        };
        let id = &job.mark.job;
        lock(&self.subscribers).insert(id.clone(), subscriber);
        self.begun.notify_one();
        Subscription {
            poller: Arc::clone(self),
            job: id.clone(),
            latest,
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        lock(&self.subscribers).is_empty()
    }

    /// Resolves when a job is subscribed to.
    pub(super) async fn subscribed(&self) {
        self.begun.notified().await;
    }

    /// All jobs that are subscribed to, and by whose connector they are asked about.
    fn question(&self) -> Option<(Vec<SlurmJob>, JobId, ConnectorClient)> {
        let subscribers = lock(&self.subscribers);
        let (asker, Subscriber { connector, .. }) = subscribers.iter().next()?;
        let jobs = subscribers
            .values()
            .map(|subscriber| subscriber.job.clone())
            .collect();
        Some((jobs, asker.clone(), connector.clone()))
    }

    /// Publishes what was `seen` of `jobs`, one for each, in that order.
    fn publish(&self, jobs: &[SlurmJob], seen: Vec<JobObservation>) {
        let subscribers = lock(&self.subscribers);
        for (job, observation) in jobs.iter().zip(seen) {
            let subscriber = subscribers
                .get(&job.mark.job)
                .filter(|subscriber| subscriber.job == *job);
            if let Some(subscriber) = subscriber {
                subscriber.latest.send_replace(Some(Ok(observation)));
            }
        }
    }

    /// The subscriber whose login is refused learns so; others may have a better one.
    fn publish_refused(&self, asker: &JobId, message: String) {
        if let Some(subscriber) = lock(&self.subscribers).get(asker) {
            let refused = Some(Err(LoginRefused(message)));
            subscriber.latest.send_replace(refused);
        }
    }

    /// Asks once per `interval` until nobody is subscribed.
    pub(super) async fn poll_while_subscribed(&self, hpc: &str, interval: Duration) {
        let mut tick = tokio::time::interval(interval);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            let Some((jobs, asker, connector)) = self.question() else {
                return;
            };
            match connector.job_states(&jobs).await {
                Ok(seen) => {
                    meters::look(hpc, "answered");
                    self.publish(&jobs, seen);
                }
                Err(RemoteError {
                    kind: ErrorKind::Unauthenticated,
                    message,
                }) => {
                    meters::look(hpc, "no_login");
                    self.publish_refused(&asker, message);
                }
                Err(error) => {
                    meters::look(hpc, "failed");
                    tracing::warn!(hpc, %error, "could not ask for the states of jobs");
                }
            }
        }
    }
}

impl Subscription {
    /// The next observation.
    ///
    /// # Errors
    /// [`LoginRefused`] if there will be none with this login.
    pub async fn next(&mut self) -> Result<JobObservation, LoginRefused> {
        loop {
            if self.latest.changed().await.is_err() {
                // Another subscription of the same job has replaced this one: its runner is
                // out of date, and learns so by its lease.
                std::future::pending::<()>().await;
            }
            if let Some(seen) = self.latest.borrow_and_update().clone() {
                return seen;
            }
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut subscribers = lock(&self.poller.subscribers);
        let mine = subscribers
            .get(&self.job)
            .is_some_and(|subscriber| subscriber.latest.subscribe().same_channel(&self.latest));
        if mine {
            subscribers.remove(&self.job);
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use compute_domain::job::{Mark, Phase};
    use compute_runtime::{grpc::Transport, tls::Role};

    use super::*;

    pub(crate) fn connector() -> ConnectorClient {
        let channel = Transport::Plain.channel("http://127.0.0.1:1", Role::Connector);
        ConnectorClient::for_hpc(channel.unwrap(), "hpc")
    }

    pub(crate) fn job(slurm_id: &str) -> SlurmJob {
        SlurmJob {
            slurm_id: slurm_id.to_owned(),
            mark: Mark {
                deployment: "compute".to_owned(),
                job: JobId::from_text(format!("job{slurm_id}")),
            },
        }
    }

    fn asked(poller: &AccountPoller) -> Vec<String> {
        let jobs = poller.question().map_or_else(Vec::new, |(jobs, _, _)| jobs);
        jobs.into_iter().map(|job| job.slurm_id).collect()
    }

    #[tokio::test]
    async fn only_jobs_with_a_subscription_are_asked_about() {
        let poller = Arc::new(AccountPoller::default());
        let (one, two) = (
            poller.subscribe(&job("1"), connector()),
            poller.subscribe(&job("2"), connector()),
        );
        assert_eq!(asked(&poller), ["1", "2"]);
        drop(one);
        assert_eq!(asked(&poller), ["2"]);
        let newer = poller.subscribe(&job("2"), connector());
        drop(two);
        assert_eq!(asked(&poller), ["2"], "the newer one is subscribed");
        drop(newer);
        assert!(poller.question().is_none());
    }

    #[tokio::test]
    async fn a_refused_login_is_published_to_its_owner_alone() {
        let poller = Arc::new(AccountPoller::default());
        let mut subscriptions = [
            poller.subscribe(&job("1"), connector()),
            poller.subscribe(&job("2"), connector()),
        ];
        let (jobs, asker, _) = poller.question().unwrap();
        poller.publish_refused(&asker, "no".to_owned());
        for subscription in &mut subscriptions {
            if subscription.job == asker {
                let refused = LoginRefused("no".to_owned());
                assert_eq!(subscription.next().await, Err(refused));
            } else {
                assert!(!subscription.latest.has_changed().unwrap());
            }
        }
        let seen = JobObservation {
            slurm_id: jobs[0].slurm_id.clone(),
            phase: Phase::Running,
            started_at: None,
            reason: String::new(),
        };
        poller.publish(&jobs[..1], vec![seen.clone()]);
        let of_asker = subscriptions.iter_mut().find(|one| one.job == asker);
        assert_eq!(of_asker.unwrap().next().await, Ok(seen));
    }
}
