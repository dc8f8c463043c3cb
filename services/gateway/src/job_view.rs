//! Jobs, folders, events and logs in responses: always the same keys in the same order;
//! absent values are `null`.

use std::collections::BTreeMap;

use compute_db::{EventRow, LogRow};
use compute_domain::{
    Timestamp,
    ids::FolderId,
    job::{Folder, Intent, Job},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// `updatedAt` of jobs and folders: clients know the key, and it has always been `null`. The
/// dates of a job are in its other fields and its events.
const UPDATED_AT: Option<Timestamp> = None;

/// A folder on an HPC.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FolderView {
    id: String,
    name: Option<String>,
    hpc: String,
    hpc_path: String,
    globus_path: String,
    user_id: String,
    is_writable: bool,
    #[schema(value_type = String)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>)]
    updated_at: Option<Timestamp>,
    #[schema(value_type = Option<String>)]
    deleted_at: Option<Timestamp>,
}

impl From<Folder> for FolderView {
    fn from(folder: Folder) -> Self {
        let Folder {
            id,
            name,
            hpc,
            hpc_path,
            globus_path,
            user_id,
            is_writable,
            created_at,
            updated_at: _,
            deleted_at,
        } = folder;
        Self {
            id: id.to_string(),
            user_id: user_id.to_string(),
            name,
            hpc,
            hpc_path,
            globus_path,
            is_writable,
            created_at,
            updated_at: UPDATED_AT,
            deleted_at,
        }
    }
}

/// Something that happened to a job.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventView {
    id: i64,
    job_id: String,
    #[serde(rename = "type")]
    kind: String,
    message: String,
    #[schema(value_type = String)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>)]
    updated_at: Option<Timestamp>,
    #[schema(value_type = Option<String>)]
    deleted_at: Option<Timestamp>,
}

impl From<EventRow> for EventView {
    fn from(row: EventRow) -> Self {
        let EventRow {
            id,
            job_id,
            kind,
            message,
            created_at,
            updated_at,
            deleted_at,
        } = row;
        Self {
            id,
            job_id: job_id.to_string(),
            kind,
            message,
            created_at,
            updated_at,
            deleted_at,
        }
    }
}

/// A part of what a job's program wrote.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LogView {
    id: i64,
    job_id: String,
    message: String,
    #[schema(value_type = String)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>)]
    updated_at: Option<Timestamp>,
    #[schema(value_type = Option<String>)]
    deleted_at: Option<Timestamp>,
}

impl From<LogRow> for LogView {
    fn from(row: LogRow) -> Self {
        let LogRow {
            id,
            job_id,
            message,
            created_at,
            updated_at,
            deleted_at,
        } = row;
        Self {
            id,
            job_id: job_id.to_string(),
            message,
            created_at,
            updated_at,
            deleted_at,
        }
    }
}

/// A job.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobView {
    id: String,
    user_id: String,
    secret_token: Option<String>,
    slurm_id: Option<String>,
    maintainer: String,
    hpc: String,
    remote_executable_folder: Option<FolderView>,
    remote_data_folder: Option<FolderView>,
    remote_result_folder: Option<FolderView>,
    #[schema(value_type = Option<Object>)]
    local_executable_folder: Option<Value>,
    #[schema(value_type = Option<Object>)]
    local_data_folder: Option<Value>,
    #[schema(value_type = Object)]
    param: Map<String, Value>,
    #[schema(value_type = Object)]
    env: Map<String, Value>,
    #[schema(value_type = Object)]
    slurm: Map<String, Value>,
    #[schema(value_type = String)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>)]
    updated_at: Option<Timestamp>,
    #[schema(value_type = Option<String>)]
    deleted_at: Option<Timestamp>,
    #[schema(value_type = Option<String>)]
    initialized_at: Option<Timestamp>,
    #[schema(value_type = Option<String>)]
    finished_at: Option<Timestamp>,
    is_failed: bool,
    events: Option<Vec<EventView>>,
    logs: Option<Vec<LogView>>,
    name: Option<String>,
    state: &'static str,
    #[schema(value_type = Option<String>)]
    submitted_at: Option<Timestamp>,
    #[schema(value_type = Option<String>)]
    queued_at: Option<Timestamp>,
    #[schema(value_type = Option<String>)]
    started_at: Option<Timestamp>,
    cause: Option<String>,
    template_sha: Option<String>,
    /// What the owner should know, in the answer to a submit; absent if there is nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    messages: Vec<String>,
}

/// Folders that jobs refer to.
pub type Folders = BTreeMap<FolderId, Folder>;

/// Ids of the folders that `job` refers to.
pub fn folder_ids(job: &Job) -> Vec<FolderId> {
    let ids = [
        &job.remote_executable_folder_id,
        &job.remote_data_folder_id,
        &job.remote_result_folder_id,
    ];
    ids.into_iter().flatten().cloned().collect()
}

/// Why a job that is not over goes on no further: it is parked, or to be cancelled.
fn why_it_waits(job: &Job) -> Option<String> {
    if job.state.is_terminal() {
        return None;
    }
    let parked = job.blocked_reason.clone();
    if job.intent != Some(Intent::Cancel) {
        return parked;
    }
    let by = job.intent_by.as_ref().unwrap_or(&job.user_id);
    let to_be = format!("to be cancelled, as {by} wants");
    Some(match parked {
        Some(reason) => format!("{to_be}; waits: {reason}"),
        None => to_be,
    })
}

impl JobView {
    /// The job, with the folders of `folders`.
    pub fn new(job: Job, folders: &Folders) -> Self {
        let folder = |id: Option<FolderId>| {
            let folder = folders.get(&id?).filter(|f| f.deleted_at.is_none());
            folder.cloned().map(FolderView::from)
        };
        let waits = why_it_waits(&job);
        Self {
            id: job.id.to_string(),
            user_id: job.user_id.to_string(),
            secret_token: None,
            slurm_id: job.slurm_id,
            maintainer: job.maintainer,
            hpc: job.hpc,
            remote_executable_folder: folder(job.remote_executable_folder_id),
            remote_data_folder: folder(job.remote_data_folder_id),
            remote_result_folder: folder(job.remote_result_folder_id),
            local_executable_folder: job.local_executable_folder,
            local_data_folder: job.local_data_folder,
            param: job.param,
            env: job.env,
            slurm: job.slurm,
            created_at: job.created_at,
            updated_at: UPDATED_AT,
            deleted_at: job.deleted_at,
            initialized_at: job.initialized_at,
            finished_at: job.finished_at,
            is_failed: job.is_failed,
            events: None,
            logs: None,
            name: job.name,
            state: job.state.as_str(),
            submitted_at: job.submitted_at,
            queued_at: job.queued_at,
            started_at: job.started_at,
            cause: job.cause.or(waits),
            template_sha: job.template_sha,
            messages: Vec::new(),
        }
    }

    /// With the secret that access tokens are computed from: shown once, when the job is made.
    #[must_use]
    pub fn with_secret(mut self, secret: Option<SecretString>) -> Self {
        self.secret_token = secret.map(|secret| secret.expose_secret().to_owned());
        self
    }

    /// With messages for its owner.
    #[must_use]
    pub fn with_messages(mut self, messages: impl IntoIterator<Item = String>) -> Self {
        self.messages = messages.into_iter().collect();
        self
    }

    /// With its events and logs.
    #[must_use]
    pub fn with(mut self, events: Vec<EventRow>, logs: Vec<LogRow>) -> Self {
        self.events = Some(events.into_iter().map(EventView::from).collect());
        self.logs = Some(logs.into_iter().map(LogView::from).collect());
        self
    }
}
