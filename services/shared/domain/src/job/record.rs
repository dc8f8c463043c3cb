//! The record of a job, as the services see it. It never goes to a client as it
//! is: the gateway chooses what is shown.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{State, Step, Usage};
use crate::{
    clock::Timestamp,
    ids::{FolderId, JobId, MaintainerId, UserId},
};

/// What a job's owner wants done with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Intent {
    /// End it.
    Cancel,
    /// Suspend or hold it.
    Pause,
    /// Go on with it.
    Resume,
}

impl Intent {
    /// The intent's name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cancel => "cancel",
            Self::Pause => "pause",
            Self::Resume => "resume",
        }
    }

    /// The intent of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Cancel, Self::Pause, Self::Resume]
            .into_iter()
            .find(|i| i.as_str() == name)
    }
}

/// A transfer by Globus, as far as it has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataTransfer {
    /// Globus' key of "once and only once", kept before the transfer is asked for.
    pub submission_id: String,
    /// Globus' id of the transfer, once it is known.
    pub task_id: Option<String>,
}

/// A job.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Its id, and its name on the HPC.
    pub id: JobId,
    /// Who owns it.
    pub user_id: UserId,
    /// A name given by its owner.
    pub name: Option<String>,
    /// Maintainer kind, a key of `maintainer.json`.
    pub maintainer: String,
    /// HPC, a key of `hpc.json`.
    pub hpc: String,
    /// Its owner's account there, if the HPC has private ones.
    pub account: Option<String>,
    /// `{"type": "git", "gitId": …}`, as its owner gave it.
    pub local_executable_folder: Option<Value>,
    /// `{"type": "globus" | "local" | "empty", …}`, as its owner gave it.
    pub local_data_folder: Option<Value>,
    /// Parameters for the program, by name.
    pub param: Map<String, Value>,
    /// Environment for the program, by name.
    pub env: Map<String, Value>,
    /// Slurm options, as its owner gave them.
    pub slurm: Map<String, Value>,
    /// Slurm's id, once accepted.
    pub slurm_id: Option<String>,
    /// Where it stands.
    pub state: State,
    /// The step that is done next, while a maintainer runs the job.
    pub step: Step,
    /// The maintainer that holds its lease.
    pub lease_holder: Option<MaintainerId>,
    /// The epoch of that maintainer's lease; none if the maintainer is of the version before.
    pub lease_epoch: Option<i64>,
    /// Until when the job is leased for maintainers of the version before.
    pub lease_until: Option<Timestamp>,
    /// Grows each time the job is taken; every write and every call to the HPC names the
    /// current one.
    pub fence: i64,
    /// Number of writes by maintainers; a repeated write is recognised by it.
    pub revision: i64,
    /// What its owner wants done.
    pub intent: Option<Intent>,
    /// Who wanted so.
    pub intent_by: Option<UserId>,
    /// Why it did not end well.
    pub cause: Option<String>,
    /// Why it is parked.
    pub blocked_reason: Option<String>,
    /// When it is looked at again.
    pub next_probe_at: Option<Timestamp>,
    /// Number of tries of the current step that met trouble.
    pub attempts: i32,
    /// Template, a key of the templates table.
    pub template_id: Option<String>,
    /// The template's commit, pinned at submit.
    pub template_sha: Option<String>,
    /// Address of its repository at submit; jobs of older versions have none.
    pub template_address: Option<String>,
    /// The template's manifest at that commit, defaults not filled in.
    pub manifest: Option<Value>,
    /// Whether the template was approved for MPI at submit; false if nobody said so.
    pub is_mpi_approved: bool,
    /// Directories below the result folder, once collected.
    pub result_listing: Option<Vec<String>>,
    /// Where the program is; or, if there is an `executable_copy_id`, where it was when
    /// the job was submitted.
    pub remote_executable_folder_id: Option<FolderId>,
    /// Where the copy of that folder is that the job runs.
    pub executable_copy_id: Option<FolderId>,
    /// Where the data is.
    pub remote_data_folder_id: Option<FolderId>,
    /// Where the results are.
    pub remote_result_folder_id: Option<FolderId>,
    /// What it used.
    pub usage: Usage,
    /// Whether it ended otherwise than well.
    pub is_failed: bool,
    /// What its owner computes access tokens from, sealed; only of jobs that were
    /// made with one.
    pub secret_token: Option<String>,
    /// The Globus transfer of its data.
    pub data_transfer: Option<DataTransfer>,
    /// Made at.
    pub created_at: Timestamp,
    /// Changed at.
    pub updated_at: Option<Timestamp>,
    /// Deleted at.
    pub deleted_at: Option<Timestamp>,
    /// Submitted by its owner at.
    pub submitted_at: Option<Timestamp>,
    /// Taken by a maintainer at.
    pub queued_at: Option<Timestamp>,
    /// Accepted by the scheduler at.
    pub initialized_at: Option<Timestamp>,
    /// Started by the scheduler at, as first seen.
    pub started_at: Option<Timestamp>,
    /// Over at.
    pub finished_at: Option<Timestamp>,
}

/// A folder on an HPC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// Its id, and its name below the root path.
    pub id: FolderId,
    /// A name given by its owner.
    pub name: Option<String>,
    /// HPC, a key of `hpc.json`.
    pub hpc: String,
    /// Absolute path on the HPC.
    pub hpc_path: String,
    /// Path below the HPC's Globus root.
    pub globus_path: String,
    /// Who owns it.
    pub user_id: UserId,
    /// Whether jobs may write to it.
    pub is_writable: bool,
    /// Made at.
    pub created_at: Timestamp,
    /// Changed at.
    pub updated_at: Option<Timestamp>,
    /// Deleted at.
    pub deleted_at: Option<Timestamp>,
}
