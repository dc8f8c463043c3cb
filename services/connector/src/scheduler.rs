//! What a scheduler can do for us. Slurm is the one that exists.

mod slurm;
mod slurm_parse;
mod slurm_state;

use async_trait::async_trait;
use compute_domain::job::{JobObservation, Mark, SlurmJob, Usage};
use compute_proto::Submitted;

use crate::{error::Error, paths::RemotePath};

pub(crate) use slurm::Slurm;

/// A job as queue or accounting shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    /// Where it is.
    pub(crate) seen: JobObservation,
    /// Its name.
    pub(crate) name: String,
    /// Its comment; empty if it has none, or accounting keeps none.
    pub(crate) comment: String,
}

impl Listed {
    /// Whether it is the job of that mark: ids are given out again.
    pub(crate) fn is(&self, mark: &Mark) -> bool {
        let comment = self.comment.as_str();
        self.name == mark.job.as_str() && (comment.is_empty() || comment == mark.to_string())
    }

    /// What its comment says, if a deployment has written it.
    pub(crate) fn mark(&self) -> Option<Mark> {
        Mark::parse(&self.comment)
    }
}

/// A batch scheduler behind a login node. Ids have been checked by the caller.
#[async_trait]
pub(crate) trait Scheduler: Send + Sync + 'static {
    /// All jobs of the account that the scheduler has in memory, in one look.
    /// Anybody's: the marks tell which are a deployment's.
    ///
    /// # Errors
    /// If it could not be asked; then nothing is known about any job.
    async fn queue(&self) -> Result<Vec<Listed>, Error>;

    /// Those of `ids` that accounting has as ended, in one look.
    ///
    /// # Errors
    /// If it could not be asked, or the site keeps none ([`Error::Refused`]).
    async fn ended(&self, ids: &[String]) -> Result<Vec<Listed>, Error>;

    /// Hands the script of the job in `mark` over, once and only once. The version
    /// before may have done so, with its marks in `legacy`.
    ///
    /// # Errors
    /// [`Error::Refused`] in the scheduler's own words; [`Error::Uncertain`] and
    /// [`Error::Cut`] if it may have accepted the job.
    async fn submit(&self, mark: &Mark, legacy: Option<&RemotePath>) -> Result<Submitted, Error>;

    /// The id under which it has the job of `mark`, whose submission was tried; `None` if
    /// it does not have it. Submits nothing.
    ///
    /// # Errors
    /// [`Error::Uncertain`] as long as the scheduler may still show it later.
    async fn find_submission(
        &self,
        mark: &Mark,
        legacy: Option<&RemotePath>,
    ) -> Result<Option<String>, Error>;

    /// Ends a job. Ending one that has ended, or whose id another job has by now,
    /// succeeds and does nothing.
    ///
    /// # Errors
    /// [`Error::Refused`] in the scheduler's own words.
    async fn cancel(&self, job: &SlurmJob) -> Result<(), Error>;

    /// Suspends a running job, holds a pending one.
    ///
    /// # Errors
    /// [`Error::Refused`] in the scheduler's own words.
    async fn suspend(&self, job: &SlurmJob) -> Result<(), Error>;

    /// Resumes a suspended job, releases a held one.
    ///
    /// # Errors
    /// [`Error::Refused`] in the scheduler's own words.
    async fn resume(&self, job: &SlurmJob) -> Result<(), Error>;

    /// What an ended job used; empty where accounting does not know.
    ///
    /// # Errors
    /// If accounting could not be asked.
    async fn usage(&self, job: &SlurmJob) -> Result<Usage, Error>;
}
