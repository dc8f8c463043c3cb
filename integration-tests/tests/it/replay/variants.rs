//! What the recording has for one route, asked of the others as well, and what lies
//! between its cases.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use compute_integration_tests::Client;
use serde_json::{Value, json};

use super::world::{self, Scene};

/// Callers: name, and the recorded host and token.
const CALLERS: [(&str, &str); 10] = [
    ("alice", "127.0.0.1:8000@alicetoken"),
    ("alice elsewhere", "localhost:8000@alicetoken"),
    ("bob", "127.0.0.1:8000@bobtoken"),
    ("denied", "127.0.0.1:8000@deniedtoken"),
    ("nobody", "127.0.0.1:8000@nosuchtoken"),
    ("of no hub", "evil.example.org@x"),
    ("without @", "noatsign"),
    ("with two @", "a@b@c"),
    ("of a hub that is down", "localhost:8999@x"),
    ("empty", ""),
];

struct Asked {
    client: Client,
    scene: Scene,
}

impl Asked {
    /// Asks and compares status and error text; `""` is no error.
    async fn expect(
        &self,
        caller: &str,
        (method, path, body): (&str, &str, &Value),
        (status, error): (u16, &str),
    ) -> anyhow::Result<Value> {
        let token = CALLERS.iter().find(|(name, _)| *name == caller);
        let token = self.scene.names.text(token.map_or("", |(_, token)| *token));
        let client = self.client.with_token(&BASE64_STANDARD.encode(token));
        let answer = client.call(method.parse()?, path, body.clone()).await?;
        let what = format!("{caller}: {method} {path} {body}: {answer:?}");
        assert_eq!(answer.status, status, "{what}");
        let said = answer.body["error"].as_str().unwrap_or_default();
        assert!(
            said == error || (!error.is_empty() && said.starts_with(error)),
            "{what}"
        );
        Ok(answer.body)
    }
}

async fn started() -> anyhow::Result<Asked> {
    let scene = world::start().await?;
    let client = scene.world.client("alice")?;
    Ok(Asked { client, scene })
}

/// Ways in which a route answers a caller who is not known.
const USER: [(u16, &str); 2] = [
    (402, "invalid token"),
    (404, "Cannot find jupyterhubHost in allowlist"),
];
const CHANGE: [(u16, &str); 2] = [(402, "invalid token"); 2];
const JOB: [(u16, &str); 2] = [(401, "submit without login is not allowed"); 2];

#[tokio::test]
async fn callers_who_are_not_known() -> anyhow::Result<()> {
    let asked = started().await?;
    for (method, path, body, [refused, no_hub]) in [
        ("GET", "/user", json!({}), USER),
        ("GET", "/user/jupyter-globus", json!({}), USER),
        ("GET", "/user/job", json!({}), USER),
        ("GET", "/user/slurm-usage", json!({}), CHANGE),
        ("GET", "/folder", json!({}), CHANGE),
        ("GET", "/folder/x", json!({}), CHANGE),
        ("PUT", "/folder/x", json!({"name": "n"}), CHANGE),
        ("DELETE", "/folder/x", json!({}), CHANGE),
        ("GET", "/statistic/job/x", json!({}), CHANGE),
        ("POST", "/job", json!({"hpc": "nope"}), CHANGE),
        ("PUT", "/job/x", json!({"param": {}}), CHANGE),
        ("GET", "/job/x", json!({}), JOB),
        ("GET", "/job/x/events", json!({}), JOB),
        ("GET", "/job/x/logs", json!({}), JOB),
        ("GET", "/job/x/result-folder-content", json!({}), JOB),
        ("POST", "/job/x/submit", json!({}), JOB),
        ("PUT", "/job/x/cancel", json!({"jobId": "x"}), JOB),
        ("PUT", "/job/x/pause", json!({}), JOB),
        ("PUT", "/job/x/resume", json!({}), JOB),
    ] {
        let request = (method, path, &body);
        asked.expect("nobody", request, refused).await?;
        for caller in ["of no hub", "without @", "with two @", "empty"] {
            asked.expect(caller, request, no_hub).await?;
        }
        asked
            .expect(
                "of a hub that is down",
                request,
                (503, "the JupyterHub localhost:"),
            )
            .await?;
    }
    Ok(())
}

