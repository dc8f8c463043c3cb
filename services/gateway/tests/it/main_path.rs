//! The way of a job through the API: made, configured, submitted, listed, read, cancelled.

use serde_json::{Value, json};

use crate::gateway::{Gateway, of_template};

#[tokio::test]
async fn a_job_is_made_configured_submitted_listed_and_cancelled() {
    let gateway = Gateway::start().await;
    gateway
        .template(
            "hello",
            json!({"param_rules": {"a": {
        "type": "integer", "min": 0, "max": 10, "step": 1, "default_value": 5}}}),
        )
        .await;
    let made = gateway.call("alice", "POST", "/job", json!({})).await.ok();
    assert_eq!(made["state"], "created");
    assert_eq!(made["userId"], format!("alice@{}", gateway.hub.host));
    assert_eq!(made["secretToken"], Value::Null);
    let id = made["id"].as_str().unwrap();
    let path = |rest: &str| format!("/job/{id}{rest}");

    let settings = of_template("hello", json!({"param": {"a": 7}, "name": "first"}));
    let changed = gateway.call("alice", "PUT", &path(""), settings).await.ok();
    assert_eq!(
        (&changed["param"], &changed["name"]),
        (&json!({"a": 7}), &json!("first"))
    );

    let control = async |what: &str| gateway.call("alice", "PUT", &path(what), json!({})).await;
    control("/cancel")
        .await
        .rejected(402, "job is not in queue or running jobs");

    let submitted = gateway
        .call("alice", "POST", &path("/submit"), json!({}))
        .await
        .ok();
    assert_eq!(submitted["state"], "queued");
    assert_eq!(submitted["templateSha"].as_str().map(str::len), Some(40));
    let again = gateway
        .call("alice", "POST", &path("/submit"), json!({}))
        .await;
    again.rejected(401, "job already submitted or in queue");
    let late = gateway
        .call("alice", "PUT", &path(""), json!({"name": "late"}))
        .await;
    late.rejected(402, "the job is submitted: nothing would read the change");

    let listed = gateway.get("alice", "/user/job").await.ok();
    assert_eq!(listed["job"].as_array().map(Vec::len), Some(1));
    assert_eq!(listed["job"][0]["id"], id);
    let events = gateway.get("alice", &path("/events")).await.ok();
    assert_eq!(events[0]["type"], "JOB_QUEUED");
    let read = gateway.get("alice", &path("")).await.ok();
    assert_eq!(read["events"], events);
    assert_eq!(read["logs"], json!([]));
    assert_eq!(gateway.get("alice", &path("/logs")).await.ok(), json!([]));
    let content = gateway.get("alice", &path("/result-folder-content")).await;
    assert_eq!(content.ok(), json!([]));
    let statistic = gateway.get("alice", &format!("/statistic/job/{id}")).await;
    assert_eq!(statistic.ok(), json!({}));

    for what in ["pause", "resume", "cancel"] {
        let reply = control(&format!("/{what}")).await.ok();
        let message = format!("job successfully added to {what} queue");
        assert_eq!(reply, json!({"messages": [message]}));
    }
}

#[tokio::test]
async fn a_job_that_is_over_shows_what_it_used_and_takes_no_intent() {
    let gateway = Gateway::start().await;
    let id = gateway.job("alice", "local_hpc", json!({})).await;
    gateway
        .execute(&format!(
            "UPDATE jobs SET state = 'ended', step = 'collect', submitted_at = 1000, \
             queued_at = 1000, initialized_at = 2000, finished_at = 4500, nodes = 1, cpus = 4, \
             walltime = 93784, memory_usage = 9257, result_listing = '[\"/\", \"/out\"]' \
             WHERE id = '{id}'"
        ))
        .await;
    let path = |rest: &str| format!("/job/{id}{rest}");
    assert_eq!(gateway.get("alice", &path("")).await.ok()["state"], "ended");
    let listing = gateway.get("alice", &path("/result-folder-content")).await;
    assert_eq!(listing.ok(), json!(["/", "/out"]));
    let runtime = json!({"runtime_in_seconds": {"STATISTIC": "2.5", "HPC": "local_hpc"}});
    let statistic = gateway.get("alice", &format!("/statistic/job/{id}")).await;
    assert_eq!(statistic.ok(), runtime);
    let all = gateway.get("nobody", "/statistic").await.ok();
    assert_eq!(
        all["runtime_in_seconds"],
        json!({"local_hpc": 2.5, "total": 2.5})
    );
    let usage = gateway.get("alice", "/user/slurm-usage").await.ok();
    assert_eq!(
        usage["walltime"],
        "01 days, 02 hours, 03 minutes, 04 seconds"
    );
    assert_eq!(
        (&usage["cpus"], &usage["memoryUsage"]),
        (&json!(4), &json!("9.04mb"))
    );
    let raw = gateway
        .get("alice", "/user/slurm-usage?format=False")
        .await
        .ok();
    assert_eq!(
        (&raw["walltime"], &raw["memoryUsage"]),
        (&json!(93784), &json!(9257))
    );
    for what in ["cancel", "pause", "resume"] {
        let reply = gateway
            .call("alice", "PUT", &path(&format!("/{what}")), json!({}))
            .await;
        reply.rejected(402, "job is not in queue or running jobs");
    }
}

