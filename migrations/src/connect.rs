//! Opening the database that is to be migrated.

use std::time::Duration;

use sea_orm_migration::sea_orm::{
    ConnectOptions, Database, DatabaseConnection, DbErr, sqlx::sqlite::SqliteJournalMode,
};
use secrecy::{ExposeSecret as _, SecretString};

/// How long to wait for a connection, also to a server that is just starting.
const PATIENCE: Duration = Duration::from_secs(3);

/// Why a migration was not done.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The address is none of a database that we know; it is not repeated here,
    /// since it may hold a password.
    #[error("not an address of a database: known are sqlite, postgres and mysql")]
    Address(#[source] Option<DbErr>),
    /// What the database says.
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// Connects to the database at `url`; makes the file, if it is SQLite.
pub(crate) async fn open(url: &SecretString) -> Result<DatabaseConnection, MigrateError> {
    let url = url.expose_secret();
    let (scheme, rest) = url.split_once("://").ok_or(MigrateError::Address(None))?;
    let scheme = match scheme {
        "sqlite" => "sqlite",
        "postgres" | "postgresql" => "postgres",
        "mysql" | "mariadb" => "mysql",
        _ => return Err(MigrateError::Address(None)),
    };
    let mut options = ConnectOptions::new(format!("{scheme}://{rest}"));
    options
        .max_connections(1)
        .connect_timeout(PATIENCE)
        .acquire_timeout(PATIENCE)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(|sqlite| {
            // Kept in the file: services that start together need not switch to it,
            // which only one can do at a time.
            sqlite
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
        });
    Ok(Database::connect(options).await?)
}
