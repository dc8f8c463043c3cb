//! Submissions, one at a time for each job.
//!
//! That a job is submitted once and only once is kept by files in its private folder
//! (`scripts/submit.sh`), and holds across restarts of this process. Here, calls
//! for a job whose submission is under way join it, and a submission goes on when
//! its caller has gone.

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

use crate::{error::Error, paths::RemotePath, scheduler::Scheduler};

type Answer = Shared<BoxFuture<'static, Result<Submitted, Error>>>;

/// The submissions to one scheduler that are under way.
pub(crate) struct Submissions {
    scheduler: Arc<dyn Scheduler>,
    tasks: TaskTracker,
    under_way: Arc<Mutex<HashMap<String, Answer>>>,
}

impl Submissions {
    /// Submissions to `scheduler`; they run in `tasks`.
    pub(crate) fn new(scheduler: Arc<dyn Scheduler>, tasks: TaskTracker) -> Self {
        Self {
            scheduler,
            tasks,
            under_way: Arc::default(),
        }
    }

    /// Submits the script of the job in `mark`, or joins the submission of this job
    /// that is under way. `legacy` is where the version before may have left marks.
    ///
    /// # Errors
    /// Those of [`Scheduler::submit`]; [`Error::Argument`] if it cannot be a job's
    /// mark.
    pub(crate) async fn submit(
        &self,
        mark: Mark,
        legacy: Option<RemotePath>,
    ) -> Result<Submitted, Error> {
        check_mark(&mark)?;
        self.answer(mark, legacy).await
    }

    /// The id under which the scheduler has this job, whose submission was tried.
    ///
    /// # Errors
    /// Those of [`Scheduler::find_submission`]; [`Error::Argument`] if it cannot be a
    /// job's mark.
    pub(crate) async fn find(
        &self,
        mark: &Mark,
        legacy: Option<&RemotePath>,
    ) -> Result<Option<String>, Error> {
        check_mark(mark)?;
        let under_way = lock(&self.under_way).get(mark.job.as_str()).cloned();
        if let Some(answer) = under_way {
            // What it answers is found by the look.
            drop(answer.await);
        }
        self.scheduler.find_submission(mark, legacy).await
    }

    fn answer(&self, mark: Mark, legacy: Option<RemotePath>) -> Answer {
        let mut under_way = lock(&self.under_way);
        let job = mark.job.to_string();
        if let Some(answer) = under_way.get(&job) {
            return answer.clone();
        }
        let (scheduler, submissions) = (Arc::clone(&self.scheduler), Arc::clone(&self.under_way));
        let leave = Leave {
            submissions,
            name: job.clone(),
        };
        let submit = async move {
            let _leave = leave;
            scheduler.submit(&mark, legacy.as_ref()).await
        };
        let task = self.tasks.spawn(submit.in_current_span());
        let answer = async move {
            task.await
                .unwrap_or_else(|error| Err(Error::Internal(format!("submit: {error}"))))
        };
        let answer = answer.boxed().shared();
        under_way.insert(job, answer.clone());
        answer
    }
}

/// That name and comment of a job can be searched by and compared: the comment is
/// read back from a line of `squeue`.
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

/// Takes a submission off the list, however it ends.
struct Leave {
    submissions: Arc<Mutex<HashMap<String, Answer>>>,
    name: String,
}

impl Drop for Leave {
    fn drop(&mut self) {
        lock(&self.submissions).remove(&self.name);
    }
}

fn lock(under_way: &Mutex<HashMap<String, Answer>>) -> MutexGuard<'_, HashMap<String, Answer>> {
    // A panic elsewhere cannot leave a half-made map.
    under_way.lock().unwrap_or_else(PoisonError::into_inner)
}
