//! `compute-migrate`: brings a database up to the schema of this version.

use std::{io::Write as _, path::PathBuf, process::ExitCode, time::Duration};

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use compute_config::{Environment as _, ProcessEnvironment, Stores, load};
use compute_migrations::{status, up, wait};
use secrecy::SecretString;

/// Brings a database up to the schema of this version.
///
/// Which database: --database-url, or else that of the folder --config, or else
/// the variable DATABASE_URL, or else that of the folder in the variable
/// CYBERGIS_CONFIG, or else that of ./config.
#[derive(Parser)]
#[command(name = "compute-migrate", version = compute_config::version::text())]
struct Arguments {
    /// Address of the database: sqlite:///FOLDER/FILE,
    /// postgres://USER:PASSWORD@HOST:PORT/DATABASE or mysql://… Others on this
    /// machine can read it here; the variable DATABASE_URL they cannot.
    #[arg(long, global = true)]
    database_url: Option<SecretString>,
    /// Folder with the configuration.
    #[arg(long, global = true)]
    config: Option<PathBuf>,
    /// Seconds to wait for the database to answer.
    #[arg(long, default_value_t = 0, global = true)]
    wait: u64,
    #[command(subcommand)]
    action: Action,
}

#[derive(Clone, Copy, Subcommand)]
enum Action {
    /// Do all migrations that are missing.
    Up,
    /// Show which have been done; exit status 1 if some are missing.
    Status,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let (timeout, action) = (Duration::from_secs(arguments.wait), arguments.action);
    let url = database_url(arguments)?;
    wait(&url, timeout)
        .await
        .context("cannot reach the database")?;
    let mut out = std::io::stdout().lock();
    match action {
        Action::Up => {
            let done = up(&url).await.context("cannot migrate")?;
            for name in &done {
                writeln!(out, "done     {name}")?;
            }
            writeln!(out, "{} migrations done, the schema is current", done.len())?;
            Ok(ExitCode::SUCCESS)
        }
        Action::Status => {
            let all = status(&url)
                .await
                .context("cannot read what has been done")?;
            for migration in &all {
                let word = if migration.is_applied {
                    "done   "
                } else {
                    "missing"
                };
                writeln!(out, "{word}  {}", migration.name)?;
            }
            let is_current = all.iter().all(|migration| migration.is_applied);
            Ok(if is_current {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            })
        }
    }
}

fn database_url(arguments: Arguments) -> anyhow::Result<SecretString> {
    let Arguments {
        database_url,
        config,
        ..
    } = arguments;
    if let Some(url) = database_url {
        return Ok(url);
    }
    let environment = ProcessEnvironment;
    if config.is_none()
        && let Some(url) = environment.get("DATABASE_URL")
    {
        return Ok(url.into());
    }
    let folder = config
        .or_else(|| environment.get("CYBERGIS_CONFIG").map(PathBuf::from))
        .unwrap_or_else(|| PathBuf::from("config"));
    let loaded = load(&folder, &environment, Stores::Database)
        .with_context(|| format!("the configuration in {} has mistakes", folder.display()))?;
    Ok(loaded.site.server.database.url)
}
