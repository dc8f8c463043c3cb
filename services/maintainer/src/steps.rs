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

use compute_db::Progress;
use compute_domain::{
    ErrorKind,
    job::{Cause, Job, Step},
};
use compute_proto::RemoteError;
use compute_templates::TemplateError;

pub use collect::{collect, collect_at_once, nothing_collected};
pub use legacy::is_legacy;
pub use prepare::{prepare, with_folders};
pub use submit::accepted;
pub use upload_data::source as data_source;

use crate::{definition::Definition, hpc_handle::HpcHandle};

/// What a step works on. What is in the database was read before the step begins.
#[derive(Debug, Clone)]
pub struct StepInput<'a> {
    /// The job.
    pub job: &'a Job,
    /// Its definition.
    pub definition: &'a Definition,
    /// Address of its template now; `None` if it has none, or the template is removed.
    pub template_address: Option<String>,
    /// Whether the owner of the job's data lets programs write to it.
    pub data_is_writable: bool,
    /// Whether nobody can have submitted the job before.
    pub is_fresh: bool,
}

/// What a step that succeeded leaves to be written. The job runner adds the step that
/// follows.
pub type StepOutcome = Progress;

/// Why a step failed.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// The infrastructure fails: the job waits, and the step is tried again.
    #[error("{0}")]
    Trouble(String),
    /// The HPC refuses the login of the job's owner, with this message: the job waits
    /// for another one.
    #[error("{0}")]
    Password(String),
    /// It cannot be done, and trying again changes nothing: the job fails.
    #[error("{0}")]
    Refused(Cause),
    /// The HPC knows this newer fence: another maintainer has the job, or the database was
    /// restored from a dump.
    #[error("the HPC knows the newer fence {0} of the job")]
    Fenced(i64),
}

impl From<RemoteError> for StepError {
    fn from(error: RemoteError) -> Self {
        match error.kind {
            ErrorKind::Refused | ErrorKind::InvalidArgument => {
                Self::Refused(Cause::new(error.message))
            }
            ErrorKind::Unauthenticated => Self::Password(error.message),
            ErrorKind::Fenced(newest) => Self::Fenced(newest),
            ErrorKind::PermissionDenied
            | ErrorKind::NotFound
            | ErrorKind::Uncertain
            | ErrorKind::Unavailable
            | ErrorKind::Exhausted
            | ErrorKind::Internal
            | ErrorKind::Unsupported => Self::Trouble(error.message),
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

/// Does one of the steps between `prepare` and `watch`.
///
/// # Errors
/// [`StepError`].
pub async fn run(
    step: Step,
    hpc: &HpcHandle,
    input: &StepInput<'_>,
) -> Result<StepOutcome, StepError> {
    match step {
        Step::UploadExecutable => upload_executable::run(hpc, input).await,
        Step::UploadData => upload_data::run(hpc, input.job).await,
        Step::CreateResult => create_result::run(hpc, input.job).await,
        Step::WriteScript => write_script::run(hpc, input).await,
        Step::Submit => submit::run(hpc, input).await,
        Step::Prepare | Step::Watch | Step::Collect => Ok(Progress::default()),
    }
}

/// The step that follows `step` for this job: uploads that are not needed are
/// left out.
pub fn following(step: Step, job: &Job) -> Option<Step> {
    let next = step.next()?;
    match next {
        Step::UploadData if matches!(data_source(job), Ok(None)) => following(next, job),
        _ => Some(next),
    }
}
