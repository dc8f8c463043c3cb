//! One look at the scheduler for all jobs of an account.
//!
//! Each job that waits on its HPC is followed on a [`Board`]: one for the
//! community account, or one for each private account. Once a tick, as long as
//! anybody follows anything, one `JobStates` call asks about all of them. That the
//! call fails says nothing about any job: then nobody is told anything.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use compute_domain::{
    ErrorKind,
    ids::JobId,
    job::{JobObservation, SlurmJob},
};
use compute_proto::{ConnectorClient, RemoteError};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::{context::Context, hpc_port::HpcPort, meters};

/// The latest observation of a job, if there is one. A new one is always
/// announced, even if it says the same.
pub type Sight = Option<Result<JobObservation, Refused>>;

/// The HPC refuses the login of the job's owner, in these words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused(pub String);

/// The boards of one HPC.
#[derive(Debug, Default)]
pub struct Boards {
    community: Arc<Board>,
    /// By account; each is there, and asked for, only while somebody follows a job.
    private: Mutex<HashMap<String, Arc<Board>>>,
}

/// Who follows which job of one account.
#[derive(Debug, Default)]
pub struct Board {
    followed: Mutex<BTreeMap<JobId, Follower>>,
    begun: Notify,
}

#[derive(Debug)]
struct Follower {
    sights: watch::Sender<Sight>,
    job: SlurmJob,
    /// With the follower's login, where one is needed.
    connector: ConnectorClient,
}

/// Follows one job until it is dropped.
#[derive(Debug)]
pub struct Following {
    board: Arc<Board>,
    job: JobId,
    sights: watch::Receiver<Sight>,
}

impl Boards {
    /// Follows `job`, one of the private `account` or of the community
    /// account. The HPC is asked by the connector of `port`, or that of another
    /// follower of the same account.
    pub fn follow(
        self: &Arc<Self>,
        context: &Context,
        port: &HpcPort,
        account: Option<&str>,
        job: &SlurmJob,
    ) -> Following {
        let Some(account) = account else {
            return self.community.follow(job, port.connector.clone());
        };
        // Held until the job is on the board, which ends when there is none on it.
        let mut private = lock(&self.private);
        if let Some(board) = private.get(account) {
            return board.follow(job, port.connector.clone());
        }
        let board = Arc::new(Board::default());
        private.insert(account.to_owned(), Arc::clone(&board));
        let following = board.follow(job, port.connector.clone());
        let (boards, account) = (Arc::clone(self), account.to_owned());
        let (port, stop) = (port.clone(), context.shutdown.token.clone());
        context.shutdown.tasks.spawn(async move {
            while !stop.is_cancelled() {
                board.ask_while_followed(&port, &stop).await;
                if boards.end_if_idle(&account, &board) {
                    return;
                }
            }
        });
        following
    }

    fn end_if_idle(&self, account: &str, board: &Board) -> bool {
        let mut private = lock(&self.private);
        let is_idle = lock(&board.followed).is_empty();
        if is_idle {
            private.remove(account);
        }
        is_idle
    }

    /// Asks for the community account until `stop`.
    pub async fn run_community(&self, port: &HpcPort, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            self.community.ask_while_followed(port, stop).await;
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.community.begun.notified() => {}
            }
        }
    }
}

/// A panic elsewhere cannot leave a half-made map.
fn lock<T>(map: &Mutex<T>) -> MutexGuard<'_, T> {
    map.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Board {
    fn follow(self: &Arc<Self>, job: &SlurmJob, connector: ConnectorClient) -> Following {
        let (sender, sights) = watch::channel(None);
        let follower = Follower {
            sights: sender,
            job: job.clone(),
            connector,
        };
        let id = &job.mark.job;
        lock(&self.followed).insert(id.clone(), follower);
        self.begun.notify_one();
        Following {
            board: Arc::clone(self),
            job: id.clone(),
            sights,
        }
    }

    /// All that are followed, and by whose connector they are asked about.
    fn question(&self) -> Option<(Vec<SlurmJob>, JobId, ConnectorClient)> {
        let followed = lock(&self.followed);
        let (asker, Follower { connector, .. }) = followed.iter().next()?;
        let jobs = followed
            .values()
            .map(|follower| follower.job.clone())
            .collect();
        Some((jobs, asker.clone(), connector.clone()))
    }

    /// Tells what was `seen` of `jobs`, one for each, in that order.
    fn tell(&self, jobs: &[SlurmJob], seen: Vec<JobObservation>) {
        let followed = lock(&self.followed);
        for (job, observation) in jobs.iter().zip(seen) {
            let follower = followed
                .get(&job.mark.job)
                .filter(|follower| follower.job == *job);
            if let Some(follower) = follower {
                follower.sights.send_replace(Some(Ok(observation)));
            }
        }
    }

    /// Whose login is refused is told so; others may have a better one.
    fn tell_refused(&self, asker: &JobId, words: String) {
        if let Some(follower) = lock(&self.followed).get(asker) {
            follower.sights.send_replace(Some(Err(Refused(words))));
        }
    }

    /// Asks once a tick until nobody follows anything, or `stop`.
    async fn ask_while_followed(&self, port: &HpcPort, stop: &CancellationToken) {
        let mut tick = tokio::time::interval(port.hpc.poll_interval);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = tick.tick() => {}
            }
            let Some((jobs, asker, connector)) = self.question() else {
                return;
            };
            match connector.job_states(&jobs).await {
                Ok(seen) => {
                    meters::look(port.hpc_name(), "answered");
                    self.tell(&jobs, seen);
                }
                Err(RemoteError {
                    kind: ErrorKind::Unauthenticated,
                    message,
                }) => {
                    meters::look(port.hpc_name(), "no_login");
                    self.tell_refused(&asker, message);
                }
                Err(error) => {
                    meters::look(port.hpc_name(), "failed");
                    tracing::warn!(hpc = port.hpc_name(), %error, "could not ask about jobs");
                }
            }
        }
    }
}

