//! The jobs that run in this process, and how to reach their runners.

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

/// What is to be done with a job, and who wants it.
pub type RequestedIntent = Option<(Intent, UserId)>;

/// What reaches a runner while it works.
#[derive(Debug, Clone)]
pub struct Signals {
    /// The latest intent.
    pub intent: watch::Receiver<RequestedIntent>,
    /// Something about the job may have changed.
    pub look: Arc<Notify>,
    /// Set when another maintainer has the job now.
    pub lost: CancellationToken,
}

#[derive(Debug)]
struct ActiveJob {
    intent: watch::Sender<RequestedIntent>,
    look: Arc<Notify>,
    lost: CancellationToken,
    fence: i64,
}

/// The register of running jobs.
#[derive(Debug, Clone, Default)]
pub struct ActiveJobs {
    jobs: Arc<Mutex<HashMap<JobId, ActiveJob>>>,
}

impl ActiveJobs {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<JobId, ActiveJob>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters a job taken with `fence`; `None` if it runs with that fence or a newer one
    /// already. A runner with an older fence learns that it has lost the job.
    pub fn enter(&self, id: &JobId, fence: i64, intent: RequestedIntent) -> Option<Signals> {
        let mut jobs = self.lock();
        if jobs.get(id).is_some_and(|job| job.fence >= fence) {
            return None;
        }
        let (sender, receiver) = watch::channel(intent);
        let lost = CancellationToken::new();
        let look = Arc::new(Notify::new());
        let job = ActiveJob {
            intent: sender,
            look: Arc::clone(&look),
            lost: lost.clone(),
            fence,
        };
        if let Some(older) = jobs.insert(id.clone(), job) {
            older.lost.cancel();
        }
        Some(Signals {
            intent: receiver,
            look,
            lost,
        })
    }

    /// Removes a job, if it is still the one with `fence`.
    pub fn leave(&self, id: &JobId, fence: i64) {
        let mut jobs = self.lock();
        if jobs.get(id).is_some_and(|job| job.fence == fence) {
            jobs.remove(id);
        }
    }

    /// Passes an intent to the job's runner; false if the job does not run here.
    pub fn set_intent(&self, id: &JobId, intent: RequestedIntent) -> bool {
        self.lock().get(id).is_some_and(|job| {
            job.intent.send_if_modified(|known| {
                let changed = *known != intent;
                *known = intent;
                changed
            });
            true
        })
    }

    /// Passes an intent of which a request was made to the job's runner; false if the job does
    /// not run here. If the intent is known already, the runner acts on it once more.
    pub fn request(&self, id: &JobId, intent: RequestedIntent) -> bool {
        let is_known = match self.lock().get(id) {
            Some(job) => *job.intent.borrow() == intent,
            None => return false,
        };
        if is_known {
            self.nudge(id);
            return true;
        }
        self.set_intent(id, intent)
    }

    /// Forgets an intent that is fulfilled or refused; a newer one stays.
    pub fn clear_intent(&self, id: &JobId, fulfilled: Intent) {
        if let Some(job) = self.lock().get(id) {
            job.intent.send_if_modified(|known| {
                let is_same = matches!(known, Some((intent, _)) if *intent == fulfilled);
                if is_same {
                    *known = None;
                }
                is_same
            });
        }
    }

    /// Makes the job's runner look at what it waits for.
    pub fn nudge(&self, id: &JobId) {
        if let Some(job) = self.lock().get(id) {
            job.look.notify_one();
        }
    }

    /// Compares the jobs that ran here `before` the leases were renewed with those that
    /// this process `still` leases (job, fence): the others are lost. A job taken in between
    /// is in neither, and stays.
    pub fn drop_lost(&self, before: &HashMap<JobId, i64>, still: &HashMap<JobId, i64>) {
        let jobs = self.lock();
        for (id, fence) in before {
            let lost = still.get(id) != Some(fence);
            if let Some(job) = jobs.get(id).filter(|job| lost && job.fence == *fence) {
                job.lost.cancel();
            }
        }
    }

    /// Ids and fences of all.
    pub fn snapshot(&self) -> HashMap<JobId, i64> {
        self.lock()
            .iter()
            .map(|(id, job)| (id.clone(), job.fence))
            .collect()
    }

    /// Number of jobs that run here.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether no job runs here.
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
        let active = ActiveJobs::default();
        let old = active.enter(&id(), 1, None).unwrap();
        let new = active.enter(&id(), 2, None).unwrap();
        assert!(
            active.enter(&id(), 2, None).is_none(),
            "one runner for each fence"
        );
        assert!(old.lost.is_cancelled());
        assert!(active.enter(&id(), 1, None).is_none(), "it is too late");
        assert!(!new.lost.is_cancelled());
        active.leave(&id(), 1);
        assert_eq!(
            active.len(),
            1,
            "the older runner must not remove the newer one"
        );
    }

    #[test]
    fn a_job_that_is_not_leased_any_more_is_lost() {
        let active = ActiveJobs::default();
        let signals = active.enter(&id(), 3, None).unwrap();
        let before = active.snapshot();
        active.drop_lost(&before, &HashMap::from([(id(), 3)]));
        active.drop_lost(&HashMap::new(), &HashMap::new());
        assert!(!signals.lost.is_cancelled());
        active.drop_lost(&before, &HashMap::from([(id(), 4)]));
        assert!(signals.lost.is_cancelled());
    }

    #[test]
    fn an_intent_reaches_its_runner() {
        let active = ActiveJobs::default();
        let signals = active.enter(&id(), 1, None).unwrap();
        let intent = Some((Intent::Cancel, UserId::from_text("alice@hub")));
        assert!(active.set_intent(&id(), intent.clone()));
        assert_eq!(*signals.intent.borrow(), intent);
        assert!(!active.set_intent(&JobId::from_text("2"), intent));
    }
}
