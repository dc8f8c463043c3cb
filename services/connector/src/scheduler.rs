//! What a scheduler can do for us. Slurm is the one that exists.

mod slurm;
mod slurm_parse;
mod slurm_state;

use async_trait::async_trait;
use compute_domain::job::{JobObservation, Mark, Usage};
use compute_proto::Submitted;

use crate::{error::Error, paths::RemotePath};

pub(crate) use slurm::Slurm;

/// A job that the scheduler has in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Queued {
    /// Where it is.
    pub(crate) seen: JobObservation,
    /// What its comment says, if a deployment has written it.
    pub(crate) mark: Option<Mark>,
}

/// A batch scheduler behind a login node. Ids have been checked by the caller.
#[async_trait]
pub(crate) trait Scheduler: Send + Sync + 'static {
    /// All jobs of the account that the scheduler has in memory, in one look.
    /// Anybody's: the marks tell which are a deployment's.
    ///
    /// # Errors
    /// If it could not be asked; then nothing is known about any job.
    async fn queue(&self) -> Result<Vec<Queued>, Error>;

    /// Those of `ids` that accounting has as ended, in one look.
    ///
    /// # Errors
    /// If it could not be asked, or the site keeps none ([`Error::Refused`]).
    async fn ended(&self, ids: &[String]) -> Result<Vec<JobObservation>, Error>;

    /// Hands the `job.sbatch` in `folder` over, under the name `job`, once and
    /// only once for that folder.
    ///
    /// # Errors
    /// [`Error::Refused`] in the scheduler's own words; [`Error::Uncertain`] and
    /// [`Error::Cut`] if it may have accepted the job.
    async fn submit(&self, job: &str, folder: &RemotePath) -> Result<Submitted, Error>;

    /// The id under which it has a job of that name, whose submission was tried from
    /// `folder`; `None` if it does not have it. Submits nothing.
    ///
    /// # Errors
    /// [`Error::Uncertain`] as long as the scheduler may still show it later.
    async fn find_submission(
        &self,
        job: &str,
        folder: &RemotePath,
    ) -> Result<Option<String>, Error>;

    /// Ends a job; one that has ended is well.
    ///
    /// # Errors
    /// [`Error::Refused`] in the scheduler's own words.
    async fn cancel(&self, id: &str) -> Result<(), Error>;

    /// Suspends a running job, holds a pending one.
    ///
    /// # Errors
    /// [`Error::Refused`] in the scheduler's own words.
    async fn suspend(&self, id: &str) -> Result<(), Error>;

    /// Resumes a suspended job, releases a held one.
    ///
    /// # Errors
    /// [`Error::Refused`] in the scheduler's own words.
    async fn resume(&self, id: &str) -> Result<(), Error>;

    /// What an ended job used; empty where accounting does not know.
    ///
    /// # Errors
    /// If accounting could not be asked.
    async fn usage(&self, id: &str) -> Result<Usage, Error>;
}
