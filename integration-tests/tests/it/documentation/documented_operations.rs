//! Runs the operator's commands of the documents.

use std::{fs, process::Command};

use compute_integration_tests::{Template, Terminal, World, document::typed_by};
use serde_json::{Value, json};

use crate::SOON;

fn git(folder: &str, args: &[&str]) -> anyhow::Result<String> {
    let output = Command::new("git")
        .args(["-C", folder])
        .args(args)
        .output()?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

#[tokio::test]
async fn the_configuration() -> anyhow::Result<()> {
    let world = World::with([]).await?;
    let config = world.folder().join("config").display().to_string();
    let words = [("/etc/cybergis-compute", config.as_str())];
    let blocks = typed_by("documented_operations::the_configuration", &words)?;
    let said = Terminal::new(&world, world.folder())?
        .run(&blocks)?
        .concat();
    assert!(said.contains("is good"), "{said}");
    Ok(())
}

#[tokio::test]
async fn templates() -> anyhow::Result<()> {
    let world = World::with([]).await?;
    let address = Template::new("hello", "true").write(&world.folder().join("templates"))?;
    let commit = git(
        address.trim_start_matches("file://"),
        &["rev-parse", "HEAD"],
    )?;
    let words = [
        (
            "https://github.com/cybergis/cybergis-compute-hello-world.git",
            address.as_str(),
        ),
        ("COMMIT", commit.as_str()),
    ];
    let blocks = typed_by("documented_operations::templates", &words)?;
    assert!(blocks.len() > 1, "the operator's page and the author's");
    for block in &blocks {
        let terminal = Terminal::new(&world, world.folder())?;
        let said = terminal.run(std::slice::from_ref(block))?.concat();
        assert!(
            said.contains("has been added") && said.contains("has been approved"),
            "{said}"
        );
        if block.text.contains("--sha") {
            assert!(
                said.contains(commit.get(..12).unwrap_or_default()),
                "{said}"
            );
        }
        world.operator(&["template", "remove", "hello_world"])?;
    }
    Ok(())
}

#[tokio::test]
async fn jobs() -> anyhow::Result<()> {
    let world = World::with([Template::bare("sleep", "sleep 600")]).await?;
    let alice = world.client("alice")?;
    let id = alice.submit("sleep", json!({})).await?;
    alice.until(&id, &["running"], SOON).await?;
    let blocks = typed_by("documented_operations::jobs", &[(" ID", &format!(" {id}"))])?;
    let said = Terminal::new(&world, world.folder())?
        .run(&blocks)?
        .concat();
    assert!(
        said.contains("JOB_INIT") && said.contains("cancel"),
        "{said}"
    );
    assert_eq!(alice.over(&id, SOON).await?["state"], "cancelled");
    Ok(())
}

#[tokio::test]
async fn a_new_hpc() -> anyhow::Result<()> {
    let world = World::with([]).await?;
    // As before the keys of its login node are known.
    let config = world.folder().join("config/hpc.json");
    let mut hpc: Value = serde_json::from_slice(&fs::read(&config)?)?;
    hpc["local_hpc"]["known_hosts"] = json!(world.folder().join("known_hosts"));
    fs::write(&config, hpc.to_string())?;
    let words = [
        ("trust NAME", "trust local_hpc --yes"),
        ("NAME", "local_hpc"),
    ];
    let blocks = typed_by("documented_operations::a_new_hpc", &words)?;
    let said = Terminal::new(&world, world.folder())?
        .run(&blocks)?
        .concat();
    for part in ["is good", "SHA256:", "container runtime", "root path"] {
        assert!(said.contains(part), "no {part:?} in {said}");
    }
    Ok(())
}