#[tokio::test]
async fn jobs_are_made_where_their_owner_may() -> anyhow::Result<()> {
    let asked = started().await?;
    for (caller, body, answer) in [
        ("alice", json!({}), (200, "")),
        (
            "alice",
            json!({"hpc": null, "maintainer": null, "user": null}),
            (200, ""),
        ),
        ("alice", json!({"hpc": "bare_hpc"}), (200, "")),
        ("alice", json!({"hpc": "down_hpc"}), (200, "")),
        ("alice", json!({"maintainer": "ghost"}), (200, "")),
        ("alice", json!({"printHelp": true, "x": [1]}), (200, "")),
        ("alice elsewhere", json!({}), (200, "")),
        ("alice", json!({"hpc": ""}), (401, "unrecognized hpc")),
        (
            "alice",
            json!({"hpc": "__proto__"}),
            (401, "unrecognized hpc"),
        ),
        (
            "alice",
            json!({"hpc": "toString"}),
            (401, "unrecognized hpc"),
        ),
        (
            "alice",
            json!({"maintainer": "__proto__"}),
            (401, "unrecognized maintainer"),
        ),
        (
            "alice",
            json!({"maintainer": "nope", "hpc": "nope"}),
            (401, "unrecognized maintainer"),
        ),
        ("denied", json!({}), (401, "Not authorized for HPC")),
        (
            "denied",
            json!({"hpc": "local_hpc"}),
            (401, "Not authorized for HPC"),
        ),
        ("denied", json!({"hpc": "bare_hpc"}), (200, "")),
        (
            "bob",
            json!({"hpc": "private_hpc"}),
            (401, "Not authorized for HPC"),
        ),
        (
            "alice elsewhere",
            json!({"hpc": "private_hpc"}),
            (401, "Not authorized for HPC"),
        ),
        ("alice", json!({"hpc": 5}), (402, "invalid input")),
        (
            "alice",
            json!({"hpc": ["local_hpc"]}),
            (402, "invalid input"),
        ),
    ] {
        asked
            .expect(caller, ("POST", "/job", &body), answer)
            .await?;
    }
    Ok(())
}

