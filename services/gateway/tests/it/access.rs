//! Every route that needs a caller, with a caller who is not known, and every route about a
//! job or folder, with one that is not the caller's.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::gateway::{Gateway, NO_FOLDER, NO_JOB, encoded};

/// How routes answer a token that the hub rejects, and one of an unknown hub.
type Group = [(u16, &'static str); 2];

const USER: Group = [
    (402, "invalid token"),
    (404, "Cannot find jupyterhubHost in allowlist"),
];
const ACCOUNT: Group = [(402, "invalid token"), (402, "invalid token")];
const JOB: Group = [
    (401, "submit without login is not allowed"),
    (401, "submit without login is not allowed"),
];

/// Method, path, how unknown callers are answered, how an unknown job or folder is.
type Route = (&'static str, &'static str, Group, (u16, &'static str));

/// The route names no job or folder.
const NOTHING: (u16, &str) = (0, "");
const INVALID: (u16, &str) = (401, "invalid access");
const UNKNOWN: (u16, &str) = (404, "unknown folder with id ");
const NOT_FOUND: (u16, &str) = (403, "cannot find folder with id ");

const ROUTES: [Route; 23] = [
    ("GET", "/user", USER, NOTHING),
    ("GET", "/user/jupyter-globus", USER, NOTHING),
    ("GET", "/user/job", USER, NOTHING),
    ("GET", "/user/slurm-usage", ACCOUNT, NOTHING),
    ("GET", "/statistic/job/{id}", ACCOUNT, INVALID),
    ("GET", "/folder", ACCOUNT, NOTHING),
    ("GET", "/folder/{id}", ACCOUNT, (200, "")),
    ("PUT", "/folder/{id}", ACCOUNT, UNKNOWN),
    ("DELETE", "/folder/{id}", ACCOUNT, UNKNOWN),
    (
        "POST",
        "/folder/{id}/download/globus-init",
        ACCOUNT,
        NOT_FOUND,
    ),
    (
        "GET",
        "/folder/{id}/download/globus-status",
        ACCOUNT,
        NOT_FOUND,
    ),
    ("PUT", "/clean", ACCOUNT, NOTHING),
    ("POST", "/job", ACCOUNT, NOTHING),
    ("GET", "/job/{id}", JOB, INVALID),
    ("PUT", "/job/{id}", ACCOUNT, (402, "invalid access")),
    ("POST", "/job/{id}/submit", JOB, INVALID),
    (
        "GET",
        "/job/{id}/events",
        JOB,
        (401, "invalid access token"),
    ),
    ("GET", "/job/{id}/logs", JOB, INVALID),
    ("GET", "/job/{id}/result-folder-content", JOB, INVALID),
    (
        "PUT",
        "/job/{id}/cancel",
        JOB,
        (402, "job is not in queue or running jobs"),
    ),
    (
        "PUT",
        "/job/{id}/pause",
        JOB,
        (402, "job is not in queue or running jobs"),
    ),
    (
        "PUT",
        "/job/{id}/resume",
        JOB,
        (402, "job is not in queue or running jobs"),
    ),
    (
        "PUT",
        "/job/{id}/credential",
        ACCOUNT,
        (402, "invalid access"),
    ),
];

/// A body with every field that some route needs.
fn body() -> Value {
    json!({"toEndpoint": "laptop", "toPath": "/x", "name": "n", "password": "p", "env": {"A": 1}})
}

#[test]
fn the_table_has_every_route_that_needs_a_caller() {
    let document = serde_json::to_value(compute_gateway::router::document()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let documented: BTreeSet<_> = paths
        .iter()
        .flat_map(|(path, item)| {
            let operations = item.as_object().unwrap().iter();
            operations
                .filter(|(_, operation)| operation.get("requestBody").is_some())
                .map(move |(method, _)| (method.to_uppercase(), path.clone()))
        })
        .collect();
    let tested: BTreeSet<_> = ROUTES
        .iter()
        .map(|(method, path, ..)| ((*method).to_owned(), (*path).to_owned()))
        .collect();
    assert_eq!(tested, documented);
}

#[tokio::test]
async fn unknown_callers_get_the_statuses_of_the_older_server() {
    let gateway = Gateway::with(json!({"limits": {"refused_tokens_per_minute": 1000}})).await;
    let rejected = encoded(&gateway.hub.host, "wrong");
    let elsewhere = encoded("hub.example.org", "token-of-alice");
    for (method, path, [of_rejected, of_elsewhere], _) in ROUTES {
        let path = path.replace("{id}", NO_JOB);
        let call = async |body| gateway.call_without_header(method, &path, body).await;
        let with = |token: Value| {
            let mut with = body();
            with["jupyterhubApiToken"] = token;
            with
        };
        let missing = call(body()).await;
        assert_eq!(
            (missing.status, &missing.body["messages"]),
            (402, &json!(["requires property \"jupyterhubApiToken\""])),
            "{method} {path}"
        );
        let number = call(with(json!(123))).await;
        assert_eq!(
            (number.status, &number.body["messages"]),
            (402, &json!(["is not of a type(s) string"])),
            "{method} {path}"
        );
        for (token, (status, error)) in [
            (&rejected, of_rejected),
            (&elsewhere, of_elsewhere),
            (&"%%%".to_owned(), of_elsewhere),
        ] {
            let reply = call(with(json!(token))).await;
            assert_eq!(
                (reply.status, reply.error()),
                (status, error),
                "{method} {path}"
            );
        }
    }
}

#[tokio::test]
async fn a_hub_that_is_away_is_no_rejection() {
    let gateway = Gateway::start().await;
    gateway.hub.go_away();
    for (method, path, ..) in ROUTES {
        let path = path.replace("{id}", NO_JOB);
        let reply = gateway.call("alice", method, &path, body()).await;
        reply.rejected(503, "does not answer: try again in a moment");
    }
}

#[tokio::test]
async fn jobs_and_folders_of_others_look_like_none() {
    let gateway = Gateway::start().await;
    let job = gateway.job("alice", "local_hpc", json!({})).await;
    let folder = gateway.folder("alice", "local_hpc").await;
    let before = gateway.get("alice", &format!("/job/{job}")).await.ok();
    for (method, path, _, (status, error)) in ROUTES {
        if (status, error) == NOTHING {
            continue;
        }
        let (hers, none) = if path.starts_with("/folder") {
            (&folder, NO_FOLDER)
        } else {
            (&job, NO_JOB)
        };
        let call = async |id: &str| {
            let path = path.replace("{id}", id);
            gateway.call("bob", method, &path, body()).await
        };
        let (of_hers, of_none) = (call(hers).await, call(none).await);
        assert_eq!(of_hers.status, status, "{method} {path}: {of_hers:?}");
        assert!(of_hers.error().starts_with(error), "{of_hers:?}");
        assert_eq!(of_none.status, status, "{method} {path}: {of_none:?}");
        let named = of_none.body.to_string().replace(none, hers);
        assert_eq!(of_hers.body.to_string(), named, "{method} {path}");
        if status == 200 {
            assert_eq!(of_hers.body, json!([]), "{method} {path}");
        }
    }
    let after = gateway.get("alice", &format!("/job/{job}")).await.ok();
    assert_eq!(after, before);
    let folders = gateway.get("alice", "/folder").await.ok();
    assert_eq!(folders["folder"][0]["name"], Value::Null);
    assert_eq!(
        gateway.get("bob", "/folder").await.ok(),
        json!({"folder": []})
    );
    assert_eq!(
        gateway.get("bob", "/user/job").await.ok(),
        json!({"job": []})
    );
}

#[tokio::test]
async fn an_id_that_is_no_text_is_a_bad_request() {
    let gateway = Gateway::start().await;
    for (method, path, _, (status, _)) in ROUTES {
        if status == 0 {
            continue;
        }
        let reply = gateway
            .call("alice", method, &path.replace("{id}", "%ff"), body())
            .await;
        assert_eq!(reply.status, 400, "{method} {path}: {reply:?}");
        assert!(!reply.error().is_empty(), "{method} {path}: {reply:?}");
    }
}

#[tokio::test]
async fn a_token_is_looked_up_once_however_it_is_sent() {
    let gateway = Gateway::start().await;
    let me = json!({"username": format!("alice@{}", gateway.hub.host)});
    assert_eq!(gateway.get("alice", "/user").await.ok(), me);
    let body = json!({"jupyterhubApiToken": gateway.token("alice")});
    let reply = gateway.call_without_header("GET", "/user", body).await;
    assert_eq!(reply.ok(), me);
    assert_eq!(gateway.hub.asked(), 1);
    // A token in the body goes before one in the header.
    let body = json!({"jupyterhubApiToken": gateway.token("bob")});
    let reply = gateway.call("alice", "GET", "/user", body).await.ok();
    assert_eq!(reply["username"], format!("bob@{}", gateway.hub.host));
}
