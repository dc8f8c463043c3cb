//! Data from a folder of the services' machine: only from folders that the operator lists.

use std::{fs, os::unix::fs::symlink};

use compute_integration_tests::{Template, World, WorldOptions, client::log_text};
use serde_json::json;

use crate::SOON;

#[tokio::test]
async fn from_the_operators_roots_and_from_nowhere_else() -> anyhow::Result<()> {
    let data = tempfile::tempdir()?;
    let root = data.path().join("root");
    fs::create_dir_all(root.join("set/deep"))?;
    fs::write(root.join("set/deep/a"), "the data\n")?;
    fs::create_dir(root.join("evil"))?;
    symlink("/etc/passwd", root.join("evil/link"))?;
    let world = World::start(WorldOptions {
        config: json!({"local_data_roots": [root]}),
        templates: vec![Template::bare("cat", "cat \"$data_folder/deep/a\"")],
        ..WorldOptions::default()
    })
    .await?;
    let alice = world.client("alice")?;
    let from = |path: &str| json!({"localDataFolder": {"type": "local", "path": root.join(path)}});

    let id = alice.submit("cat", from("set")).await?;
    let job = alice.over(&id, SOON).await?;
    assert_eq!(job["state"], "ended", "{job}");
    assert!(log_text(&job).contains("the data"), "{job}");
    assert_ne!(job["remoteDataFolder"], json!(null));

    for (path, words) in [
        ("/etc", "outside the configured local_data_roots"),
        ("set/../..", "without .."),
    ] {
        let id = alice.prepare("cat", from(path)).await?;
        let refused = alice.post(&format!("/job/{id}/submit"), json!({})).await?;
        assert_eq!(refused.status, 402);
        assert!(
            refused.body["error"].to_string().contains(words),
            "{refused:?}"
        );
    }
    let id = alice.submit("cat", from("evil")).await?;
    let job = alice.over(&id, SOON).await?;
    assert_eq!(job["state"], "failed");
    assert!(
        job["cause"].to_string().contains("/link cannot be read"),
        "{job}"
    );
    Ok(())
}
