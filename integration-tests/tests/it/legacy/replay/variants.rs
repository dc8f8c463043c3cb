//! Cases of the recording for one route, sent to the other routes as well, and cases
//! in between.

mod jobs;

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
    /// Sends a request and compares status and error text; `""` is no error.
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

/// Responses of a route to an unknown caller.
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
