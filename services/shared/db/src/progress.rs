//! What a maintainer writes about a job that it runs.

use compute_domain::{
    Timestamp,
    job::{Change, DataTransfer, Folder, Intent, NewEvent, Step, Usage},
};

/// Everything that one step forward changes, written at once or not at all.
/// What is left at its default stays as it is in the row.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Progress {
    /// What happens to the job; decides its state.
    pub change: Option<Change>,
    /// What is to be done next.
    pub step: Option<Step>,
    /// Slurm's id, once accepted.
    pub slurm_id: Option<String>,
    /// When it began to run, by the clock of the HPC; only the first counts.
    pub started_at: Option<Timestamp>,
    /// Why it does not end well.
    pub cause: Option<String>,
    /// Why it is parked; `Some(None)` takes the reason away. An end always does.
    pub blocked_reason: Option<Option<String>>,
    /// When it is looked at again; `Some(None)` takes it away. An end always does.
    pub next_probe_at: Option<Option<Timestamp>>,
    /// Number of failed attempts of the current step.
    pub attempts: Option<i32>,
    /// Folder of the program: written, and from now on the job's.
    pub executable_folder: Option<Folder>,
    /// Folder of the copy of the program: written, and from now on the job's.
    pub executable_copy: Option<Folder>,
    /// Folder of the data: written, and from now on the job's.
    pub data_folder: Option<Folder>,
    /// Folder of the results: written, and from now on the job's.
    pub result_folder: Option<Folder>,
    /// Directories below the result folder.
    pub result_listing: Option<Vec<String>>,
    /// The Globus transfer of its data, as far as it has come.
    pub data_transfer: Option<DataTransfer>,
    /// What it used; replaces what was known.
    pub usage: Option<Usage>,
    /// This intent of the owner is fulfilled, or cannot be. A newer one stays.
    pub clear_intent: Option<Intent>,
    /// Events, in the order in which they happened.
    pub events: Vec<NewEvent>,
    /// Logs, in their order.
    pub logs: Vec<String>,
    /// The lease ends now, and any maintainer may take the job over.
    pub release: bool,
}
