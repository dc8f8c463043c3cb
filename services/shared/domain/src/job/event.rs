//! Events of a job, as its owner sees them. The Python client shows type and message, and
//! stops watching at `JOB_ENDED` or `JOB_FAILED`: exactly one of the two closes
//! every job.

use super::{Cause, Intent, Step};
use crate::ids::{JobId, UserId};

/// Type of an event, as clients know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// Submitted by its owner.
    JobQueued,
    /// Taken by a maintainer.
    JobRegistered,
    /// The program is being uploaded.
    SlurmUploadExecutable,
    /// The data is being uploaded.
    SlurmUploadData,
    /// A Globus transfer has been asked for.
    GlobusTransferInit,
    /// A Globus transfer is done.
    GlobusTransferInitSuccess,
    /// The result folder is being made.
    SlurmCreateResult,
    /// The job is being handed to the scheduler.
    SlurmSubmit,
    /// The scheduler has accepted the job.
    SlurmSubmitSuccess,
    /// The scheduler has refused the job.
    SlurmSubmitError,
    /// All is set up; the job runs as soon as the scheduler lets it.
    JobInit,
    /// Trouble of the infrastructure, with the reason and the next try.
    JobRetry,
    /// Paused at its owner's request.
    JobPaused,
    /// Going on after a pause.
    JobResumed,
    /// A pause or resume that the scheduler refused.
    JobControlRefused,
    /// The scheduler runs the job once more, from its beginning.
    JobRequeued,
    /// A part of its results could not be shown; the job ends without it.
    JobResultIncomplete,
    /// Cancelled by its owner.
    JobCancelled,
    /// Ended well: the last event.
    JobEnded,
    /// Ended otherwise: the last event.
    JobFailed,
}

impl EventKind {
    /// The type as clients see it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::JobQueued => "JOB_QUEUED",
            Self::JobRegistered => "JOB_REGISTERED",
            Self::SlurmUploadExecutable => "SLURM_UPLOAD_EXECUTABLE",
            Self::SlurmUploadData => "SLURM_UPLOAD_DATA",
            Self::GlobusTransferInit => "GLOBUS_TRANSFER_INIT",
            Self::GlobusTransferInitSuccess => "GLOBUS_TRANSFER_INIT_SUCCESS",
            Self::SlurmCreateResult => "SLURM_CREATE_RESULT",
            Self::SlurmSubmit => "SLURM_SUBMIT",
            Self::SlurmSubmitSuccess => "SLURM_SUBMIT_SUCCESS",
            Self::SlurmSubmitError => "SLURM_SUBMIT_ERROR",
            Self::JobInit => "JOB_INIT",
            Self::JobRetry => "JOB_RETRY",
            Self::JobPaused => "JOB_PAUSED",
            Self::JobResumed => "JOB_RESUMED",
            Self::JobControlRefused => "JOB_CONTROL_REFUSED",
            Self::JobRequeued => "JOB_REQUEUED",
            Self::JobResultIncomplete => "JOB_RESULT_INCOMPLETE",
            Self::JobCancelled => "JOB_CANCELLED",
            Self::JobEnded => "JOB_ENDED",
            Self::JobFailed => "JOB_FAILED",
        }
    }
}

/// An event that is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Its type.
    pub kind: EventKind,
    /// What it says to the job's owner.
    pub message: String,
}

