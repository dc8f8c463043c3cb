//! A job of the older server as one of ours: where it stands, and why.

use compute_domain::{
    ids::JobId,
    job::{Cause, EventKind, NewEvent, State, Step},
};
use serde_json::{Map, Value};

use super::{
    report::Note,
    rows::storable_of,
    tables,
    time::{deleted_at, made_at, read, read_optional},
};
use crate::{
    convert::{storable, write_json},
    entity::job,
};

/// Why a job that the older server carried when it stopped did not end well.
pub(super) const UNFINISHED: &str = "the older server did not finish this job";

/// A job that can be written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mapped {
    pub(super) row: job::Model,
    /// The event that closes it, if the older server wrote none, and its time.
    pub(super) closing: Option<(NewEvent, i64)>,
    /// What could not be taken over as it was.
    pub(super) notes: Vec<Note>,
}

/// The job with its events in the order in which they happened; `None` if nobody
/// owns it. Folders that are not `here` are not named.
pub(super) fn map(
    older: tables::job::Model,
    events: &[tables::event::Model],
    here: impl Fn(&str) -> bool,
) -> Option<Mapped> {
    let user_id = older.user_id.clone().filter(|user| !user.is_empty())?;
    let Verdict { state, cause } = verdict(&older, events);
    let created_at = made_at(older.created_at, &older.id);
    let updated_at = read_optional(older.updated_at);
    let finished_at = state
        .is_terminal()
        .then(|| read_optional(older.finished_at).unwrap_or_else(|| last_seen(&older, events)));
    let at_event = |kind: EventKind| {
        let of_kind = events.iter().find(|event| event.kind == kind.as_str());
        read(of_kind?.created_at)
    };
    let was_submitted = state != State::Created;
    let queued_at = read_optional(older.queued_at).filter(|_| was_submitted);

    let mut notes = Vec::new();
    let mut folder = |id: Option<String>| {
        let known = id.clone().filter(|id| here(id));
        if known != id {
            notes.push(Note::FolderNotHere);
        }
        known
    };
    let remote_executable_folder_id = folder(older.remote_executable_folder_id);
    let remote_data_folder_id = folder(older.remote_data_folder_id);
    let remote_result_folder_id = folder(older.remote_result_folder_id);
    let mut object = |text: Option<String>| match read_value(text) {
        Ok(None) => Map::new(),
        Ok(Some(Value::Object(map))) => map,
        Ok(Some(_)) | Err(Unreadable) => {
            notes.push(Note::UnreadableJson);
            Map::new()
        }
    };
    let (param, env, slurm) = (object(older.param), object(older.env), object(older.slurm));
    let mut value = |text: Option<String>| {
        read_value(text).unwrap_or_else(|Unreadable| {
            notes.push(Note::UnreadableJson);
            None
        })
    };
    let local_executable_folder = value(older.local_executable_folder);
    let local_data_folder = value(older.local_data_folder);
    let template_id = local_executable_folder
        .as_ref()
        .and_then(|folder| Some(folder.get("gitId")?.as_str()?.to_owned()))
        .filter(|_| was_submitted);

    let id = JobId::from_text(older.id.as_str());
    let closing = finished_at
        .filter(|_| !events.iter().any(|event| closes(&event.kind)))
        .map(|at| (closing_event(&id, cause.as_deref()), at));
    let row = job::Model {
        id: older.id,
        user_id,
        name: storable_of(older.name),
        maintainer: older.maintainer,
        hpc: older.hpc,
        local_executable_folder: local_executable_folder.as_ref().map(write_json),
        local_data_folder: local_data_folder.as_ref().map(write_json),
        param: write_json(&param),
        env: write_json(&env),
        slurm: write_json(&slurm),
        slurm_id: older.slurm_id,
        state: state.as_str().to_owned(),
        step: Step::Prepare.as_str().to_owned(),
        lease_holder: None,
        lease_until: None,
        fence: 0,
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
        nodes: amount(older.nodes),
        cpus: amount(older.cpus),
        cpu_time: amount(older.cpu_time),
        memory: amount(older.memory),
        memory_usage: amount(older.memory_usage),
        walltime: amount(older.walltime),
        is_failed: matches!(state, State::Failed | State::Cancelled),
        account: None,
        secret_token: None,
        data_transfer: None,
        created_at,
        updated_at,
        deleted_at: deleted_at(older.deleted_at, updated_at, created_at),
        submitted_at: at_event(EventKind::JobQueued).or(queued_at),
        queued_at: at_event(EventKind::JobRegistered).or(queued_at),
        initialized_at: read_optional(older.initialized_at),
        started_at: None,
        finished_at,
    };
    Some(Mapped {
        row,
        closing,
        notes,
    })
}

struct Verdict {
    state: State,
    cause: Option<String>,
}

fn verdict(older: &tables::job::Model, events: &[tables::event::Model]) -> Verdict {
    let says = |event: &tables::event::Model| Some(storable(&event.message));
    let last_of = |name: &str| events.iter().rev().find(|event| event.kind == name);
    let cancelled = events
        .iter()
        .rev()
        .find(|event| event.kind.contains("CANCEL"));
    let ended = last_of(EventKind::JobEnded.as_str());
    let failed = last_of(EventKind::JobFailed.as_str());
    let is_over = read_optional(older.finished_at).is_some() || ended.is_some() || failed.is_some();
    if let (Some(event), true) = (cancelled, is_over) {
        return Verdict {
            state: State::Cancelled,
            cause: says(event),
        };
    }
    if failed.is_some() || (is_over && older.is_failed) {
        let cause = failed.and_then(says);
        return Verdict {
            state: State::Failed,
            cause: cause.or_else(|| Some("the older server gave no reason".to_owned())),
        };
    }
    if is_over {
        return Verdict {
            state: State::Ended,
            cause: None,
        };
    }
    let was_submitted = read_optional(older.queued_at).is_some()
        || read_optional(older.initialized_at).is_some()
        || older.slurm_id.is_some()
        || older.is_failed
        || !events.is_empty();
    if was_submitted {
        return Verdict {
            state: State::Failed,
            cause: Some(UNFINISHED.to_owned()),
        };
    }
    Verdict {
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
fn last_seen(older: &tables::job::Model, events: &[tables::event::Model]) -> i64 {
    let of_row = [older.updated_at, older.queued_at, older.initialized_at];
    let of_row = of_row.into_iter().filter_map(read_optional);
    let of_events = events.iter().filter_map(|event| read(event.created_at));
    of_row
        .chain(of_events)
        .max()
        .unwrap_or_else(|| made_at(older.created_at, &older.id))
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