impl Following {
    /// The next observation.
    ///
    /// # Errors
    /// [`Refused`] if there will be none with this login.
    pub async fn next(&mut self) -> Result<JobObservation, Refused> {
        loop {
            if self.sights.changed().await.is_err() {
                // Another follower of the same job took the place on the board:
                // this one is out of date, and its carrier learns so by its lease.
                std::future::pending::<()>().await;
            }
            if let Some(seen) = self.sights.borrow_and_update().clone() {
                return seen;
            }
        }
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let mut followed = lock(&self.board.followed);
        let mine = followed
            .get(&self.job)
            .is_some_and(|follower| follower.sights.subscribe().same_channel(&self.sights));
        if mine {
            followed.remove(&self.job);
        }
    }
}

#[cfg(test)]
mod tests {
    use compute_domain::job::{Mark, Phase};
    use compute_runtime::{grpc::Transport, tls::Role};

    use super::*;

    fn connector() -> ConnectorClient {
        let channel = Transport::Plain.channel("http://127.0.0.1:1", Role::Connector);
        ConnectorClient::for_hpc(channel.unwrap(), "local")
    }

    fn asked(board: &Board) -> Vec<String> {
        let jobs = board.question().map_or_else(Vec::new, |(jobs, _, _)| jobs);
        jobs.into_iter().map(|job| job.slurm_id).collect()
    }

    fn job(slurm_id: &str) -> SlurmJob {
        SlurmJob {
            slurm_id: slurm_id.to_owned(),
            mark: Mark {
                deployment: "compute".to_owned(),
                job: JobId::from_text(format!("job{slurm_id}")),
            },
        }
    }

    #[tokio::test]
    async fn only_what_is_followed_is_asked_about() {
        let board = Arc::new(Board::default());
        let (one, two) = (
            board.follow(&job("1"), connector()),
            board.follow(&job("2"), connector()),
        );
        assert_eq!(asked(&board), ["1", "2"]);
        drop(one);
        assert_eq!(asked(&board), ["2"]);
        let newer = board.follow(&job("2"), connector());
        drop(two);
        assert_eq!(asked(&board), ["2"], "the newer one follows it");
        drop(newer);
        assert!(board.question().is_none());
    }

    #[tokio::test]
    async fn a_refusal_is_told_to_whose_login_it_is() {
        let board = Arc::new(Board::default());
        let mut followers = [
            board.follow(&job("1"), connector()),
            board.follow(&job("2"), connector()),
        ];
        let (jobs, asker, _) = board.question().unwrap();
        board.tell_refused(&asker, "no".to_owned());
        for following in &mut followers {
            if following.job == asker {
                assert_eq!(following.next().await, Err(Refused("no".to_owned())));
            } else {
                assert!(!following.sights.has_changed().unwrap());
            }
        }
        let seen = JobObservation {
            slurm_id: jobs[0].slurm_id.clone(),
            phase: Phase::Running,
            started_at: None,
            reason: String::new(),
        };
        board.tell(&jobs[..1], vec![seen.clone()]);
        let of_asker = followers.iter_mut().find(|one| one.job == asker);
        assert_eq!(of_asker.unwrap().next().await, Ok(seen));
    }

    #[tokio::test]
    async fn a_private_account_is_forgotten_when_nobody_follows_its_jobs() {
        let boards = Boards::default();
        let board = Arc::new(Board::default());
        lock(&boards.private).insert("alice".to_owned(), Arc::clone(&board));
        let following = board.follow(&job("1"), connector());
        assert!(!boards.end_if_idle("alice", &board));
        drop(following);
        assert!(boards.end_if_idle("alice", &board));
        assert!(lock(&boards.private).is_empty());
    }
}