#[tokio::test]
async fn a_job_is_not_made_for_what_is_not_configured_or_allowed() {
    let gateway = Gateway::start().await;
    for (body, error) in [
        (json!({"maintainer": "nobody"}), "unrecognized maintainer"),
        (json!({"hpc": "nowhere"}), "unrecognized hpc"),
        (json!({"hpc": "closed_hpc"}), "Not authorized for HPC"),
    ] {
        let reply = gateway.call("alice", "POST", "/job", body).await;
        reply.rejected(401, error);
        assert_eq!(reply.body["message"], Value::Null);
    }
    assert_eq!(
        gateway.get("alice", "/user/job").await.ok(),
        json!({"job": []})
    );
}

#[tokio::test]
async fn changes_that_are_no_changes_are_rejected() {
    let gateway = Gateway::start().await;
    let path = format!(
        "/job/{}",
        gateway.job("alice", "local_hpc", json!({})).await
    );
    let of_bob = gateway.folder("bob", "local_hpc").await;
    for (body, error) in [
        (json!({}), "nothing to update"),
        (
            json!({"name": "x".repeat(256)}),
            "name is longer than 255 characters",
        ),
        (json!({"name": "a\u{7}"}), "name holds control characters"),
        (
            json!({"remoteDataFolder": of_bob}),
            "unknown folder with id",
        ),
        (
            json!({"remoteExecutableFolder": "17x"}),
            "unknown folder with id 17x",
        ),
        (
            json!({"localDataFolder": {"type": "globus", "endpoint": "cluster", "path": "/"}}),
            "the Globus collection \"cluster\" is not available",
        ),
    ] {
        let reply = gateway.call("alice", "PUT", &path, body).await;
        reply.rejected(402, error);
    }
}

#[tokio::test]
async fn private_accounts_need_a_login_that_can_be_kept() {
    let gateway = Gateway::start().await;
    for (login, error) in [
        (json!({}), "private_hpc has private accounts"),
        (json!({"user": "alice"}), "private_hpc has private accounts"),
        (
            json!({"user": "alice", "password": ""}),
            "private_hpc has private accounts",
        ),
        (
            json!({"user": "-o x", "password": "p"}),
            "user is not the name of an account",
        ),
    ] {
        let mut body = login;
        body["hpc"] = json!("private_hpc");
        let reply = gateway.call("alice", "POST", "/job", body).await;
        reply.rejected(401, "invalid SSH credentials");
        let message = reply.body["messages"][0].as_str().unwrap();
        assert!(message.starts_with(error), "{message}");
    }
    // Without Redis attempts cannot be counted, and the HPC is not asked.
    let body = json!({"hpc": "private_hpc", "user": "alice", "password": "p"});
    let reply = gateway.call("alice", "POST", "/job", body).await;
    reply.rejected(503, "logins cannot be kept now: try again in a moment");
    assert_eq!(gateway.connector.calls(), [""; 0]);
}

#[tokio::test]
async fn a_password_is_taken_only_for_a_job_that_needs_one() {
    let gateway = Gateway::start().await;
    let give = async |id: &str, body: Value| {
        let path = format!("/job/{id}/credential");
        gateway.call("alice", "PUT", &path, body).await
    };
    let community = gateway.job("alice", "local_hpc", json!({})).await;
    let reply = give(&community, json!({"password": "p"})).await;
    reply.rejected(402, "jobs on local_hpc need no password");
    let private = gateway
        .stored_job("alice", "hello", "private_hpc")
        .await
        .to_string();
    gateway
        .execute(&format!(
            "UPDATE jobs SET account = 'alice' WHERE id = '{private}'"
        ))
        .await;
    let reply = give(&private, json!({"user": "bob", "password": "p"})).await;
    reply.rejected(
        402,
        "the job runs as alice: for another account make another job",
    );
    give(&private, json!({}))
        .await
        .rejected(401, "invalid SSH credentials");
    give(&private, json!({"password": "p"}))
        .await
        .rejected(503, "logins cannot be kept now");
    gateway
        .execute(&format!(
            "UPDATE jobs SET state = 'failed' WHERE id = '{private}'"
        ))
        .await;
    give(&private, json!({"password": "p"}))
        .await
        .rejected(402, "the job is over");
    let gone = gateway
        .stored_job("alice", "hello", "gone_hpc")
        .await
        .to_string();
    give(&gone, json!({"password": "p"}))
        .await
        .rejected(401, "unrecognized hpc");
}
