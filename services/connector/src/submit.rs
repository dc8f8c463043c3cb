//! Submissions, one at a time for each job.
//!
//! That a job is submitted once and only once is kept by files in its folder
//! (`scripts/submit.sh`), and holds across restarts of this process. Here, calls
//! for a job whose submission is under way join it, and a submission goes on when
//! its caller has gone.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
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

    /// Submits the `job.sbatch` in `folder`, or joins the submission of this job
    /// that is under way.
    ///
    /// # Errors
    /// Those of [`Scheduler::submit`]; [`Error::Argument`] if `job` cannot be a
    /// job's name.
    pub(crate) async fn submit(&self, job: &str, folder: RemotePath) -> Result<Submitted, Error> {
        if !is_name(job) {
            return Err(Error::Argument(format!("{job:?} is not the id of a job")));
        }
        self.answer(job, folder).await
    }

    /// The id under which the scheduler has this job, whose submission was tried.
    ///
    /// # Errors
    /// Those of [`Scheduler::find_submission`]; [`Error::Argument`] if `job` cannot be a
    /// job's name.
    pub(crate) async fn find(
        &self,
        job: &str,
        folder: &RemotePath,
    ) -> Result<Option<String>, Error> {
        if !is_name(job) {
            return Err(Error::Argument(format!("{job:?} is not the id of a job")));
        }
        self.scheduler.find_submission(job, folder).await
    }

    fn answer(&self, job: &str, folder: RemotePath) -> Answer {
        let mut under_way = lock(&self.under_way);
        if let Some(answer) = under_way.get(job) {
            return answer.clone();
        }
        let (scheduler, submissions) = (Arc::clone(&self.scheduler), Arc::clone(&self.under_way));
        let name = job.to_owned();
        let submit = async move {
            let leave = Leave { submissions, name };
            scheduler.submit(&leave.name, &folder).await
        };
        let task = self.tasks.spawn(submit.in_current_span());
        let answer = async move {
            task.await
                .unwrap_or_else(|error| Err(Error::Internal(format!("submit: {error}"))))
        };
        let answer = answer.boxed().shared();
        under_way.insert(job.to_owned(), answer.clone());
        answer
    }
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

/// Whether Slurm takes `text` as a name to search by: no comma, no blank.
fn is_name(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"_-".contains(&b);
    (1..=64).contains(&text.len()) && !text.starts_with('-') && text.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert!(is_name("1795457659sRX9w") && is_name("a_b-c"));
        for text in ["", "-n", "a b", "a,b", "a\nb", "é", "$(x)", &"x".repeat(65)] {
            assert!(!is_name(text), "{text:?}");
        }
    }
}