impl NewEvent {
    /// An event with a message of its own.
    pub fn new(kind: EventKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    /// The job has been submitted by its owner; `notice` is what they should know of
    /// the way in which it is run.
    pub fn queued(id: &JobId, notice: Option<&str>) -> Self {
        let mut message = format!("job [{id}] is queued, waiting for registration");
        if let Some(notice) = notice {
            message.push_str("; ");
            message.push_str(notice);
        }
        Self::new(EventKind::JobQueued, message)
    }

    /// A maintainer has taken the job.
    pub fn registered(id: &JobId) -> Self {
        let message =
            format!("job [{id}] is registered with the supervisor, waiting for initialization");
        Self::new(EventKind::JobRegistered, message)
    }

    /// The step begins; `None` for one that its owner does not see.
    pub fn step_begins(step: Step) -> Option<Self> {
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
        Some(Self::new(kind, message))
    }

    /// Globus is asked to transfer the job's data.
    pub fn transfer_begins() -> Self {
        Self::new(
            EventKind::GlobusTransferInit,
            "initializing globus transfer",
        )
    }

    /// Globus has transferred the job's data.
    pub fn transferred(task_id: &str) -> Self {
        let message = format!("globus transfer {task_id} is done");
        Self::new(EventKind::GlobusTransferInitSuccess, message)
    }

    /// The scheduler does not accept the job.
    pub fn not_submitted(id: &JobId, cause: &Cause) -> Self {
        let message = format!("cannot submit job {id}: {cause}");
        Self::new(EventKind::SlurmSubmitError, message)
    }

    /// The job is held or suspended in Slurm at its owner's request.
    pub fn paused(id: &JobId) -> Self {
        Self::new(EventKind::JobPaused, format!("job [{id}] is paused"))
    }

    /// The job is released or resumed in Slurm.
    pub fn resumed(id: &JobId) -> Self {
        Self::new(EventKind::JobResumed, format!("job [{id}] goes on"))
    }

    /// The job does not run because of the site, or of somebody who used its account.
    pub fn paused_by_site(id: &JobId, reason: &str) -> Self {
        let message = format!(
            "job [{id}] is paused on the HPC, not at your request ({reason}): resume it, or ask the \
             site"
        );
        Self::new(EventKind::JobPaused, message)
    }

    /// A hold that nobody wants any more was found in Slurm, and is released.
    pub fn hold_released(id: &JobId) -> Self {
        let message = format!("job [{id}] was held in Slurm by mistake and is released");
        Self::new(EventKind::JobResumed, message)
    }

    /// Somebody else has released or resumed the job in Slurm.
    pub fn resumed_by_site(id: &JobId) -> Self {
        let message = format!("job [{id}] goes on: it was released or resumed on the HPC");
        Self::new(EventKind::JobResumed, message)
    }

    /// The scheduler has put the job back into its queue, and runs it once more.
    pub fn requeued(id: &JobId, reason: &str) -> Self {
        let mut message = format!(
            "job [{id}] was put back into Slurm's queue by the scheduler and starts once more from its \
             beginning"
        );
        if !reason.is_empty() {
            message.push_str(&format!(" ({reason})"));
        }
        Self::new(EventKind::JobRequeued, message)
    }

    /// Slurm does not do what the job's owner intends.
    pub fn control_refused(id: &JobId, intent: Intent, cause: &Cause) -> Self {
        let message = format!("job [{id}]: cannot {}: {cause}", intent.as_str());
        Self::new(EventKind::JobControlRefused, message)
    }

    /// The scheduler has accepted the job as `slurm_id`.
    pub fn submitted(slurm_id: &str) -> Self {
        let message = format!("slurm job submitted with slurm job id {slurm_id}");
        Self::new(EventKind::SlurmSubmitSuccess, message)
    }

    /// Everything is set up.
    pub fn init(id: &JobId) -> Self {
        let message = format!("job [{id}] is initialized, waiting for job completion");
        Self::new(EventKind::JobInit, message)
    }

    /// The infrastructure is in trouble; the next try is in `seconds`.
    pub fn retry(id: &JobId, reason: &str, seconds: u64) -> Self {
        let message = format!("job [{id}] waits: {reason}; next try in {seconds} s");
        Self::new(EventKind::JobRetry, message)
    }

    /// The job waits for its owner.
    pub fn waits(id: &JobId, reason: &str) -> Self {
        Self::new(EventKind::JobRetry, format!("job [{id}] waits: {reason}"))
    }

    /// Parts of the results are not shown, for these reasons.
    pub fn result_incomplete(id: &JobId, reasons: &[String]) -> Self {
        let message = format!(
            "job [{id}]: not all of its results are shown: {}",
            reasons.join("; ")
        );
        Self::new(EventKind::JobResultIncomplete, message)
    }

    /// The job's owner has cancelled it.
    pub fn cancelled(id: &JobId, by: &UserId) -> Self {
        Self::new(
            EventKind::JobCancelled,
            format!("job [{id}] is cancelled by {by}"),
        )
    }

    /// The job has ended well.
    pub fn ended(id: &JobId) -> Self {
        Self::new(EventKind::JobEnded, format!("job [{id}] finished"))
    }

    /// The job has ended otherwise.
    pub fn failed(id: &JobId, cause: &Cause) -> Self {
        Self::new(EventKind::JobFailed, format!("job [{id}] failed: {cause}"))
    }
}
