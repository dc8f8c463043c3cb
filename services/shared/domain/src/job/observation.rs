//! What the scheduler says about a job.

use crate::Timestamp;

/// Where the scheduler has a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// Not known: a part of the scheduler could not be asked, or its parts contradict each
    /// other. Never an end.
    Unknown,
    /// All parts of the scheduler were asked, and none has the job (yet, or any more).
    Absent,
    /// Waiting to start.
    Pending,
    /// Running, or being set up or cleaned up.
    Running,
    /// Suspended.
    Suspended,
    /// Over.
    Ended(EndState),
}

/// How a job ended on the HPC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndState {
    /// Slurm's word, e.g. `COMPLETED`; without what follows it (`CANCELLED by 0`).
    pub slurm_state: String,
    /// Exit code of the batch script, 0-255.
    pub exit_code: Option<i32>,
    /// Signal that ended it; 0 if none.
    pub signal: Option<i32>,
}

/// One job in one look at the scheduler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobObservation {
    /// Slurm's id of the job.
    pub slurm_id: String,
    /// Where it is.
    pub phase: Phase,
    /// When it began to run, by the clock of the HPC; whole seconds. `None` if it has
    /// not (it may end without), or the scheduler does not say.
    pub started_at: Option<Timestamp>,
    /// The scheduler's reason, e.g. `Resources`; empty if it gives none.
    pub reason: String,
}

/// What a job used, from accounting. Absent values are not known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Nodes allocated.
    pub nodes: Option<i64>,
    /// Processors allocated.
    pub cpus: Option<i64>,
    /// Processor time used, seconds.
    pub cpu_time: Option<i64>,
    /// Memory allocated, KiB.
    pub memory: Option<i64>,
    /// Maximum memory used, KiB.
    pub memory_usage: Option<i64>,
    /// From start to end, seconds.
    pub walltime: Option<i64>,
}
