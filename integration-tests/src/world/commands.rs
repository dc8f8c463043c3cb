//! Programs that run once in a world: the migration and the operator's command.

use std::{
    path::Path,
    process::{Command, Output},
    time::Instant,
};

use anyhow::Context as _;

/// Runs a program of the folder `binaries` with the configuration of `world`.
pub(super) fn run(
    world: &Path,
    binaries: &Path,
    binary: &str,
    args: &[&str],
) -> anyhow::Result<Output> {
    run_with(world, &binaries.join(binary), args, &[])
}

/// Runs a program with the configuration of `world`, and fails if it does.
pub(super) fn run_with(
    world: &Path,
    binary: &Path,
    args: &[&str],
    envs: &[(String, String)],
) -> anyhow::Result<Output> {
    let began = Instant::now();
    let output = Command::new(binary)
        .arg("--config")
        .arg(world.join("config"))
        .args(args)
        .envs(envs.iter().map(|(key, value)| (key, value)))
        .output()
        .with_context(|| format!("cannot start {}: `cargo build` first", binary.display()))?;
    anyhow::ensure!(
        output.status.success(),
        "{} {args:?} after {:?}: {}{}",
        binary.display(),
        began.elapsed(),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    Ok(output)
}
