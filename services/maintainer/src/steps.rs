//! Bringing a job to its HPC and its results back, one file for each step.
//! Every step may be done again: by the same maintainer after trouble, or by
//! another one that takes the job over.

mod collect;
mod create_result;
mod legacy;
mod prepare;
mod submit;
mod upload_data;
mod upload_executable;
mod write_script;

use compute_db::{Progress, StoreError};
use compute_domain::{
    ErrorKind,
    job::{Cause, EventKind, Job, NewEvent, Step},
};
use compute_proto::RemoteError;
use compute_templates::TemplateError;

pub use collect::{collect, collect_at_once, nothing_collected};
pub use legacy::is_legacy;
pub use prepare::prepare;
pub use submit::accepted;
pub use upload_data::source as data_source;

use crate::{
    hpc_port::HpcPort,
    kinds::{Definition, Executable},
};

/// What a step that went well leaves to be written: the row's changes. The step
/// that follows is added by the life cycle.
pub type StepOutcome = Progress;

/// Why a step did not go well.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// The infrastructure is in trouble: the job waits, and the step is tried again.
    #[error("{0}")]
    Trouble(String),
    /// The HPC refuses the login of the job's owner, in these words: the job waits
    /// for another one.
    #[error("{0}")]
    Password(String),
    /// It cannot be done, and trying again changes nothing: the job has failed.
    #[error("{0}")]
    Refused(Cause),
    /// The store did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<RemoteError> for StepError {
    fn from(error: RemoteError) -> Self {
        match error.kind {
            ErrorKind::Refused | ErrorKind::InvalidArgument => {
                Self::Refused(Cause::new(error.message))
            }
            ErrorKind::Unauthenticated => Self::Password(error.message),
            ErrorKind::PermissionDenied
            | ErrorKind::NotFound
            | ErrorKind::Uncertain
            | ErrorKind::Unavailable
            | ErrorKind::Exhausted
            | ErrorKind::Internal => Self::Trouble(error.message),
        }
    }
}

impl From<TemplateError> for StepError {
    fn from(error: TemplateError) -> Self {
        if error.kind().is_transient() {
            Self::Trouble(error.to_string())
        } else {
            Self::Refused(Cause::new(error.to_string()))
        }
    }
}

/// Does one of the steps between `prepare` and `submit`.
///
/// # Errors
/// [`StepError`].
pub async fn run(
    step: Step,
    port: &HpcPort,
    job: &Job,
    definition: &Definition,
) -> Result<StepOutcome, StepError> {
    match step {
        Step::UploadExecutable => upload_executable::run(port, job, definition).await,
        Step::UploadData => upload_data::run(port, job).await,
        Step::CreateResult => create_result::run(port, job).await,
        Step::WriteScript => {
            ensure_exclusive_folder(port, job).await?;
            write_script::run(port, job, definition).await
        }
        Step::Submit => submit::run(port, job, definition).await,
        Step::Prepare | Step::Watch | Step::Collect => Ok(Progress::default()),
    }
}

/// Looked at once more before the batch script is written: of two jobs that were
/// submitted at the same time the gateway may have taken both.
async fn ensure_exclusive_folder(port: &HpcPort, job: &Job) -> Result<(), StepError> {
    let beside = port
        .store
        .job_sharing_folder(job, port.hpc.keeps_read_only());
    match beside.await? {
        None => Ok(()),
        Some(beside) => Err(StepError::Refused(Cause::folder_shared_with(&beside))),
    }
}

/// The step that follows `step` for this job: uploads that are not needed are
/// left out.
pub fn following(step: Step, job: &Job, definition: &Definition) -> Option<Step> {
    let next = step.next()?;
    match next {
        Step::UploadExecutable if definition.executable == Executable::AlreadyThere => {
            following(next, job, definition)
        }
        Step::UploadData if matches!(data_source(job), Ok(None)) => {
            following(next, job, definition)
        }
        _ => Some(next),
    }
}

/// What the job's owner is told when `step` begins.
pub fn announcement(step: Step) -> Option<NewEvent> {
    let (kind, message) = match step {
        Step::UploadExecutable => (
            EventKind::SlurmUploadExecutable,
            "uploading executable folder",
        ),
        Step::UploadData => (EventKind::SlurmUploadData, "uploading data folder"),
        Step::CreateResult => (EventKind::SlurmCreateResult, "create result folder"),
        Step::Submit => (EventKind::SlurmSubmit, "submitting slurm job"),
        Step::Prepare | Step::WriteScript | Step::Watch | Step::Collect => return None,
    };
    Some(NewEvent::new(kind, message))
}