/// Of one job of Alice's that is never submitted.
#[tokio::test]
async fn a_draft_is_its_owners_and_within_the_limits() -> anyhow::Result<()> {
    let asked = started().await?;
    let id = asked
        .scene
        .world
        .client("alice")?
        .prepare("hello_world", json!({"hpc": "local_hpc"}))
        .await?;
    let path = format!("/job/{id}");
    for (rest, method, error) in [
        ("", "GET", "invalid access"),
        ("/events", "GET", "invalid access token"),
        ("/logs", "GET", "invalid access"),
        ("/result-folder-content", "GET", "invalid access"),
        ("/submit", "POST", "invalid access"),
    ] {
        for path in [format!("{path}{rest}"), format!("/job/nosuchjob{rest}")] {
            asked
                .expect("bob", (method, &path, &json!({})), (401, error))
                .await?;
        }
        if method == "GET" {
            asked
                .expect(
                    "alice",
                    (method, &format!("{path}{rest}"), &json!({})),
                    (200, ""),
                )
                .await?;
        }
    }
    for (caller, path) in [("bob", path.as_str()), ("alice", "/job/nosuchjob")] {
        for rest in ["/cancel", "/pause", "/resume"] {
            let answer = (402, "job is not in queue or running jobs");
            asked
                .expect(
                    caller,
                    ("PUT", &format!("{path}{rest}"), &json!({})),
                    answer,
                )
                .await?;
        }
        asked
            .expect(
                caller,
                ("PUT", path, &json!({"param": {}})),
                (402, "invalid access"),
            )
            .await?;
    }
    for (change, answer) in [
        (json!({"param": {}}), (200, "")),
        (json!({"param": null, "env": {"E": "x"}}), (200, "")),
        (json!({"param": null}), (402, "nothing to update")),
        (
            json!({"localResultFolder": {"type": "globus"}}),
            (402, "nothing to update"),
        ),
        (
            json!({"remoteExecutableFolder": "nosuch"}),
            (402, "unknown folder with id nosuch"),
        ),
        (json!({"env": "E=x"}), (402, "invalid input")),
    ] {
        asked
            .expect("alice", ("PUT", &path, &change), answer)
            .await?;
    }
    for (slurm, error) in [
        (
            json!({"num_of_task": 5}),
            "slurm config num_of_task exceeds the threshold of 4 (current value 5)",
        ),
        (
            json!({"num_of_task": "100"}),
            "slurm config num_of_task exceeds the threshold of 4 (current value 100)",
        ),
        (
            json!({"num_of_node": 51}),
            "slurm config num_of_node exceeds the threshold of 50 (current value 51)",
        ),
        (
            json!({"cpu_per_task": 51}),
            "slurm config cpu_per_task exceeds the threshold of 50 (current value 51)",
        ),
        (
            json!({"gpus": 21}),
            "slurm config gpus exceeds the threshold of 20 (current value 21)",
        ),
        (
            json!({"gpus_per_task": 21}),
            "slurm config gpus_per_task exceeds the threshold of 20 (current value 21)",
        ),
        (
            json!({"memory": "9GB"}),
            "slurm config memory exceeds the threshold of 8G (current value 9GB)",
        ),
        (
            json!({"memory": "9000M"}),
            "slurm config memory exceeds the threshold of 8G (current value 9000M)",
        ),
        (
            json!({"memory_per_gpu": "11G"}),
            "slurm config memory_per_gpu exceeds the threshold of 10G (current value 11G)",
        ),
        (
            json!({"memory_per_cpu": "11g"}),
            "slurm config memory_per_cpu exceeds the threshold of 10G (current value 11g)",
        ),
        (
            json!({"time": "03:00:00"}),
            "slurm config time exceeds the threshold of ",
        ),
        (json!({"time": 5}), "slurm config time"),
        (json!({"memory": 9000}), "slurm config memory"),
    ] {
        asked
            .expect("alice", ("PUT", &path, &json!({"slurm": slurm})), (200, ""))
            .await?;
        asked
            .expect(
                "alice",
                ("POST", &format!("{path}/submit"), &json!({})),
                (402, error),
            )
            .await?;
    }
    Ok(())
}

#[tokio::test]
async fn users_and_templates() -> anyhow::Result<()> {
    let asked = started().await?;
    let nothing = json!({});
    let globus = ("GET", "/user/jupyter-globus", &nothing);
    let elsewhere = asked.expect("alice elsewhere", globus, (200, "")).await?;
    assert_eq!(
        elsewhere,
        json!({"endpoint": "99999999-bbbb-cccc-dddd-eeeeeeeeeeee",
            "root_path": "/~/mnt/jupyter-data/iguide-claim-alice", "container_home_path": "/home/jovyan/"})
    );
    assert_eq!(
        asked.expect("bob", globus, (200, "")).await?["root_path"],
        "/~/mnt/notebook_home_data/bob"
    );
    let jobs = asked
        .expect("bob", ("GET", "/user/job", &nothing), (200, ""))
        .await?;
    assert_eq!(jobs, json!({"job": []}));
    let folders = asked
        .expect("bob", ("GET", "/folder", &nothing), (200, ""))
        .await?;
    assert_eq!(folders, json!({"folder": []}));
    let usage = ("GET", "/user/slurm-usage?format=True", &nothing);
    assert_eq!(
        asked.expect("bob", usage, (200, "")).await?["memory"],
        "0kb"
    );
    let all = asked
        .expect("empty", ("GET", "/git", &nothing), (200, ""))
        .await?;
    let one = asked
        .expect("empty", ("GET", "/git/stages", &nothing), (200, ""))
        .await?;
    assert_eq!(one, all["git"]["stages"]);
    for hidden in ["unapproved", "nosuch"] {
        asked
            .expect(
                "alice",
                ("GET", &format!("/git/{hidden}"), &nothing),
                (404, "unknown git"),
            )
            .await?;
    }
    Ok(())
}
