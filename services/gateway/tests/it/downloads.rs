//! Reasons why a folder is not downloaded by Globus.

use compute_runtime::seal::globus_purpose;
use secrecy::SecretString;
use serde_json::{Value, json};
use tonic::Code;

use crate::gateway::Gateway;

fn to(endpoint: &str, from: Option<&str>) -> Value {
    json!({"toEndpoint": endpoint, "toPath": "/~/data/alice/results", "fromPath": from})
}

async fn init(gateway: &Gateway, folder: &str, body: Value) -> crate::gateway::Reply {
    let path = format!("/folder/{folder}/download/globus-init");
    gateway.call("alice", "POST", &path, body).await
}

/// With a Globus token of the HPC's identity; Globus itself answers nothing of its protocol.
async fn with_globus() -> Gateway {
    let gateway = Gateway::with(json!({"globus_client_id": "client"})).await;
    let token = SecretString::from("refresh-token".to_owned());
    let sealed = gateway
        .state
        .seal
        .seal(&token, &globus_purpose("tester"))
        .unwrap();
    gateway
        .store
        .keep_globus_token("tester", &sealed)
        .await
        .unwrap();
    gateway
}

#[tokio::test]
async fn globus_must_be_set_up() {
    let gateway = Gateway::start().await;
    let folder = gateway.folder("alice", "globus_hpc").await;
    let reply = init(&gateway, &folder, to("hub-collection", None)).await;
    reply.rejected(
        403,
        "failed to init globus with error: Globus is not set up on this server",
    );
    let status = gateway
        .get("alice", &format!("/folder/{folder}/download/globus-status"))
        .await;
    status.rejected(
        403,
        "failed to query globus with error: Globus is not set up on this server",
    );

    let gateway = Gateway::with(json!({"globus_client_id": "client"})).await;
    for (hpc, error) in [
        (
            "local_hpc",
            "failed to init globus with error: Globus is not set up for local_hpc",
        ),
        (
            "globus_hpc",
            "failed to init globus with error: there is no Globus token of tester",
        ),
        ("gone_hpc", "cannot find hpc gone_hpc"),
    ] {
        let folder = gateway.folder("alice", hpc).await;
        let reply = init(&gateway, &folder, to("hub-collection", None)).await;
        reply.rejected(403, error);
    }
}

#[tokio::test]
async fn source_and_destination_must_be_the_users() {
    let gateway = with_globus().await;
    let folder = gateway.folder("alice", "globus_hpc").await;
    for (body, error) in [
        (
            to("hub-collection", Some("../x")),
            "the path \"../x\" leads out of the folder",
        ),
        (
            to("cluster", None),
            "the Globus collection \"cluster\" is not available",
        ),
        (
            to("elsewhere", None),
            "the Globus collection \"elsewhere\" is not available",
        ),
    ] {
        init(&gateway, &folder, body).await.rejected(403, error);
    }
    assert_eq!(gateway.connector.calls(), [""; 0]);
}

#[tokio::test]
async fn a_folder_that_a_job_may_write_to_is_not_downloaded() {
    let gateway = with_globus().await;
    let folder = gateway.folder("alice", "globus_hpc").await;
    let job = gateway.stored_job("alice", "hello", "globus_hpc").await;
    gateway
        .execute(&format!(
            "UPDATE jobs SET state = 'running', submitted_at = 1, queued_at = 1, \
             remote_result_folder_id = '{folder}' WHERE id = '{job}'"
        ))
        .await;
    let reply = init(&gateway, &folder, to("hub-collection", None)).await;
    reply.rejected(
        403,
        &format!("job {job} is not over and may write to the folder"),
    );
}

#[tokio::test]
async fn the_folder_is_looked_at_before_globus_is_asked() {
    let gateway = with_globus().await;
    let folder = gateway.folder("alice", "globus_hpc").await;
    let reply = init(&gateway, &folder, to("hub-collection", None)).await;
    reply.rejected(403, "failed to init globus with error: Globus ");
    assert_eq!(gateway.connector.calls(), ["CheckFolder"]);
    gateway
        .connector
        .fail("CheckFolder", Code::NotFound, "there is no such folder");
    let reply = init(&gateway, &folder, to("hub-collection", None)).await;
    reply.rejected(
        403,
        "failed to init globus with error: there is no such folder",
    );
    gateway
        .connector
        .fail("CheckFolder", Code::Unavailable, "no route to host");
    let reply = init(&gateway, &folder, to("hub-collection", None)).await;
    reply.rejected(
        403,
        "failed to init globus with error: globus_hpc does not answer: try again in a moment",
    );
}

#[tokio::test]
async fn a_folder_without_a_transfer_has_no_status() {
    let gateway = with_globus().await;
    let folder = gateway.folder("alice", "globus_hpc").await;
    let path = format!("/folder/{folder}/download/globus-status");
    assert_eq!(
        gateway.get("alice", &path).await.ok(),
        json!({"status": null})
    );
}
