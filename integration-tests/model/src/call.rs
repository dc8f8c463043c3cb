//! Calls of a runner to the HPC. One that is sent may arrive at any time, also long after its
//! sender has stopped waiting, and never.

use compute_domain::job::Intent;

use crate::world::Who;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Request {
    /// Nothing but to store the fence.
    Raise,
    /// Put the program in place.
    Upload,
    /// Write the batch script and the job's other files.
    Write {
        /// Whether the sender knows of no earlier try.
        is_fresh: bool,
    },
    /// Submit the job.
    Submit {
        /// Whether the sender knows of no earlier try.
        is_fresh: bool,
    },
    /// Search for an earlier submission, for a cancel.
    Find,
    /// `scancel`.
    Cancel(u8),
    /// Hold or suspend.
    Pause(u8),
    /// Release or resume.
    Resume(u8),
}

impl Request {
    /// The intent that the request carries out.
    pub fn intent(self) -> Option<Intent> {
        match self {
            Self::Cancel(_) => Some(Intent::Cancel),
            Self::Pause(_) => Some(Intent::Pause),
            Self::Resume(_) => Some(Intent::Resume),
            Self::Raise | Self::Upload | Self::Write { .. } | Self::Submit { .. } | Self::Find => {
                None
            }
        }
    }
}

/// How far the HPC has come with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Progress {
    /// Not arrived.
    OnItsWay,
    /// The fence was compared, and the effect is still to come.
    Checked,
    /// An upload that has begun as the one with this number.
    Unpacking(u8),
}

/// A call on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Call {
    /// What is asked for.
    pub request: Request,
    /// The fence of the sender's lease.
    pub fence: u8,
    /// Who waits for the answer.
    pub from: Option<Who>,
    /// How far it has come.
    pub progress: Progress,
}

/// The answer to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Done.
    Done,
    /// Slurm has the job under this id.
    Accepted(u8),
    /// Slurm does not have the job, and never will.
    Nowhere,
    /// Refused for good.
    Refused,
    /// Not done now.
    Trouble,
    /// There is no batch script.
    NoScript,
    /// The job has been submitted.
    Closed,
    /// The HPC knows a newer fence.
    Stale,
}
