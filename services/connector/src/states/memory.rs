//! Followed jobs, and how jobs ended. Pure and bounded.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use compute_domain::{Timestamp, job::Phase};

use crate::scheduler::Listed;

/// Time after the last request about a job until it is no longer followed.
const FOLLOWED_FOR: Duration = Duration::from_secs(600);

/// Maximum number of remembered ends.
const MAX_ENDS: usize = 20_000;

/// What is kept between queries.
#[derive(Debug, Default)]
pub(super) struct Memory {
    followed: BTreeMap<String, Timestamp>,
    ends: BTreeMap<String, Listed>,
    /// Ids of `ends`, oldest first.
    order: VecDeque<String>,
}

impl Memory {
    /// Follows these jobs.
    pub(super) fn follow(&mut self, ids: &[String], now: Timestamp) {
        self.followed.extend(ids.iter().map(|id| (id.clone(), now)));
    }

    /// Followed jobs that are not in the queue and whose end is unknown.
    pub(super) fn gone(&self, queue: &BTreeMap<String, Listed>) -> Vec<String> {
        self.followed
            .keys()
            .filter(|id| !queue.contains_key(*id) && !self.ends.contains_key(*id))
            .cloned()
            .collect()
    }

    /// Remembers followed jobs that have ended according to the queue. An active job in
    /// the queue overrides a remembered end of the same id.
    pub(super) fn saw_queue(&mut self, queue: &BTreeMap<String, Listed>) {
        let followed = |listed: &&Listed| self.followed.contains_key(&listed.observation.slurm_id);
        let known: Vec<_> = queue.values().filter(followed).cloned().collect();
        let (ended, alive): (Vec<_>, Vec<_>) = known
            .into_iter()
            .partition(|listed| matches!(listed.observation.phase, Phase::Ended(_)));
        for listed in alive {
            self.ends.remove(&listed.observation.slurm_id);
        }
        self.remember(ended);
    }

    /// Remembers how these jobs ended; those that have not are left out.
    pub(super) fn remember(&mut self, accounted: impl IntoIterator<Item = Listed>) {
        for listed in accounted {
            if !matches!(listed.observation.phase, Phase::Ended(_)) {
                continue;
            }
            let id = listed.observation.slurm_id.clone();
            if self.ends.insert(id.clone(), listed).is_none() {
                self.order.push_back(id);
            }
        }
        while self.order.len() > MAX_ENDS {
            if let Some(id) = self.order.pop_front() {
                self.ends.remove(&id);
            }
        }
    }

    /// How a job ended, if it is remembered.
    pub(super) fn end_of(&self, id: &str) -> Option<&Listed> {
        self.ends.get(id)
    }

    /// Stops following jobs without recent requests.
    pub(super) fn forget_old(&mut self, now: Timestamp) {
        self.followed
            .retain(|_, asked| now.since(*asked) < FOLLOWED_FOR);
    }
}
