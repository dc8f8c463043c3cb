//! A job of the legacy server as one of ours: where it stands, and why.

use compute_db::import::{job, storable, write_json};
use compute_domain::{
    ids::JobId,
    job::{Cause, EventKind, NewEvent, State, Step},
};
use serde_json::{Map, Value};

use crate::{
    report::Note,
    rows::storable_of,
    tables,
    time::{deleted_at, made_at, read, read_optional},
};

/// The cause of a job that the legacy server had not finished when it stopped.
pub(crate) const UNFINISHED: &str = "the legacy server did not finish this job";

/// A job that can be written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Mapped {
    pub(crate) row: job::Model,
    /// The event that closes it, if the legacy server wrote none, and its time.
    pub(crate) closing: Option<(NewEvent, i64)>,
    /// What could not be taken over as it was.
    pub(crate) notes: Vec<Note>,
}

/// The job with its events in the order in which they happened; `None` if nobody
/// owns it. Folders that are not `here` are not named.
pub(crate) fn map(
    legacy: tables::job::Model,
    events: &[tables::event::Model],
    here: impl Fn(&str) -> bool,
) -> Option<Mapped> {
    let user_id = legacy.user_id.clone().filter(|user| !user.is_empty())?;
    let Outcome { state, cause } = outcome(&legacy, events);
    let created_at = made_at(legacy.created_at, &legacy.id);
    let updated_at = read_optional(legacy.updated_at);
    let finished_at = state
        .is_terminal()
        .then(|| read_optional(legacy.finished_at).unwrap_or_else(|| last_seen(&legacy, events)));
    let at_event = |kind: EventKind| {
        let of_kind = events.iter().find(|event| event.kind == kind.as_str());
        read(of_kind?.created_at)
    };
    let was_submitted = state != State::Created;
    let queued_at = read_optional(legacy.queued_at).filter(|_| was_submitted);

    let mut notes = Vec::new();
    let mut folder = |id: Option<String>| {
        let known = id.clone().filter(|id| here(id));
        if known != id {
            notes.push(Note::FolderNotHere);
        }
        known
    };
    let remote_executable_folder_id = folder(legacy.remote_executable_folder_id);
    let remote_data_folder_id = folder(legacy.remote_data_folder_id);
    let remote_result_folder_id = folder(legacy.remote_result_folder_id);
    let mut object = |text: Option<String>| match read_value(text) {
        Ok(None) => Map::new(),
        Ok(Some(Value::Object(map))) => map,
        Ok(Some(_)) | Err(Unreadable) => {
            notes.push(Note::UnreadableJson);
            Map::new()
        }
    };
    let (param, env, slurm) = (
        object(legacy.param),
        object(legacy.env),
        object(legacy.slurm),
    );
    let mut value = |text: Option<String>| {
        read_value(text).unwrap_or_else(|Unreadable| {
            notes.push(Note::UnreadableJson);
            None
        })
    };
    let local_executable_folder = value(legacy.local_executable_folder);
    let local_data_folder = value(legacy.local_data_folder);
    let template_id = local_executable_folder
        .as_ref()
        .and_then(|folder| Some(folder.get("gitId")?.as_str()?.to_owned()))
        .filter(|_| was_submitted);

    let id = JobId::from_text(legacy.id.as_str());
    let closing = finished_at
        .filter(|_| !events.iter().any(|event| closes(&event.kind)))
        .map(|at| (closing_event(&id, cause.as_deref()), at));
    let row = job::Model {
        id: legacy.id,
        user_id,
        name: storable_of(legacy.name),
        maintainer: legacy.maintainer,
        hpc: legacy.hpc,
        local_executable_folder: local_executable_folder.as_ref().map(write_json),
        local_data_folder: local_data_folder.as_ref().map(write_json),
        param: write_json(&param),
        env: write_json(&env),
        slurm: write_json(&slurm),
        slurm_id: legacy.slurm_id,
        state: state.as_str().to_owned(),
        step: Step::Prepare.as_str().to_owned(),
        lease_holder: None,
        lease_until: None,
        lease_epoch: None,
        fence: 0,
        revision: 0,
        intent: None,
        intent_by: None,
        cause,
        blocked_reason: None,
        next_probe_at: None,
        attempts: 0,
        template_id,
        template_sha: None,
        template_address: None,
        is_mpi_approved: false,
        manifest: None,
        result_listing: None,
        remote_executable_folder_id,
        executable_copy_id: None,
        remote_data_folder_id,
        remote_result_folder_id,
        nodes: amount(legacy.nodes),
        cpus: amount(legacy.cpus),
        cpu_time: amount(legacy.cpu_time),
        memory: amount(legacy.memory),
        memory_usage: amount(legacy.memory_usage),
        walltime: amount(legacy.walltime),
        is_failed: matches!(state, State::Failed | State::Cancelled),
        account: None,
        secret_token: None,
        data_transfer: None,
        created_at,
        updated_at,
        deleted_at: deleted_at(legacy.deleted_at, updated_at, created_at),
        submitted_at: at_event(EventKind::JobQueued).or(queued_at),
        queued_at: at_event(EventKind::JobRegistered).or(queued_at),
        initialized_at: read_optional(legacy.initialized_at),
        started_at: None,
        finished_at,
    };
    Some(Mapped {
        row,
        closing,
        notes,
    })
}

