//! The database of a world: a SQLite file of its own, or a database of its own on
//! the PostgreSQL part, as the whole run wants it.

use std::{env, path::Path, process::Command};

use anyhow::Context as _;

use crate::parts::Parts;

/// Names the database of scenario tests: `sqlite` (the default) or `postgres`.
const VARIABLE: &str = "CYBERGIS_SCENARIO_DATABASE";

/// Address of a database for the world in the folder `world`.
///
/// # Errors
/// If the variable names none that is known, or it cannot be made.
pub fn url(world: &Path, parts: &Parts) -> anyhow::Result<String> {
    let wanted = env::var(VARIABLE);
    match wanted.as_deref() {
        Err(_) | Ok("sqlite") => {
            let file = world.join("compute.sqlite");
            Ok(format!("sqlite://{}?mode=rwc", file.display()))
        }
        Ok("postgres") => postgres(world, parts),
        Ok(other) => anyhow::bail!("{VARIABLE} must be sqlite or postgres, is {other}"),
    }
}

/// It goes with the part, when the run is over.
fn postgres(world: &Path, parts: &Parts) -> anyhow::Result<String> {
    let server = parts.text("postgres", "url")?;
    let name = world
        .file_name()
        .context("the world has no folder")?
        .to_string_lossy()
        .to_lowercase();
    let made = Command::new("psql")
        .args(["--no-psqlrc", "--quiet", "--dbname", &server, "--command"])
        .arg(format!("CREATE DATABASE \"{name}\""))
        .output()?;
    anyhow::ensure!(
        made.status.success(),
        "no database: {}",
        String::from_utf8_lossy(&made.stderr)
    );
    let (server, _) = server.rsplit_once('/').context("no address")?;
    Ok(format!("{server}/{name}"))
}
