//! Bodies of other types and shapes.

use axum::{
    body::Body,
    extract::Request,
    http::header::{AUTHORIZATION, CONTENT_TYPE},
};
use serde_json::{Value, json};

use crate::gateway::{Gateway, Reply};

async fn send(gateway: &Gateway, path: &str, kind: &str, body: impl Into<Body>) -> Reply {
    let request = Request::put(path)
        .header(AUTHORIZATION, format!("Bearer {}", gateway.token("alice")))
        .header(CONTENT_TYPE, kind)
        .body(body.into());
    gateway.send(request.unwrap()).await
}

#[tokio::test]
async fn fields_of_another_type_are_invalid_input() {
    let gateway = Gateway::start().await;
    let job = gateway.job("alice", "local_hpc", json!({})).await;
    let folder = gateway.folder("alice", "local_hpc").await;
    let (change, credential) = (format!("/job/{job}"), format!("/job/{job}/credential"));
    let (folder, download) = (
        format!("/folder/{folder}"),
        format!("/folder/{folder}/download/globus-init"),
    );
    let (string, object, boolean) = (
        "is not of a type(s) string",
        "is not of a type(s) object",
        "is not of a type(s) boolean",
    );
    let endpoint = "requires property \"toEndpoint\"";
    for (method, path, body, messages) in [
        (
            "POST",
            "/job",
            json!({"hpc": 1, "maintainer": []}),
            &[string, string][..],
        ),
        (
            "POST",
            "/job",
            json!({"user": {}, "password": 1}),
            &[string, string],
        ),
        (
            "POST",
            "/job",
            json!({"jobToken": "yes", "hpc": 1}),
            &[string, boolean],
        ),
        (
            "PUT",
            change.as_str(),
            json!({"name": 1, "slurm": [], "env": "A"}),
            &[object, object, string],
        ),
        (
            "PUT",
            change.as_str(),
            json!({"localDataFolder": "x"}),
            &[object],
        ),
        (
            "PUT",
            change.as_str(),
            json!({"localExecutableFolder": []}),
            &[object],
        ),
        (
            "PUT",
            change.as_str(),
            json!({"remoteDataFolder": {}, "param": 1}),
            &[object, string],
        ),
        (
            "PUT",
            change.as_str(),
            json!({"remoteExecutableFolder": false}),
            &[string],
        ),
        (
            "PUT",
            credential.as_str(),
            json!({"user": 1, "password": 2}),
            &[string, string],
        ),
        (
            "PUT",
            folder.as_str(),
            json!({"isWritable": "true", "name": []}),
            &[string, boolean],
        ),
        (
            "POST",
            download.as_str(),
            json!({"toPath": "/x"}),
            &[endpoint],
        ),
        (
            "POST",
            download.as_str(),
            json!({"toEndpoint": null, "toPath": 1, "jobId": 1}),
            &[string; 3],
        ),
    ] {
        let reply = gateway.call("alice", method, path, body.clone()).await;
        reply.rejected(402, "invalid input");
        assert_eq!(
            reply.body["messages"],
            json!(messages),
            "{method} {path} {body}"
        );
    }
}

#[tokio::test]
async fn null_is_absent_and_unknown_fields_are_ignored() {
    let gateway = Gateway::start().await;
    let body = json!({"hpc": null, "maintainer": null, "password": null, "colour": "red"});
    let made = gateway.call("alice", "POST", "/job", body).await.ok();
    assert_eq!(made["hpc"], "local_hpc");
    let path = format!("/job/{}", made["id"].as_str().unwrap());
    let body = json!({"param": null, "name": null, "env": {"A": "1"}});
    let changed = gateway.call("alice", "PUT", &path, body).await.ok();
    assert_eq!(changed["env"], json!({"A": "1"}));
    assert_eq!(changed["name"], Value::Null);
}

#[tokio::test]
async fn a_body_that_is_not_what_it_claims_is_malformed() {
    let gateway = Gateway::start().await;
    let job = gateway.job("alice", "local_hpc", json!({})).await;
    let path = format!("/job/{job}");
    let kind = "application/json";
    send(&gateway, &path, kind, "{\"a\": ")
        .await
        .rejected(400, "malformed body: no JSON");
    send(&gateway, &path, kind, "\"a\"")
        .await
        .rejected(400, "neither an object nor an array");
    send(&gateway, &path, kind, "[]")
        .await
        .rejected(402, "invalid input");
    let kind = "multipart/form-data";
    send(&gateway, &path, kind, "x")
        .await
        .rejected(400, "malformed body");
    // Another type is not read, as if there were no body.
    send(&gateway, &path, "text/plain", "{\"name\": \"n\"}")
        .await
        .rejected(402, "nothing to update");
}

#[tokio::test]
async fn forms_are_read_like_json() {
    let gateway = Gateway::start().await;
    let job = gateway.job("alice", "local_hpc", json!({})).await;
    let path = format!("/job/{job}");
    let kind = "application/x-www-form-urlencoded";
    let changed = send(&gateway, &path, kind, "name=a%20b").await.ok();
    assert_eq!(changed["name"], "a b");
    let kind = "multipart/form-data; boundary=X";
    let form = "--X\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nc\r\n--X--\r\n";
    let changed = send(&gateway, &path, kind, form).await.ok();
    assert_eq!(changed["name"], "c");
    send(
        &gateway,
        &path,
        "application/x-www-form-urlencoded",
        "param=x",
    )
    .await
    .rejected(402, "invalid input");
}
