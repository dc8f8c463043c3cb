//! Operations of a batch scheduler. Slurm is the only implementation.

mod slurm;
mod slurm_parse;
mod slurm_state;

use async_trait::async_trait;
use compute_domain::job::{JobObservation, Mark, SlurmJob, Usage};
use compute_proto::Submitted;

use crate::{error::Error, fence::Fence, paths::RemotePath};

pub(crate) use slurm::Slurm;

/// A job in the queue or in accounting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    /// Its state.
    pub(crate) observation: JobObservation,
    /// Its name.
    pub(crate) name: String,
    /// Its comment; empty if it has none, or accounting stores none.
    pub(crate) comment: String,
}

impl Listed {
    /// Whether it is the job of that mark. An id alone is not enough: Slurm reuses ids.
    pub(crate) fn is(&self, mark: &Mark) -> bool {
        let comment = self.comment.as_str();
        self.name == mark.job.as_str() && (comment.is_empty() || comment == mark.to_string())
    }

    /// The mark in its comment, if a deployment has written it.
    pub(crate) fn mark(&self) -> Option<Mark> {
        Mark::parse(&self.comment)
    }
}

/// A job to submit, or whose submission is searched for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Submission {
    /// Its name and comment.
    pub(crate) mark: Mark,
    /// Where the version before may have left its markers.
    pub(crate) legacy: Option<RemotePath>,
    /// Whether nobody can have submitted it before.
    pub(crate) is_fresh: bool,
    /// The fence of the caller.
    pub(crate) fence: Fence,
}

/// A batch scheduler behind a login node. The caller has checked all ids.
#[async_trait]
pub(crate) trait Scheduler: Send + Sync + 'static {
    /// All jobs of the account that the scheduler has in memory, by one query. Their
    /// marks tell which ones belong to a deployment.
    ///
    /// # Errors
    /// If the scheduler could not be queried; then nothing is known about any job.
    async fn queue(&self) -> Result<Vec<Listed>, Error>;

    /// Those of `ids` that accounting has, by one query.
    ///
    /// # Errors
    /// If accounting could not be queried, or the site keeps none ([`Error::Refused`]).
    async fn accounted(&self, ids: &[String]) -> Result<Vec<Listed>, Error>;

    /// Submits the script of the job exactly once.
    ///
    /// # Errors
    /// [`Error::Refused`] with the scheduler's message; [`Error::Uncertain`] and
    /// [`Error::Cut`] if the scheduler may have accepted the job.
    async fn submit(&self, submission: &Submission) -> Result<Submitted, Error>;

    /// The id of the job, whose submission was attempted; `None` if the
    /// scheduler does not have it; then the caller's fence and older ones no longer submit
    /// it. Never submits.
    ///
    /// # Errors
    /// [`Error::Uncertain`] as long as the scheduler may still show it later.
    async fn find_submission(&self, submission: &Submission) -> Result<Option<String>, Error>;

    /// Cancels a job. Succeeds without effect if the job has ended, or its id belongs to
    /// another job by now.
    ///
    /// # Errors
    /// [`Error::Refused`] with the scheduler's message.
    async fn cancel(&self, fence: &Fence, job: &SlurmJob) -> Result<(), Error>;

    /// Suspends a running job, holds a pending one.
    ///
    /// # Errors
    /// [`Error::Refused`] with the scheduler's message.
    async fn suspend(&self, fence: &Fence, job: &SlurmJob) -> Result<(), Error>;

    /// Resumes a suspended job, releases a held one.
    ///
    /// # Errors
    /// [`Error::Refused`] with the scheduler's message.
    async fn resume(&self, fence: &Fence, job: &SlurmJob) -> Result<(), Error>;

    /// What an ended job used; fields that accounting does not know are absent.
    ///
    /// # Errors
    /// If accounting could not be queried.
    async fn usage(&self, job: &SlurmJob) -> Result<Usage, Error>;
}
