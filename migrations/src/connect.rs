//! Opening the database that is to be migrated.

use std::{str::FromStr as _, time::Duration};

use sea_orm_migration::sea_orm::{
    ConnectOptions, Database, DatabaseConnection, DbErr,
    sqlx::{
        mysql::MySqlConnectOptions,
        postgres::PgConnectOptions,
        sqlite::{SqliteConnectOptions, SqliteJournalMode},
    },
};
use secrecy::{ExposeSecret as _, SecretString};

/// Time limit for opening a connection, also to a server that is just starting.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// A failed migration.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The address of the database is not valid. The error does not contain it, since it
    /// may contain a password.
    #[error(
        "not an address of a database, like postgres://USER@HOST:PORT/NAME; also known are sqlite and mysql"
    )]
    Address,
    /// An error of the database.
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// Connects to the database at `url`; makes the file, if it is SQLite.
pub(crate) async fn open(url: &SecretString) -> Result<DatabaseConnection, MigrateError> {
    let url = url.expose_secret();
    let url = known(url).ok_or(MigrateError::Address)?;
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(1)
        .connect_timeout(CONNECT_TIMEOUT)
        .acquire_timeout(CONNECT_TIMEOUT)
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

/// Returns the address in the form that SQLx reads. It is checked here, because an error of
/// SQLx contains the address that it cannot read, password included.
fn known(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let (url, is_good) = match scheme {
        "sqlite" => (url.to_owned(), SqliteConnectOptions::from_str(url).is_ok()),
        "postgres" | "postgresql" => {
            let url = format!("postgres://{rest}");
            let is_good = PgConnectOptions::from_str(&url).is_ok();
            (url, is_good)
        }
        "mysql" | "mariadb" => {
            let url = format!("mysql://{rest}");
            let is_good = MySqlConnectOptions::from_str(&url).is_ok();
            (url, is_good)
        }
        _ => return None,
    };
    is_good.then_some(url)
}
