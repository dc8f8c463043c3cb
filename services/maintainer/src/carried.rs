//! The jobs that this process carries, and how to reach their carriers.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use compute_domain::{
    ids::{JobId, UserId},
    job::Intent,
};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

/// What the owner of a job wants, and who said so.
pub type Wish = Option<(Intent, UserId)>;

/// What a carrier is told while it works.
#[derive(Debug, Clone)]
pub struct Signals {
    /// The owner's latest wish.
    pub wish: watch::Receiver<Wish>,
    /// Something about the job may have changed.
    pub look: Arc<Notify>,
    /// Set when another maintainer has the job now.
    pub lost: CancellationToken,
}

#[derive(Debug)]
struct Line {
    wish: watch::Sender<Wish>,
    look: Arc<Notify>,
    lost: CancellationToken,
    fence: i64,
}

/// The register of carried jobs.
#[derive(Debug, Clone, Default)]
pub struct Carried {
    lines: Arc<Mutex<HashMap<JobId, Line>>>,
}

impl Carried {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<JobId, Line>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters a job taken with `fence`; `None` if it is carried with that fence
    /// already. A carrier with an older fence is told that it lost the job.
    pub fn enter(&self, id: &JobId, fence: i64, wish: Wish) -> Option<Signals> {
        let mut lines = self.lock();
        if lines.get(id).is_some_and(|line| line.fence == fence) {
            return None;
        }
        let (sender, receiver) = watch::channel(wish);
        let lost = CancellationToken::new();
        let look = Arc::new(Notify::new());
        let line = Line {
            wish: sender,
            look: Arc::clone(&look),
            lost: lost.clone(),
            fence,
        };
        if let Some(older) = lines.insert(id.clone(), line) {
            older.lost.cancel();
        }
        Some(Signals {
            wish: receiver,
            look,
            lost,
        })
    }

    /// Takes a job off, if it is still the one with `fence`.
    pub fn leave(&self, id: &JobId, fence: i64) {
        let mut lines = self.lock();
        if lines.get(id).is_some_and(|line| line.fence == fence) {
            lines.remove(id);
        }
    }

    /// Passes on what the job's owner wants; false if the job is not here.
    pub fn tell(&self, id: &JobId, wish: Wish) -> bool {
        self.lock().get(id).is_some_and(|line| {
            line.wish.send_if_modified(|held| {
                let changed = *held != wish;
                *held = wish;
                changed
            });
            true
        })
    }

    /// Makes the job's carrier look at what it waits for.
    pub fn nudge(&self, id: &JobId) {
        if let Some(line) = self.lock().get(id) {
            line.look.notify_one();
        }
    }

    /// Compares what was carried `before` the store was asked with what it says
    /// this process `still` carries (job, fence): what is not there is lost. A job
    /// taken in between is in neither, and stays.
    pub fn drop_lost(&self, before: &HashMap<JobId, i64>, still: &HashMap<JobId, i64>) {
        let lines = self.lock();
        for (id, fence) in before {
            let lost = still.get(id) != Some(fence);
            if let Some(line) = lines.get(id).filter(|line| lost && line.fence == *fence) {
                line.lost.cancel();
            }
        }
    }

    /// Ids and fences of all.
    pub fn snapshot(&self) -> HashMap<JobId, i64> {
        self.lock()
            .iter()
            .map(|(id, line)| (id.clone(), line.fence))
            .collect()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> JobId {
        JobId::from_text("1")
    }

    #[test]
    fn a_newer_fence_displaces_an_older_one() {
        let carried = Carried::default();
        let old = carried.enter(&id(), 1, None).unwrap();
        let new = carried.enter(&id(), 2, None).unwrap();
        assert!(
            carried.enter(&id(), 2, None).is_none(),
            "one carrier for each fence"
        );
        assert!(old.lost.is_cancelled());
        assert!(!new.lost.is_cancelled());
        carried.leave(&id(), 1);
        assert_eq!(
            carried.len(),
            1,
            "the older carrier must not take the newer one off"
        );
    }

    #[test]
    fn who_is_not_in_the_store_has_lost_its_job() {
        let carried = Carried::default();
        let signals = carried.enter(&id(), 3, None).unwrap();
        let before = carried.snapshot();
        carried.drop_lost(&before, &HashMap::from([(id(), 3)]));
        carried.drop_lost(&HashMap::new(), &HashMap::new());
        assert!(!signals.lost.is_cancelled());
        carried.drop_lost(&before, &HashMap::from([(id(), 4)]));
        assert!(signals.lost.is_cancelled());
    }

    #[test]
    fn a_wish_reaches_its_carrier() {
        let carried = Carried::default();
        let signals = carried.enter(&id(), 1, None).unwrap();
        let wish = Some((Intent::Cancel, UserId::from_text("alice@hub")));
        assert!(carried.tell(&id(), wish.clone()));
        assert_eq!(*signals.wish.borrow(), wish);
        assert!(!carried.tell(&JobId::from_text("2"), wish));
    }
}
