//! The database of a world: a SQLite file, or a database on the part PostgreSQL or MariaDB,
//! depending on a variable of the test run.

use std::{env, path::Path, process::Command};

use anyhow::Context as _;

use crate::parts::Parts;

/// Names the database of scenario tests: `sqlite` (the default), `postgres` or `mariadb`.
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
        Ok(part @ ("postgres" | "mariadb")) => on_server(part, world, parts),
        Ok(other) => anyhow::bail!("{VARIABLE} must be sqlite, postgres or mariadb, is {other}"),
    }
}

/// Address of a new database on the part PostgreSQL, for a scenario that a file cannot serve;
/// `name` is its own.
///
/// # Errors
/// If the database cannot be created.
pub fn on_postgres(name: &str) -> anyhow::Result<String> {
    let world = format!("{name}_{}", std::process::id());
    on_server("postgres", Path::new(&world), &Parts::of_this_run()?)
}

/// Creates a database for the world on the server `part`. It is removed with the
/// part, when the run ends.
fn on_server(part: &str, world: &Path, parts: &Parts) -> anyhow::Result<String> {
    let server = parts.text(part, "url")?;
    let world = world.file_name().context("the world has no folder")?;
    // on MariaDB, the user may create databases of this prefix
    let name = format!("cybergis_{}", world.to_string_lossy().to_lowercase());
    let mut client = if part == "postgres" {
        psql(&server)
    } else {
        mariadb(parts)?
    };
    let created = client.arg(format!("CREATE DATABASE {name}")).output()?;
    anyhow::ensure!(
        created.status.success(),
        "no database on {part}: {}",
        String::from_utf8_lossy(&created.stderr)
    );
    let (server, _) = server.rsplit_once('/').context("no address")?;
    Ok(format!("{server}/{name}"))
}

fn psql(server: &str) -> Command {
    let mut psql = Command::new("psql");
    psql.args(["--no-psqlrc", "--quiet", "--dbname", server, "--command"]);
    psql
}

fn mariadb(parts: &Parts) -> anyhow::Result<Command> {
    let mut mariadb = Command::new("mariadb");
    mariadb
        .arg("--no-defaults")
        .args(["--host", &parts.text("mariadb", "host")?])
        .args(["--port", &parts.fact("mariadb", "port")?.to_string()])
        .args(["--user", &parts.text("mariadb", "user")?])
        .env("MYSQL_PWD", parts.text("mariadb", "password")?)
        .arg("--execute");
    Ok(mariadb)
}
