//! A job's own token (deprecated): it opens that job and nothing else of its owner.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

use crate::gateway::{Gateway, HOUR, Reply};

/// 2026-11-23T18, as in the clock of the tests.
const DATE: u64 = 2_026_112_318;

fn access_token(id: &str, secret: &str) -> String {
    let encode = |text: &str| BASE64_STANDARD.encode(text);
    let payload = encode(&format!("{{\"date\": {DATE}}}"));
    let digest = digest(&SHA256, format!("{secret}{id}{payload}").as_bytes());
    let digest: String = digest
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("{}.{payload}.{}.{digest}", encode("sha256"), encode(id))
}

/// The id of a job of Alice with a token of its own, and that token.
async fn job(gateway: &Gateway) -> (String, String) {
    let made = gateway
        .call("alice", "POST", "/job", json!({"jobToken": true}))
        .await
        .ok();
    let (id, secret) = (
        made["id"].as_str().unwrap(),
        made["secretToken"].as_str().unwrap(),
    );
    (id.to_owned(), access_token(id, secret))
}

async fn call(gateway: &Gateway, method: &str, path: &str, token: &str, more: Value) -> Reply {
    let mut body = more;
    body["accessToken"] = json!(token);
    gateway.call_without_header(method, path, body).await
}

#[tokio::test]
async fn it_opens_the_job_until_the_hour_is_over() {
    let gateway = Gateway::start().await;
    let (id, token) = job(&gateway).await;
    let path = format!("/job/{id}");
    let reply = call(&gateway, "GET", &path, &token, json!({})).await;
    assert!(reply.headers.contains_key("deprecation"));
    assert_eq!(reply.ok()["id"], id.as_str());
    let renamed = call(&gateway, "PUT", &path, &token, json!({"name": "mine"}))
        .await
        .ok();
    assert_eq!(renamed["name"], "mine");
    gateway.clock.advance(HOUR * 2);
    let late = call(&gateway, "GET", &path, &token, json!({})).await;
    late.rejected(401, "submit without login is not allowed");
    assert!(!late.headers.contains_key("deprecation"));
    assert_eq!(gateway.hub.asked(), 1, "only when the job was made");
}

#[tokio::test]
async fn it_opens_nothing_else() {
    let gateway = Gateway::start().await;
    let (id, token) = job(&gateway).await;
    let (other, _) = job(&gateway).await;
    let folder = gateway.folder("alice", "local_hpc").await;
    let path = format!("/job/{id}");
    let reply = call(&gateway, "GET", &format!("/job/{other}"), &token, json!({})).await;
    reply.rejected(401, "submit without login is not allowed");
    for (method, path) in [
        ("GET", "/user".to_owned()),
        ("GET", "/user/job".to_owned()),
        ("GET", "/folder".to_owned()),
        ("GET", format!("/folder/{folder}")),
        ("POST", "/job".to_owned()),
        ("PUT", format!("/job/{id}/credential")),
        ("GET", format!("/statistic/job/{id}")),
    ] {
        let reply = call(&gateway, method, &path, &token, json!({})).await;
        reply.rejected(402, "invalid input");
    }
    for (body, error) in [
        (
            json!({"remoteDataFolder": folder}),
            "unknown folder with id ",
        ),
        (
            json!({"localDataFolder": {"type": "globus", "endpoint": "hub-collection",
                "path": "/~/data/alice/x"}}),
            "a job's token does not open files on the JupyterHub",
        ),
    ] {
        call(&gateway, "PUT", &path, &token, body)
            .await
            .rejected(402, error);
    }
}

#[tokio::test]
async fn it_is_not_given_or_taken_where_the_operator_says_so() {
    let gateway = Gateway::with(json!({"job_tokens": false})).await;
    let made = gateway
        .call("alice", "POST", "/job", json!({"jobToken": true}))
        .await
        .ok();
    assert_eq!(made["secretToken"], Value::Null);
    let id = made["id"].as_str().unwrap();
    let token = access_token(id, "");
    let reply = call(&gateway, "GET", &format!("/job/{id}"), &token, json!({})).await;
    reply.rejected(401, "submit without login is not allowed");
}
