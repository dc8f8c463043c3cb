//! Rejected requests and their error texts; folders of another user do not exist.

use compute_integration_tests::{Template, World};
use serde_json::json;

fn ruled() -> Template {
    Template::bare("ruled", "true")
        .with("param_rules", json!({
            "a": {"type": "integer", "max": 10, "min": 0, "default_value": 5, "step": 1},
            "s": {"type": "string_option", "options": ["x", "y"], "default_value": "x"}}))
        .with("slurm_input_rules", json!({"time": {"max": 60, "min": 1, "default_value": 10, "step": 1, "unit": "Minutes"}}))
}

#[tokio::test]
async fn limits_and_types_are_refused_with_a_sentence() -> anyhow::Result<()> {
    let world = World::with([ruled()]).await?;
    let alice = world.client("alice")?;
    for (settings, words) in [
        (
            json!({"slurm": {"num_of_task": 5}}),
            "slurm config num_of_task exceeds the threshold of 4 (current value 5)",
        ),
        (
            json!({"slurm": {"memory": "9G"}}),
            "slurm config memory exceeds the threshold of 8G (current value 9G)",
        ),
        (
            json!({"slurm": {"memory_per_cpu": "11GB"}}),
            "slurm config memory_per_cpu exceeds the threshold of 10G (current value 11GB)",
        ),
        (json!({"slurm": {"num_of_task": "many"}}), "num_of_task"),
        (
            json!({"slurm": {"partition": "a\n#SBATCH --uid=0"}}),
            "partition",
        ),
        (json!({"param": {"a": 11}}), "a"),
        (json!({"param": {"a": "eleven"}}), "a"),
        (json!({"param": {"s": "z"}}), "s"),
    ] {
        let id = alice.prepare("ruled", settings.clone()).await?;
        let answer = alice.post(&format!("/job/{id}/submit"), json!({})).await?;
        assert_eq!(answer.status, 402, "{settings}: {answer:?}");
        let error = answer.body["error"].as_str().unwrap_or_default();
        assert!(error.contains(words), "{settings}: {answer:?}");
    }
    Ok(())
}

#[tokio::test]
async fn someone_elses_job_looks_like_no_job() -> anyhow::Result<()> {
    let world = World::with([ruled()]).await?;
    let (alice, bob) = (world.client("alice")?, world.client("bob")?);
    let hers = alice.prepare("ruled", json!({"param": {"a": 1}})).await?;
    for (method, path, body) in [
        ("GET", "", json!({})),
        ("PUT", "", json!({"param": {"a": 2}})),
        ("GET", "/events", json!({})),
        ("GET", "/logs", json!({})),
        ("GET", "/result-folder-content", json!({})),
        ("POST", "/submit", json!({})),
        ("PUT", "/cancel", json!({})),
    ] {
        let method: reqwest::Method = method.parse()?;
        let path_of = |id: &str| format!("/job/{id}{path}");
        let of_hers = bob
            .call(method.clone(), &path_of(&hers), body.clone())
            .await?;
        let of_none = bob
            .call(method.clone(), &path_of("1795457659XXXXX"), body)
            .await?;
        assert!(of_hers.status >= 400, "{method} {path}: {of_hers:?}");
        assert_eq!(of_hers.status, of_none.status, "{method} {path}");
        let named = of_none.body.to_string().replace("1795457659XXXXX", &hers);
        assert_eq!(of_hers.body.to_string(), named, "{method} {path}");
    }
    assert_eq!(alice.job(&hers).await?["param"], json!({"a": 1}));
    assert!(!bob.get("/user/job").await?.body.to_string().contains(&hers));
    Ok(())
}

/// base64 of `HOST@TOKEN`.
fn token(host: &str, token: &str) -> String {
    use base64::Engine as _;
    base64::prelude::BASE64_STANDARD.encode(format!("{host}@{token}"))
}

