//! One look at the scheduler for all jobs of an HPC.
//!
//! Each job that waits on its HPC follows its Slurm id on the [`Board`]. Once a
//! tick, as long as anybody follows anything, one `JobStates` call asks about
//! all of them. That the call fails says nothing about any job: then nobody is
//! told anything.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use compute_domain::job::JobObservation;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::hpc_port::HpcPort;

/// The latest observation of a job, if there is one. A new one is always
/// announced, even if it says the same.
pub type Sight = Option<JobObservation>;

/// Who follows which Slurm id on one HPC.
#[derive(Debug, Default)]
pub struct Board {
    followed: Mutex<HashMap<String, watch::Sender<Sight>>>,
    begun: Notify,
}

/// Follows one Slurm id until it is dropped.
#[derive(Debug)]
pub struct Following {
    board: Arc<Board>,
    slurm_id: String,
    sights: watch::Receiver<Sight>,
}

impl Board {
    /// Follows `slurm_id`.
    pub fn follow(self: &Arc<Self>, slurm_id: &str) -> Following {
        let (sender, sights) = watch::channel(None);
        self.lock().insert(slurm_id.to_owned(), sender);
        self.begun.notify_one();
        Following {
            board: Arc::clone(self),
            slurm_id: slurm_id.to_owned(),
            sights,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, watch::Sender<Sight>>> {
        // A panic elsewhere cannot leave a half-made map.
        self.followed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn slurm_ids(&self) -> Vec<String> {
        self.lock().keys().cloned().collect()
    }

    fn tell(&self, seen: Vec<JobObservation>) {
        let followed = self.lock();
        for observation in seen {
            if let Some(sender) = followed.get(&observation.slurm_id) {
                sender.send_replace(Some(observation));
            }
        }
    }

    /// Asks once a tick until `stop`.
    pub async fn run(&self, port: &HpcPort, stop: &CancellationToken) {
        let mut tick = tokio::time::interval(port.hpc.poll_interval);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let ids = self.slurm_ids();
            if ids.is_empty() {
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = self.begun.notified() => continue,
                }
            }
            tokio::select! {
                () = stop.cancelled() => return,
                _ = tick.tick() => {}
            }
            match port
                .connector
                .job_states(port.hpc_name(), &self.slurm_ids())
                .await
            {
                Ok(seen) => self.tell(seen),
                Err(error) => {
                    tracing::warn!(hpc = port.hpc_name(), %error, "could not ask about jobs");
                }
            }
        }
    }
}

impl Following {
    /// The next observation.
    pub async fn next(&mut self) -> JobObservation {
        loop {
            if self.sights.changed().await.is_err() {
                // Another follower of the same id took the place on the board:
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
        let mut followed = self.board.lock();
        let mine = followed
            .get(&self.slurm_id)
            .is_some_and(|sender| sender.subscribe().same_channel(&self.sights));
        if mine {
            followed.remove(&self.slurm_id);
        }
    }
}
