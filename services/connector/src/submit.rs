//! Submissions, one at a time for each job.
//!
//! Files in the private folder of a job ensure that it is submitted exactly once
//! (`scripts/submit.sh`), across restarts of this process. Here, calls for a job whose
//! submission is in progress join it, and a submission continues when its caller goes
//! away.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use compute_domain::{
    ids::JobId,
    job::{Mark, is_deployment_name},
};
use compute_proto::Submitted;
use futures::{
    FutureExt as _,
    future::{BoxFuture, Shared},
};
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use crate::{
    error::Error,
    fence::Fence,
    scheduler::{Scheduler, Submission},
};

type SharedResult = Shared<BoxFuture<'static, Result<Submitted, Error>>>;

/// Id of the job, and fence of the caller.
type Key = (String, Fence);

/// The submissions to one scheduler that are in progress.
pub(crate) struct Submissions {
    scheduler: Arc<dyn Scheduler>,
    tasks: TaskTracker,
    in_progress: Arc<Mutex<HashMap<Key, SharedResult>>>,
}

impl Submissions {
    /// Submissions to `scheduler`; they run in `tasks`.
    pub(crate) fn new(scheduler: Arc<dyn Scheduler>, tasks: TaskTracker) -> Self {
        Self {
            scheduler,
            tasks,
            in_progress: Arc::default(),
        }
    }

    /// Submits the script of a job, or joins the submission of this job with this fence that
    /// is in progress.
    ///
    /// # Errors
    /// Those of [`Scheduler::submit`]; [`Error::Argument`] if the mark is invalid.
    pub(crate) async fn submit(&self, submission: Submission) -> Result<Submitted, Error> {
        check_mark(&submission.mark)?;
        self.join_or_start(submission).await
    }

    /// The id of a job in the scheduler, whose submission was attempted.
    ///
    /// # Errors
    /// Those of [`Scheduler::find_submission`]; [`Error::Argument`] if the mark is invalid.
    pub(crate) async fn find(&self, submission: &Submission) -> Result<Option<String>, Error> {
        check_mark(&submission.mark)?;
        let in_progress = lock(&self.in_progress).get(&key(submission)).cloned();
        if let Some(result) = in_progress {
            // The search finds its result.
            drop(result.await);
        }
        self.scheduler.find_submission(submission).await
    }

    fn join_or_start(&self, submission: Submission) -> SharedResult {
        let mut in_progress = lock(&self.in_progress);
        let key = key(&submission);
        if let Some(result) = in_progress.get(&key) {
            return result.clone();
        }
        let (scheduler, submissions) = (Arc::clone(&self.scheduler), Arc::clone(&self.in_progress));
        let leave = Leave {
            submissions,
            key: key.clone(),
        };
        let submit = async move {
            let _leave = leave;
            scheduler.submit(&submission).await
        };
        let task = self.tasks.spawn(submit.in_current_span());
        let result = async move {
            task.await
                .unwrap_or_else(|error| Err(Error::Internal(format!("submit: {error}"))))
        };
        let result = result.boxed().shared();
        in_progress.insert(key, result.clone());
        result
    }
}

/// A caller does not join a submission with another fence: the HPC may reject that one.
fn key(submission: &Submission) -> Key {
    (submission.mark.job.to_string(), submission.fence.clone())
}

/// Checks that name and comment of a job can be searched for and compared: the comment is
/// read from a line of `squeue`.
///
/// # Errors
/// [`Error::Argument`] if they cannot.
pub(crate) fn check_mark(mark: &Mark) -> Result<(), Error> {
    let Mark { deployment, job } = mark;
    let fits = JobId::parse(job.as_str()).is_some() && is_deployment_name(deployment);
    fits.then_some(()).ok_or_else(|| {
        Error::Argument(format!(
            "{:?} is not the id of a job of deployment {deployment:?}",
            job.as_str()
        ))
    })
}

/// Removes a submission from the map, however it ends.
struct Leave {
    submissions: Arc<Mutex<HashMap<Key, SharedResult>>>,
    key: Key,
}

impl Drop for Leave {
    fn drop(&mut self) {
        lock(&self.submissions).remove(&self.key);
    }
}

fn lock(
    in_progress: &Mutex<HashMap<Key, SharedResult>>,
) -> MutexGuard<'_, HashMap<Key, SharedResult>> {
    // A panic elsewhere cannot leave the map inconsistent.
    in_progress.lock().unwrap_or_else(PoisonError::into_inner)
}
