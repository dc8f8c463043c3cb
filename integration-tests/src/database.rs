//! The database of a world: a SQLite file, or a database on the PostgreSQL part,
//! depending on a variable of the test run.

use std::{env, path::Path, process::Command};

use anyhow::Context as _;

use crate::parts::Parts;

/// Names the database of scenario tests: `sqlite` (the default) or `postgres`.
const VARIABLE: &str = "CYBERGIS_SCENARIO_DATABASE";

/// Address of a database for the world in the folder `world`.
///
/// # Errors
/// If the variable has another value, or the database cannot be created.
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

/// The database is removed with the part, when the run ends.
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
