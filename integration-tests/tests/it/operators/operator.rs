//! The operator's command line.

use std::{fs, process::Command};

use compute_integration_tests::{World, service::binaries};
use serde_json::{Value, json};

#[tokio::test]
async fn five_mistakes_are_named_at_once() -> anyhow::Result<()> {
    let world = World::with([]).await?;
    let config = world.folder().join("config");
    let edit = |name: &str, change: &dyn Fn(&mut Value)| -> anyhow::Result<()> {
        let path = config.join(name);
        let mut value: Value = serde_json::from_slice(&fs::read(&path)?)?;
        change(&mut value);
        Ok(fs::write(&path, value.to_string())?)
    };
    edit("hpc.json", &|hpc| {
        hpc["local_hpc"]["port"] = json!("twenty-two");
        hpc["charlie_hpc"]["container_runtime"] = json!("docker");
    })?;
    edit("container.json", &|container| {
        container["python"]["hpc_path"]["no_such_hpc"] = json!("/images/python");
    })?;
    edit("maintainer.json", &|maintainer| {
        maintainer["hello"]["default_hpc"] = json!("nowhere");
    })?;
    edit("config.json", &|config| {
        config["redis"]["port"] = json!(70000);
    })?;
    let output = Command::new(binaries()?.join("cybergis-compute"))
        .args(["config", "check"])
        .arg(&config)
        .output()?;
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    for (file, key) in [
        ("hpc.json", "local_hpc.port"),
        ("hpc.json", "charlie_hpc.container_runtime"),
        ("container.json", "python.hpc_path.no_such_hpc"),
        ("maintainer.json", "hello.default_hpc"),
        ("config.json", "redis.port"),
    ] {
        let line = said
            .lines()
            .find(|line| line.contains(file) && line.contains(key));
        assert!(
            line.is_some_and(|l| l.len() > file.len() + key.len() + 10),
            "{file} {key}: {said}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn hpc_check_says_what_is_there() -> anyhow::Result<()> {
    let world = World::with([]).await?;
    let output = Command::new(binaries()?.join("cybergis-compute"))
        .arg("--config")
        .arg(world.folder().join("config"))
        .args(["--json", "hpc", "check", "local_hpc"])
        .env(
            "CYBERGIS__CONNECTOR_ADDRESS",
            format!("http://{}", world.connector.address()),
        )
        .output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said} {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let findings: Value = serde_json::from_str(&said)?;
    let text = findings.to_string();
    for subject in ["login", "scheduler", "container runtime", "root path"] {
        assert!(text.contains(subject), "{subject}: {text}");
    }
    Ok(())
}
