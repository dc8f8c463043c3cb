//! Intended differences: one entry for each defect of the legacy server that is
//! not kept, or for its consequences.

mod globus;
mod jobs;
mod site;

use serde_json::{Value, json};

use super::cases::{Content, Reply};

/// A correction.
pub(crate) struct Correction {
    pub(crate) name: &'static str,
    pub(crate) reason: &'static str,
    /// Numbers of the cases that it changes; each would differ without it.
    pub(crate) cases: &'static [&'static str],
    /// Turns the recorded response into the expected one.
    pub(crate) corrected: fn(&mut Option<Reply>),
}

/// All of them.
pub(crate) fn all() -> Vec<Correction> {
    [
        site::corrections(),
        jobs::corrections(),
        globus::corrections(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A different response; a text can end in `…` for any continuation.
fn instead(reply: &mut Option<Reply>, status: u16, body: Value) {
    let content = Content::Json(body);
    *reply = Some(Reply { status, content });
}

/// The response to a caller who has no such job.
fn no_such_job(reply: &mut Option<Reply>, status: u16, id: &str) {
    let messages = [format!("you have no job with id {id}")];
    let body = json!({"error": "invalid access", "messages": messages});
    instead(reply, status, body);
}

/// The recorded body, mutable.
fn body(reply: &mut Option<Reply>) -> Option<&mut Value> {
    match &mut reply.as_mut()?.content {
        Content::Json(body) => Some(body),
        Content::Text { .. } => None,
    }
}

/// Sets one field of the recorded body.
fn set(reply: &mut Option<Reply>, key: &str, value: Value) {
    if let Some(body) = body(reply).and_then(Value::as_object_mut) {
        body.insert(key.to_owned(), value);
    }
}

/// A folder of Alice's that was created for a job and not changed since.
fn folder(id: &str) -> Value {
    json!({
        "id": id, "name": null, "hpc": "local_hpc", "hpcPath": format!("/hpc/cg/scratch/{id}"),
        "globusPath": format!("/{id}"), "userId": "alice@127.0.0.1:8000", "isWritable": false,
        "createdAt": "2026-11-23T18:18:24.907Z", "updatedAt": null, "deletedAt": null,
    })
}
