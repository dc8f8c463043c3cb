//! A job and Globus in the same folder: no job writes to it while Globus reads.

use compute_integration_tests::{eventually, globus_fake::Status};
use serde_json::{Value, json};

use super::{Site, ended, fetch, refused};
use crate::SOON;

/// A program with a writable data folder could replace its subfolders with links while Globus walks the tree.
#[tokio::test]
async fn nobody_writes_to_a_folder_that_globus_reads() -> anyhow::Result<()> {
    let site = Site::start().await?;
    let bob = site.world.client("bob")?;
    let (_, folder) = ended(&bob, "quick", json!({})).await?;
    let path = format!("/folder/{folder}");
    let changed = bob.put(&path, json!({"isWritable": true})).await?;
    assert_eq!(changed.status, 200, "{changed:?}");
    let to = ("laptop", "/got");
    site.globus.hold(true);
    let answer = fetch(&bob, &folder, to, Value::Null).await?;
    assert_eq!(answer.status, 200, "{answer:?}");
    let writes = bob
        .prepare("sleep", json!({"remoteDataFolder": folder}))
        .await?;
    let submit = format!("/job/{writes}/submit");
    let answer = bob.post(&submit, json!({})).await?;
    let tried = "a job that writes to the folder meanwhile";
    let words = "Globus is transferring the folder";
    refused("links for Globus", tried, &answer, 402, words);

    site.globus.hold(false);
    eventually(
        "the transfer is over, and the job submitted",
        SOON,
        async || {
            let answer = bob.post(&submit, json!({})).await?;
            Ok((answer.status == 200).then_some(()))
        },
    )
    .await?;
    let answer = fetch(&bob, &folder, to, Value::Null).await?;
    let tried = "the folder that a job writes to";
    refused("links for Globus", tried, &answer, 403, "is not over");
    let changed = bob.put(&path, json!({"isWritable": false})).await?;
    let tried = "to make it read-only meanwhile";
    refused("links for Globus", tried, &changed, 402, "an active job");
    bob.put(&format!("/job/{writes}/cancel"), json!({})).await?;
    assert_eq!(site.globus.transfers(), [Status::Succeeded]);
    Ok(())
}
