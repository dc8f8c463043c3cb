//! Corrections about Globus.

use serde_json::{Value, json};

use super::{Correction, body, instead, set};

pub(super) fn corrections() -> Vec<Correction> {
    vec![
        Correction {
            name: "null is absent: where a download begins",
            reason: "the client sends null for what its user leaves out",
            cases: &["223"],
            corrected: |reply| {
                let messages = ["is not of a type(s) string"; 3];
                set(reply, "messages", json!(messages));
            },
        },
        Correction {
            name: "a download of a folder that is not there is refused",
            reason: "it ended the server",
            cases: &["225", "228"],
            corrected: |reply| {
                let error = "cannot find folder with id nosuchfolder";
                instead(reply, 403, json!({"error": error}));
            },
        },
        Correction {
            name: "only the owner sees a download",
            reason: "anybody could",
            cases: &["262"],
            corrected: |reply| {
                let error = "cannot find folder with id 1795457905CwpWD";
                instead(reply, 403, json!({"error": error}));
            },
        },
        Correction {
            name: "no download from outside of the folder",
            reason: "`..` in the path led to any file of the account",
            cases: &["266"],
            corrected: |reply| {
                let error = "the path \"../../../etc\" leads out of the folder";
                instead(reply, 403, json!({"error": error}));
            },
        },
        Correction {
            name: "a job waits for its data",
            reason: "it ran before they were there, and looked as if it had ended well",
            cases: &["296"],
            corrected: |reply| {
                let Some(job) = body(reply) else { return };
                if let Some(logs) = job.get_mut("logs").and_then(Value::as_array_mut) {
                    logs.truncate(1);
                    logs[0]["message"] = json!("init-script-line\nhi\n");
                }
                let events = job.get_mut("events").and_then(Value::as_array_mut);
                let Some(events) = events else { return };
                let upload = |event: &Value| event["type"] == "SLURM_UPLOAD_DATA";
                let Some(at) = events.iter().position(upload) else {
                    return;
                };
                for (kind, message) in [
                    ("GLOBUS_TRANSFER_INIT_SUCCESS", "globus transfer …"),
                    ("GLOBUS_TRANSFER_INIT", "initializing globus transfer"),
                ] {
                    let mut event = events[at].clone();
                    event["type"] = json!(kind);
                    event["message"] = json!(message);
                    events.insert(at + 1, event);
                }
            },
        },
    ]
}
