//! The unmodified Python client from PyPI, in a separate process.

use std::{path::Path, process::Stdio};

use anyhow::Context as _;
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt as _, process::Command};

use crate::World;

/// Runs one job through the client as `user` and returns what the client shows:
/// `{"job", "events", "logs", "folders"}`, or `{"error": text}` if it raised.
///
/// # Errors
/// If the client could not be run.
pub async fn run_job(world: &World, user: &str, settings: Value) -> anyhow::Result<Value> {
    drive(world, user, "run_job.py", settings).await
}

/// Runs a script of `python/` as `user`; `settings` are the `job` of its order.
/// Returns the last line that it prints.
///
/// # Errors
/// If the script could not be run, or printed no JSON.
pub async fn drive(
    world: &World,
    user: &str,
    script: &str,
    settings: Value,
) -> anyhow::Result<Value> {
    let order = json!({
        "port": world.gateway.address().rsplit(':').next(),
        "hub": world.parts.fact("hub", "host")?,
        "job": settings,
    });
    let token = world.parts.hub_token(user)?;
    run("venv", script, &order, &[("JUPYTERHUB_API_TOKEN", &token)]).await
}

/// Runs a script of `python/` in an environment of the cache, in a new folder, with
/// `order` as its input. Returns the last line that it prints.
///
/// # Errors
/// If the script could not be run, or printed no JSON.
pub async fn run(
    environment: &str,
    script: &str,
    order: &Value,
    envs: &[(&str, &str)],
) -> anyhow::Result<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("python")
        .join(script);
    let cache = std::env::var("CYBERGIS_CACHE")
        .unwrap_or_else(|_| "/var/cache/cybergis-compute".to_owned());
    let mut child = Command::new(format!("{cache}/{environment}/bin/python"))
        .arg(script)
        .envs(envs.iter().copied())
        .current_dir(tempfile::tempdir()?.keep())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("no Python environment: run `make test`")?;
    let mut stdin = child.stdin.take().context("no stdin")?;
    stdin.write_all(order.to_string().as_bytes()).await?;
    drop(stdin);
    let output = child.wait_with_output().await?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    let last = stdout.lines().last().unwrap_or_default();
    serde_json::from_str(last).with_context(|| {
        format!(
            "the client said {stdout} {}",
            String::from_utf8_lossy(&output.stderr)
        )
    })
}
