//! `PUT /clean` removes old folders that no job needs, on the HPC as well.

use std::path::Path;

use compute_integration_tests::{Client, Template, World, WorldOptions};
use serde_json::{Value, json};

use crate::SOON;

fn paths(job: &Value) -> Vec<String> {
    let folders = ["remoteExecutableFolder", "remoteResultFolder"];
    let path = |name: &&str| Some(job[*name]["hpcPath"].as_str()?.to_owned());
    folders.iter().filter_map(path).collect()
}

async fn ended(client: &Client) -> anyhow::Result<Value> {
    let id = client.submit("quick", json!({})).await?;
    client.over(&id, SOON).await
}

#[tokio::test]
async fn what_is_old_and_not_needed_is_removed() -> anyhow::Result<()> {
    let world = World::start(WorldOptions {
        config: json!({"folder_retention_days": 0}),
        templates: vec![
            Template::bare("quick", "true"),
            Template::bare("sleep", "sleep 300"),
        ],
        ..WorldOptions::default()
    })
    .await?;
    let (alice, bob) = (world.client("alice")?, world.client("bob")?);
    let (hers, his) = (ended(&alice).await?, ended(&bob).await?);
    let running = alice.submit("sleep", json!({})).await?;
    let running = alice.until(&running, &["running"], SOON).await?;
    let cleaned = alice.put("/clean", json!({})).await?;
    assert_eq!(cleaned.status, 200, "{cleaned:?}");
    let removed = cleaned.body["folder"].as_array().map(Vec::len);
    assert_eq!(removed, Some(2), "{cleaned:?}");
    for path in paths(&hers) {
        assert!(!Path::new(&path).exists(), "{path}");
    }
    let private = |job: &Value| {
        let root = Path::new(job["remoteResultFolder"]["hpcPath"].as_str()?).parent()?;
        Some(root.join(".cgc/jobs").join(job["id"].as_str()?).exists())
    };
    assert_eq!([&hers, &his].map(private), [Some(false), Some(true)]);
    for path in paths(&his).iter().chain(&paths(&running)) {
        assert!(Path::new(path).exists(), "{path}");
    }
    let left = alice.get("/folder").await?.body;
    assert_eq!(left["folder"].as_array().map(Vec::len), Some(2), "{left}");
    let id = running["id"].as_str().unwrap_or_default();
    alice.put(&format!("/job/{id}/cancel"), json!({})).await?;
    Ok(())
}

#[tokio::test]
async fn what_is_young_stays() -> anyhow::Result<()> {
    let world = World::with([Template::bare("quick", "true")]).await?;
    let alice = world.client("alice")?;
    let job = ended(&alice).await?;
    let cleaned = alice.put("/clean", json!({})).await?;
    assert_eq!(cleaned.body["folder"], json!([]));
    assert!(paths(&job).iter().all(|path| Path::new(path).exists()));
    Ok(())
}
