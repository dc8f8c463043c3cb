//! Who is followed, and how jobs ended. Pure and bounded.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use compute_domain::{Timestamp, job::Phase};

use crate::scheduler::Listed;

/// A job that nobody has asked about for so long is followed no more.
const FOLLOWED_FOR: Duration = Duration::from_secs(600);

/// Ends that are remembered.
const MAX_ENDS: usize = 20_000;

/// What outlives a look.
#[derive(Debug, Default)]
pub(super) struct Memory {
    followed: BTreeMap<String, Timestamp>,
    ends: BTreeMap<String, Listed>,
    /// Ids of `ends`, oldest first.
    order: VecDeque<String>,
}

impl Memory {
    /// Somebody asks about these jobs.
    pub(super) fn follow(&mut self, ids: &[String], now: Timestamp) {
        self.followed.extend(ids.iter().map(|id| (id.clone(), now)));
    }

    /// Followed jobs that are not in the queue and whose end is not known.
    pub(super) fn gone(&self, queue: &BTreeMap<String, Listed>) -> Vec<String> {
        self.followed
            .keys()
            .filter(|id| !queue.contains_key(*id) && !self.ends.contains_key(*id))
            .cloned()
            .collect()
    }

    /// Followed jobs that the queue shows as ended are remembered; what it shows
    /// as alive contradicts what was remembered of that id.
    pub(super) fn saw_queue(&mut self, queue: &BTreeMap<String, Listed>) {
        let followed = |listed: &&Listed| self.followed.contains_key(&listed.seen.slurm_id);
        let seen: Vec<_> = queue.values().filter(followed).cloned().collect();
        let (ended, alive): (Vec<_>, Vec<_>) = seen
            .into_iter()
            .partition(|listed| matches!(listed.seen.phase, Phase::Ended(_)));
        for listed in alive {
            self.ends.remove(&listed.seen.slurm_id);
        }
        self.remember(ended);
    }

    /// These have ended.
    pub(super) fn remember(&mut self, ended: Vec<Listed>) {
        for listed in ended {
            let id = listed.seen.slurm_id.clone();
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

    /// How this job ended, if that is remembered.
    pub(super) fn end_of(&self, id: &str) -> Option<&Listed> {
        self.ends.get(id)
    }

    /// Stops following what nobody asks about any more.
    pub(super) fn forget_old(&mut self, now: Timestamp) {
        self.followed
            .retain(|_, asked| now.since(*asked) < FOLLOWED_FOR);
    }
}
