//! The events of one job: each in its place, and once.

/// An event of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its type, e.g. `JOB_QUEUED`.
    pub kind: String,
    /// Its message.
    pub message: String,
    /// When it was written, milliseconds since 1970.
    pub at: i64,
}

/// The events that a job has at most once, in their order.
const ONCE: [&str; 9] = [
    "JOB_QUEUED",
    "JOB_REGISTERED",
    "SLURM_UPLOAD_EXECUTABLE",
    "SLURM_CREATE_RESULT",
    "SLURM_SUBMIT",
    "SLURM_SUBMIT_SUCCESS",
    "JOB_INIT",
    "JOB_CANCELLED",
    "JOB_FAILED",
];

/// The events that each job which ended well has.
const OF_ALL: [&str; 5] = [
    "JOB_QUEUED",
    "JOB_REGISTERED",
    "SLURM_SUBMIT_SUCCESS",
    "JOB_INIT",
    "JOB_ENDED",
];

/// Whether the events of a job in that final state are complete, in order, and each there once.
pub(super) fn are_in_order(state: &str, events: &[Event]) -> bool {
    let count = |kind: &str| events.iter().filter(|event| event.kind == kind).count();
    let place = |event: &Event| ONCE.iter().position(|kind| *kind == event.kind);
    let places: Vec<_> = events.iter().filter_map(place).collect();
    let closing = if state == "ended" {
        "JOB_ENDED"
    } else {
        "JOB_FAILED"
    };
    let closings = count("JOB_ENDED") + count("JOB_FAILED");
    places.is_sorted_by(|one, next| one < next)
        && (state != "ended" || OF_ALL.iter().all(|kind| count(kind) == 1))
        && (state != "cancelled" || count("JOB_CANCELLED") == 1)
        && closings == 1
        && events.last().is_some_and(|last| last.kind == closing)
        && pauses_alternate(events)
        && !has_repeat(events)
}

/// A job is paused and resumed by turns. A resume that comes before the pause took effect has an event, too.
fn pauses_alternate(events: &[Event]) -> bool {
    let is_control = |event: &&Event| matches!(&*event.kind, "JOB_PAUSED" | "JOB_RESUMED");
    let kinds: Vec<_> = events
        .iter()
        .filter(is_control)
        .map(|event| &event.kind)
        .collect();
    kinds
        .iter()
        .zip(kinds.iter().skip(1))
        .all(|(one, next)| one != next)
}

/// Whether one event was written twice.
fn has_repeat(events: &[Event]) -> bool {
    events
        .iter()
        .zip(events.iter().skip(1))
        .any(|(one, next)| one == next)
}
