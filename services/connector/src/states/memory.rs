//! Who is followed, and how jobs ended. Pure and bounded.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use compute_domain::{
    Timestamp,
    job::{JobObservation, Phase},
};

/// A job that nobody has asked about for so long is followed no more.
const FOLLOWED_FOR: Duration = Duration::from_secs(600);

/// Ends that are remembered.
const MAX_ENDS: usize = 20_000;

/// What outlives a look.
#[derive(Debug, Default)]
pub(super) struct Memory {
    followed: BTreeMap<String, Timestamp>,
    ends: BTreeMap<String, JobObservation>,
    /// Ids of `ends`, oldest first.
    order: VecDeque<String>,
}

impl Memory {
    /// Somebody asks about these jobs.
    pub(super) fn follow(&mut self, ids: &[String], now: Timestamp) {
        self.followed.extend(ids.iter().map(|id| (id.clone(), now)));
    }

    /// Followed jobs that are not in the queue and whose end is not known.
    pub(super) fn gone(&self, queue: &BTreeMap<String, JobObservation>) -> Vec<String> {
        self.followed
            .keys()
            .filter(|id| !queue.contains_key(*id) && !self.ends.contains_key(*id))
            .cloned()
            .collect()
    }

    /// Followed jobs that the queue shows as ended are remembered; what it shows
    /// as alive contradicts what was remembered of that id.
    pub(super) fn saw_queue(&mut self, queue: &BTreeMap<String, JobObservation>) {
        let followed = |seen: &&JobObservation| self.followed.contains_key(&seen.slurm_id);
        let seen: Vec<_> = queue.values().filter(followed).cloned().collect();
        let (ended, alive): (Vec<_>, Vec<_>) = seen
            .into_iter()
            .partition(|seen| matches!(seen.phase, Phase::Ended(_)));
        for seen in alive {
            self.ends.remove(&seen.slurm_id);
        }
        self.remember(ended);
    }

    /// These have ended.
    pub(super) fn remember(&mut self, ended: Vec<JobObservation>) {
        for seen in ended {
            let id = seen.slurm_id.clone();
            if self.ends.insert(id.clone(), seen).is_none() {
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
    pub(super) fn end_of(&self, id: &str) -> Option<&JobObservation> {
        self.ends.get(id)
    }

    /// Stops following what nobody asks about any more.
    pub(super) fn forget_old(&mut self, now: Timestamp) {
        self.followed
            .retain(|_, asked| now.since(*asked) < FOLLOWED_FOR);
    }
}