struct Outcome {
    state: State,
    cause: Option<String>,
}

fn outcome(legacy: &tables::job::Model, events: &[tables::event::Model]) -> Outcome {
    let says = |event: &tables::event::Model| Some(storable(&event.message));
    let last_of = |name: &str| events.iter().rev().find(|event| event.kind == name);
    let cancelled = events
        .iter()
        .rev()
        .find(|event| event.kind.contains("CANCEL"));
    let ended = last_of(EventKind::JobEnded.as_str());
    let failed = last_of(EventKind::JobFailed.as_str());
    let is_over =
        read_optional(legacy.finished_at).is_some() || ended.is_some() || failed.is_some();
    if let (Some(event), true) = (cancelled, is_over) {
        return Outcome {
            state: State::Cancelled,
            cause: says(event),
        };
    }
    if failed.is_some() || (is_over && legacy.is_failed) {
        let cause = failed.and_then(says);
        return Outcome {
            state: State::Failed,
            cause: cause.or_else(|| Some("the legacy server gave no reason".to_owned())),
        };
    }
    if is_over {
        return Outcome {
            state: State::Ended,
            cause: None,
        };
    }
    let was_submitted = read_optional(legacy.queued_at).is_some()
        || read_optional(legacy.initialized_at).is_some()
        || legacy.slurm_id.is_some()
        || legacy.is_failed
        || !events.is_empty();
    if was_submitted {
        return Outcome {
            state: State::Failed,
            cause: Some(UNFINISHED.to_owned()),
        };
    }
    Outcome {
        state: State::Created,
        cause: None,
    }
}

fn closes(kind: &str) -> bool {
    [EventKind::JobEnded, EventKind::JobFailed]
        .iter()
        .any(|closing| closing.as_str() == kind)
}

/// Clients watch a job until it is closed.
fn closing_event(id: &JobId, cause: Option<&str>) -> NewEvent {
    match cause {
        Some(cause) => NewEvent::failed(id, &Cause::new(cause)),
        None => NewEvent::ended(id),
    }
}

/// The last time at which anything is known of the job.
fn last_seen(legacy: &tables::job::Model, events: &[tables::event::Model]) -> i64 {
    let of_row = [legacy.updated_at, legacy.queued_at, legacy.initialized_at];
    let of_row = of_row.into_iter().filter_map(read_optional);
    let of_events = events.iter().filter_map(|event| read(event.created_at));
    of_row
        .chain(of_events)
        .max()
        .unwrap_or_else(|| made_at(legacy.created_at, &legacy.id))
}

/// Text that is no JSON.
struct Unreadable;

fn read_value(text: Option<String>) -> Result<Option<Value>, Unreadable> {
    let Some(text) = text.filter(|text| !text.trim().is_empty()) else {
        return Ok(None);
    };
    let value: Value = serde_json::from_str(&text).map_err(|_| Unreadable)?;
    Ok(Some(value).filter(|value| !value.is_null()))
}

/// What accounting did not know was sometimes written as a negative number.
fn amount(value: Option<i64>) -> Option<i64> {
    value.filter(|&value| value >= 0)
}

#[cfg(test)]
#[path = "job_tests.rs"]
mod tests;
