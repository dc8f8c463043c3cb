//! Corrections about jobs and their events.

use serde_json::{Value, json};

use super::{Correction, body, folder, instead, no_such_job, set};

const NOT_RUNNING: &str = "job is not in queue or running jobs";

/// Types of events in the order in which they happen.
const ORDER: [&str; 9] = [
    "JOB_QUEUED",
    "JOB_REGISTERED",
    "SLURM_UPLOAD_EXECUTABLE",
    "SLURM_UPLOAD_DATA",
    "SLURM_CREATE_RESULT",
    "SLURM_SUBMIT",
    "SLURM_SUBMIT_SUCCESS",
    "JOB_INIT",
    "JOB_ENDED",
];

pub(super) fn corrections() -> Vec<Correction> {
    [making(), changing(), watching(), controlling()]
        .into_iter()
        .flatten()
        .collect()
}

fn making() -> Vec<Correction> {
    vec![
        Correction {
            name: "no job without an owner",
            reason: "a token of a hub that is not ours made a job that nobody could reach",
            cases: &["113"],
            corrected: |reply| instead(reply, 402, json!({"error": "invalid token"})),
        },
        Correction {
            name: "names are looked up in the configuration only: maintainers",
            reason: "names of JavaScript's own, like `constructor`, were found as well",
            cases: &["117"],
            corrected: |reply| set(reply, "error", json!("unrecognized maintainer")),
        },
        Correction {
            name: "names are looked up in the configuration only: HPCs",
            reason: "names of JavaScript's own, like `constructor`, ended the server",
            cases: &["131"],
            corrected: |reply| {
                let body = json!({"error": "unrecognized hpc", "message": null});
                instead(reply, 401, body);
            },
        },
        Correction {
            name: "names are looked up in the configuration only: callers",
            reason: "the caller is looked at before anything they name",
            cases: &["295"],
            corrected: |reply| instead(reply, 402, json!({"error": "invalid token"})),
        },
        Correction {
            name: "names are looked up in the configuration only: no such job",
            reason: "the maintainer `constructor` is unknown, so it has no job to submit",
            cases: &["294"],
            corrected: |reply| no_such_job(reply, 401, "1795458811Naz3i"),
        },
        Correction {
            name: "null is absent: a job's maintainer",
            reason: "the client sends null for what its user leaves out",
            cases: &["120"],
            corrected: |reply| instead(reply, 200, new_job("1795457551XXXX1", "local_hpc")),
        },
        Correction {
            name: "private accounts are logged in to",
            reason: "no login was ever tried, for want of the right name of a field",
            cases: &["127"],
            corrected: |reply| instead(reply, 200, new_job("1795457551XXXX2", "private_hpc")),
        },
        Correction {
            name: "why there is no login to a private account",
            reason: "a missing password is not reported as a wrong one",
            cases: &["125", "126"],
            corrected: |reply| set(reply, "messages", json!(["…"])),
        },
    ]
}

fn changing() -> Vec<Correction> {
    vec![
        Correction {
            name: "the status says that the caller may not change the job",
            reason: "an error with the status 200 looks like a change",
            cases: &["165"],
            corrected: |reply| no_such_job(reply, 402, "1795457551sZyxD"),
        },
        Correction {
            name: "nothing to update",
            reason: "it used to be an internal error",
            cases: &["168"],
            corrected: |reply| instead(reply, 402, json!({"error": "nothing to update"})),
        },
        Correction {
            name: "remote folders are set, and must be the caller's: unknown",
            reason: "they were dropped silently",
            cases: &["178"],
            corrected: |reply| {
                let body = json!({"error": "unknown folder with id nosuchfolder"});
                instead(reply, 402, body);
            },
        },
        Correction {
            name: "remote folders are set, and must be the caller's",
            reason: "they were dropped silently",
            cases: &["273", "274"],
            corrected: |reply| set(reply, "remoteExecutableFolder", folder("1795457905xovic")),
        },
        Correction {
            name: "no change after submit",
            reason: "nothing would read it",
            cases: &["241"],
            corrected: |reply| {
                let error = "the job is submitted: nothing would read the change";
                instead(reply, 402, json!({"error": error}));
            },
        },
        Correction {
            name: "no change after submit: later",
            reason: "the job still has the parameters that it ran with",
            cases: &["278"],
            corrected: |reply| set(reply, "param", json!({"p": "1"})),
        },
    ]
}