#[tokio::test]
async fn who_is_not_known_is_refused_as_each_route_always_did() -> anyhow::Result<()> {
    let world = World::with([]).await?;
    let alice = world.client("alice")?;
    let host = world.parts.text("hub", "host")?;
    let refused = alice.with_token(&token(&host, "nosuchtoken"));
    let elsewhere = alice.with_token(&token("evil.example.org", "x"));
    let no_login = "submit without login is not allowed";
    // Method, path, then the responses to a token that its hub rejects, and to one
    // of a host that is not a listed hub.
    for (method, path, hub_refuses, unknown_host) in [
        (
            "GET",
            "/user",
            (402, "invalid token"),
            (404, "Cannot find jupyterhubHost in allowlist"),
        ),
        (
            "GET",
            "/user/job",
            (402, "invalid token"),
            (404, "Cannot find jupyterhubHost in allowlist"),
        ),
        (
            "GET",
            "/user/jupyter-globus",
            (402, "invalid token"),
            (404, "Cannot find jupyterhubHost in allowlist"),
        ),
        (
            "GET",
            "/folder",
            (402, "invalid token"),
            (402, "invalid token"),
        ),
        (
            "GET",
            "/folder/x",
            (402, "invalid token"),
            (402, "invalid token"),
        ),
        (
            "PUT",
            "/folder/x",
            (402, "invalid token"),
            (402, "invalid token"),
        ),
        (
            "DELETE",
            "/folder/x",
            (402, "invalid token"),
            (402, "invalid token"),
        ),
        (
            "POST",
            "/job",
            (402, "invalid token"),
            (402, "invalid token"),
        ),
        (
            "PUT",
            "/job/x",
            (402, "invalid token"),
            (402, "invalid token"),
        ),
        ("GET", "/job/x", (401, no_login), (401, no_login)),
        ("GET", "/job/x/events", (401, no_login), (401, no_login)),
        ("GET", "/job/x/logs", (401, no_login), (401, no_login)),
        (
            "GET",
            "/job/x/result-folder-content",
            (401, no_login),
            (401, no_login),
        ),
        ("POST", "/job/x/submit", (401, no_login), (401, no_login)),
        ("PUT", "/job/x/cancel", (401, no_login), (401, no_login)),
        ("PUT", "/job/x/pause", (401, no_login), (401, no_login)),
        ("PUT", "/job/x/resume", (401, no_login), (401, no_login)),
    ] {
        for (client, (status, words)) in [(&refused, hub_refuses), (&elsewhere, unknown_host)] {
            for prefix in ["", "/v2"] {
                let answer = client
                    .call(method.parse()?, &format!("{prefix}{path}"), json!({}))
                    .await?;
                assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
                assert_eq!(answer.body["error"], words, "{method} {path}");
            }
        }
        let nothing = alice
            .with_token("")
            .call(method.parse()?, path, json!({}))
            .await?;
        assert!(nothing.status >= 400, "{method} {path}: {nothing:?}");
    }
    Ok(())
}

#[tokio::test]
async fn folders_are_their_owners() -> anyhow::Result<()> {
    let world = World::with([ruled()]).await?;
    let (alice, bob) = (world.client("alice")?, world.client("bob")?);
    let job = alice.submit("ruled", json!({})).await?;
    let job = alice.over(&job, crate::SOON).await?;
    let id = job["remoteResultFolder"]["id"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let path = format!("/folder/{id}");
    assert_eq!(bob.get(&path).await?.body, json!([]));
    for (method, body) in [("PUT", json!({"name": "mine"})), ("DELETE", json!({}))] {
        let answer = bob.call(method.parse()?, &path, body).await?;
        assert_eq!(answer.status, 404, "{answer:?}");
        assert_eq!(answer.body["error"], format!("unknown folder with id {id}"));
    }
    let renamed = alice
        .put(&path, json!({"name": "results", "isWritable": false}))
        .await?;
    assert_eq!(renamed.body["name"], "results");
    assert_eq!(
        alice.get("/folder").await?.body["folder"]
            .as_array()
            .map(Vec::len),
        Some(2)
    );
    let deleted = alice.call("DELETE".parse()?, &path, json!({})).await?;
    assert_eq!(deleted.body, json!({"success": true}));
    assert_eq!(alice.get(&path).await?.body, json!([]));
    let job = alice.job(job["id"].as_str().unwrap_or_default()).await?;
    assert_eq!(job["remoteResultFolder"], serde_json::Value::Null);
    Ok(())
}
