//! Folders: listed, changed, deleted, cleaned.

use serde_json::{Value, json};
use tonic::Code;

use crate::gateway::{Gateway, HOUR};

#[tokio::test]
async fn a_folder_is_listed_changed_and_deleted() {
    let gateway = Gateway::start().await;
    let id = gateway.folder("alice", "local_hpc").await;
    let path = format!("/folder/{id}");
    let listed = gateway.get("alice", "/folder").await.ok();
    assert_eq!(listed["folder"][0]["id"], id.as_str());
    let shown = gateway.get("alice", &path).await.ok();
    assert_eq!(shown, json!([listed["folder"][0]]));
    let change = async |body: Value| gateway.call("alice", "PUT", &path, body).await;
    let changed = change(json!({"name": "results", "isWritable": true}))
        .await
        .ok();
    assert_eq!(
        (&changed["name"], &changed["isWritable"]),
        (&json!("results"), &json!(true))
    );
    change(json!({}))
        .await
        .rejected(401, "encountered error: nothing to update");
    change(json!({"name": "x".repeat(256)}))
        .await
        .rejected(402, "name is longer than 255");
    change(json!({"name": "\u{1b}[2J"}))
        .await
        .rejected(402, "name holds control characters");
    let deleted = gateway.call("alice", "DELETE", &path, json!({})).await.ok();
    assert_eq!(deleted, json!({"success": true}));
    let again = gateway.call("alice", "DELETE", &path, json!({})).await;
    again.rejected(404, &format!("unknown folder with id {id}"));
    assert_eq!(gateway.get("alice", &path).await.ok(), json!([]));
}

#[tokio::test]
async fn expired_folders_are_removed_on_the_hpc_as_well() {
    let gateway = Gateway::with(json!({"folder_retention_days": 0})).await;
    let id = gateway.folder("alice", "local_hpc").await;
    let private = gateway.folder("alice", "private_hpc").await;
    gateway.clock.advance(HOUR);
    let cleaned = gateway.call("alice", "PUT", "/clean", json!({})).await.ok();
    assert_eq!(cleaned["folder"], json!([id]), "{cleaned}");
    assert_eq!(gateway.connector.calls(), ["RemoveFolder"]);
    let left = gateway.get("alice", "/folder").await.ok();
    assert_eq!(left["folder"][0]["id"], private.as_str());
    assert_eq!(left["folder"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_folder_that_cannot_be_removed_stays_and_says_why() {
    let gateway = Gateway::with(json!({"folder_retention_days": 0})).await;
    let id = gateway.folder("alice", "local_hpc").await;
    gateway.clock.advance(HOUR);
    gateway
        .connector
        .fail("RemoveFolder", Code::FailedPrecondition, "it is a link");
    let cleaned = gateway.call("alice", "PUT", "/clean", json!({})).await.ok();
    assert_eq!(cleaned["folder"], json!([]));
    let message = cleaned["messages"][0].as_str().unwrap();
    let expected = format!("folder {id} could not be removed: ");
    assert!(
        message.starts_with(&expected) && message.contains("it is a link"),
        "{message}"
    );
    let left = gateway.get("alice", "/folder").await.ok();
    assert_eq!(left["folder"][0]["id"], id.as_str());
}

#[tokio::test]
async fn a_folder_younger_than_the_retention_is_kept() {
    let gateway = Gateway::with(json!({"folder_retention_days": 1})).await;
    gateway.folder("alice", "local_hpc").await;
    gateway.clock.advance(HOUR);
    let cleaned = gateway.call("alice", "PUT", "/clean", json!({})).await.ok();
    assert_eq!(cleaned["folder"], json!([]));
    assert_eq!(gateway.connector.calls(), [""; 0]);
}