fn watching() -> Vec<Correction> {
    vec![
        Correction {
            name: "the status says that the caller may not see the job",
            reason: "an error with the status 200 looks like a job",
            cases: &["136", "137"],
            corrected: |reply| {
                if let Some(reply) = reply {
                    reply.status = 401;
                }
            },
        },
        Correction {
            name: "result folders in the order of their names",
            reason: "behind `/` they came in the order of the HPC's file system",
            cases: &["238"],
            corrected: |reply| {
                let folders = body(reply).and_then(Value::as_array_mut);
                let texts = |folder: &Value| folder.as_str().map(str::to_owned);
                if let Some(others) = folders.and_then(|folders| folders.get_mut(2..)) {
                    others.sort_by_key(texts);
                }
            },
        },
        Correction {
            name: "what a program writes comes before what it complains of",
            reason: "they came in any order; what Slurm says of a cancelled job is its own affair",
            cases: &["284"],
            corrected: |reply| {
                let logs = body(reply).and_then(|job| job.get_mut("logs")?.as_array_mut());
                let Some(logs) = logs else { return };
                logs.reverse();
                if let Some(last) = logs.last_mut() {
                    last["message"] = json!("…");
                }
            },
        },
        Correction {
            name: "events in the order in which things happen",
            reason: "they came in any order within a burst, between those of single files and \
                connections, which say nothing to the job's owner",
            cases: &["235", "236", "278", "284", "296"],
            corrected: |reply| {
                let Some(body) = body(reply) else { return };
                let events = match body {
                    Value::Array(events) => Some(events),
                    job => job.get_mut("events").and_then(Value::as_array_mut),
                };
                let Some(events) = events else { return };
                let place = |event: &Value| ORDER.iter().position(|of| event["type"] == *of);
                events.retain(|event| place(event).is_some());
                events.sort_by_key(place);
            },
        },
    ]
}

fn controlling() -> Vec<Correction> {
    vec![
        Correction {
            name: "pause and resume answer",
            reason: "they never did",
            cases: &["210", "211"],
            corrected: |reply| instead(reply, 402, json!({"error": NOT_RUNNING})),
        },
        Correction {
            name: "cancel works from submit to the end",
            reason: "a job could not be cancelled until a maintainer had it",
            cases: &["282"],
            corrected: |reply| {
                let messages = ["job successfully added to cancel queue"];
                instead(reply, 200, json!({"messages": messages}));
            },
        },
        Correction {
            name: "only the owner cancels",
            reason: "anybody could",
            cases: &["283"],
            corrected: |reply| instead(reply, 402, json!({"error": NOT_RUNNING})),
        },
        Correction {
            name: "a cancelled job has failed",
            reason: "it looked like one that had ended well",
            cases: &["284"],
            corrected: |reply| {
                set(reply, "isFailed", json!(true));
                let events = body(reply).and_then(|job| job.get_mut("events")?.as_array_mut());
                let Some(events) = events else { return };
                let Some(mut last) = events.pop() else { return };
                for (kind, words) in [("JOB_CANCELLED", "is"), ("JOB_FAILED", "failed:")] {
                    last["type"] = json!(kind);
                    last["message"] = json!(format!(
                        "job [1795457913sIeaA] {words} cancelled by alice@127.0.0.1:8000"
                    ));
                    events.push(last.clone());
                }
            },
        },
    ]
}

/// A new job of Alice's.
pub(super) fn new_job(id: &str, hpc: &str) -> Value {
    json!({
        "id": id, "userId": "alice@127.0.0.1:8000", "secretToken": null,
        "slurmId": null, "maintainer": "community_contribution", "hpc": hpc,
        "remoteExecutableFolder": null, "remoteDataFolder": null, "remoteResultFolder": null,
        "localExecutableFolder": null, "localDataFolder": null, "param": {}, "env": {},
        "slurm": {}, "createdAt": "2026-11-23T18:12:30.861Z", "updatedAt": null,
        "deletedAt": null, "initializedAt": null, "finishedAt": null, "isFailed": false,
        "events": null, "logs": null,
    })
}
