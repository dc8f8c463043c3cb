//! Corrections that are not about jobs.

use serde_json::{Value, json};

use super::{Correction, body, folder, instead};

pub(super) fn corrections() -> Vec<Correction> {
    vec![
        Correction {
            name: "errors are JSON: unknown route",
            reason: "the client cannot read HTML",
            cases: &["021"],
            corrected: |reply| instead(reply, 404, json!({"error": "unknown route /ts-docs"})),
        },
        Correction {
            name: "errors are JSON: malformed body",
            reason: "the client cannot read HTML",
            cases: &["022", "023", "024"],
            corrected: |reply| instead(reply, 400, json!({"error": "malformed body: …"})),
        },
        Correction {
            name: "a hub that does not answer is 503",
            reason: "the token may be good: trying again helps, logging in again does not",
            cases: &["042", "062", "082", "092", "102"],
            corrected: |reply| {
                let error = "the JupyterHub localhost:8999 does not answer: try again in a moment";
                instead(reply, 503, json!({"error": error}));
            },
        },
        Correction {
            name: "access lists are not shown",
            reason: "who is admitted or refused is nobody else's business",
            cases: &["007"],
            corrected: |reply| {
                let hpcs = body(reply).and_then(|body| body.get_mut("hpc")?.as_object_mut());
                for hpc in hpcs.into_iter().flat_map(|hpcs| hpcs.values_mut()) {
                    if let Some(hpc) = hpc.as_object_mut() {
                        hpc.remove("allowlist");
                        hpc.remove("denylist");
                    }
                }
            },
        },
        Correction {
            name: "Globus of an HPC is not shown",
            reason: "identity, endpoint and root path are the operator's, in whose name is transferred",
            cases: &["007"],
            corrected: |reply| {
                let hpcs = body(reply).and_then(|body| body.get_mut("hpc")?.as_object_mut());
                for hpc in hpcs.into_iter().flat_map(|hpcs| hpcs.values_mut()) {
                    if hpc.get("globus").is_some() {
                        hpc["globus"] = json!({});
                    }
                }
            },
        },
        Correction {
            name: "a default HPC exists",
            reason: "a configuration that cannot work is refused when the services start, so \
                that maintainer is not in the configuration of the replay",
            cases: &["009"],
            corrected: |reply| remove(reply, "maintainer", "baddefault"),
        },
        Correction {
            name: "approved templates only",
            reason: "the operator's approval is what protects the HPC's account",
            cases: &["014"],
            corrected: |reply| remove(reply, "git", "unapproved"),
        },
        Correction {
            name: "format=False gives numbers",
            reason: "the client asks for it, and was not heard",
            cases: &["108"],
            corrected: |reply| {
                let usage = body(reply).and_then(Value::as_object_mut);
                for figure in usage.into_iter().flat_map(|usage| usage.values_mut()) {
                    *figure = json!(0);
                }
            },
        },
        Correction {
            name: "false is a value",
            reason: "a folder can be made read-only again",
            cases: &["253"],
            corrected: |reply| instead(reply, 200, result_folder("my result", false)),
        },
        Correction {
            name: "an empty text is a value",
            reason: "a name can be taken away again",
            cases: &["255"],
            corrected: |reply| instead(reply, 200, result_folder("", true)),
        },
    ]
}

fn remove(reply: &mut Option<super::Reply>, part: &str, key: &str) {
    if let Some(part) = body(reply).and_then(|body| body.get_mut(part)?.as_object_mut()) {
        part.remove(key);
    }
}

/// The result folder of the job that the recording follows.
fn result_folder(name: &str, is_writable: bool) -> Value {
    let mut folder = folder("1795457905CwpWD");
    folder["name"] = json!(name);
    folder["isWritable"] = json!(is_writable);
    folder
}
