//! The database's schema, as a list of migrations, and the means to bring a
//! database up to it.
//!
//! Rules for a new migration: one change of the schema each, since MariaDB and
//! SQLite do not undo half a migration; written so that doing it twice is no
//! error; and never one that the programs of the version before cannot live
//! with: they are still running while it happens. What is not needed any more is
//! removed a version later. The last name is repeated in `compute-db`, which says
//! what it needs.

mod columns;
mod connect;
mod migration;
mod tables;

pub use connect::MigrateError;
pub use migration::all_names;

use std::time::Duration;

use sea_orm_migration::{MigrationStatus, MigratorTrait as _};
use secrecy::SecretString;
use tokio::time::Instant;

use crate::migration::Migrations;

/// Pause before a database that does not answer is asked again.
const PAUSE: Duration = Duration::from_millis(500);

/// A migration, and whether it has been done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Its name.
    pub name: String,
    /// Whether it has been done.
    pub is_applied: bool,
}

/// Does all migrations that are missing; their names. One process at a time.
///
/// # Errors
/// [`MigrateError`]; what was done before the one that failed stays done, and a
/// second call goes on from there.
pub async fn up(url: &SecretString) -> Result<Vec<String>, MigrateError> {
    let connection = connect::open(url).await?;
    let pending = Migrations::get_pending_migrations(&connection).await?;
    Migrations::up(&connection, None).await?;
    Ok(pending
        .iter()
        .map(|migration| migration.name().to_owned())
        .collect())
}

/// All migrations in their order, and whether they have been done. Changes
/// nothing.
///
/// # Errors
/// [`MigrateError`] if the database could not be read.
pub async fn status(url: &SecretString) -> Result<Vec<Standing>, MigrateError> {
    let connection = connect::open(url).await?;
    let migrations = Migrations::get_migration_with_status_read_only(&connection).await?;
    Ok(migrations
        .iter()
        .map(|migration| Standing {
            name: migration.name().to_owned(),
            is_applied: migration.status() == MigrationStatus::Applied,
        })
        .collect())
}

/// Waits until the database responds, at most for `timeout`.
///
/// # Errors
/// [`MigrateError`]: what it said last.
pub async fn wait(url: &SecretString, timeout: Duration) -> Result<(), MigrateError> {
    let began = Instant::now();
    loop {
        let error = match connect::open(url).await {
            Ok(_) => return Ok(()),
            Err(error) => error,
        };
        if matches!(error, MigrateError::Address) || began.elapsed() + PAUSE > timeout {
            return Err(error);
        }
        tokio::time::sleep(PAUSE).await;
    }
}
