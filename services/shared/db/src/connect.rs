//! Opening the database: what each of the three needs.

use std::{str::FromStr, time::Duration};

use sea_orm::{
    ConnectOptions, Database, DatabaseConnection,
    sqlx::{
        AssertSqlSafe, ConnectOptions as _, Executor as _,
        mysql::MySqlConnectOptions,
        postgres::PgConnectOptions,
        sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
    },
};
use secrecy::{ExposeSecret as _, SecretString};

use crate::StoreError;

/// Maximum number of connections of one process.
const CONNECTIONS: u32 = 10;

/// Time limit for opening a connection, also to a server that is just starting.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a server lets a transaction wait for its process. After that it is rolled back, so
/// that a process which was stopped or cut off does not hold rows that others need.
const IDLE_IN_TRANSACTION_SECONDS: u32 = 15;

/// How long SQLite waits for another writer, of this process or another.
const BUSY: Duration = Duration::from_secs(10);

/// Opens the database at `url`, without connecting yet: services start in any
/// order.
///
/// The address is taken apart here, because `sea_orm` writes the one that it is
/// given into its traces, password included.
pub(crate) async fn open(url: &SecretString) -> Result<DatabaseConnection, StoreError> {
    let url = url.expose_secret();
    let (scheme, rest) = url
        .split_once("://")
        .ok_or(StoreError::Address("it has no scheme"))?;
    let options = match scheme {
        "sqlite" => sqlite(url)?,
        "postgres" | "postgresql" => postgres(&format!("postgres://{rest}"))?,
        "mysql" | "mariadb" => mysql(&format!("mysql://{rest}"))?,
        _ => return Err(StoreError::Address("known are sqlite, postgres and mysql")),
    };
    Ok(Database::connect(options).await?)
}

fn pooled(scheme: &str) -> ConnectOptions {
    let mut options = ConnectOptions::new(scheme);
    options
        .max_connections(CONNECTIONS)
        .connect_timeout(CONNECT_TIMEOUT)
        .acquire_timeout(CONNECT_TIMEOUT)
        .connect_lazy(true);
    options
}

fn sqlite(url: &str) -> Result<ConnectOptions, StoreError> {
    // WAL lets readers go on while another process writes. FULL: a commit that
    // was acknowledged survives a power failure.
    let sqlite = SqliteConnectOptions::from_str(url)
        .map_err(|_| StoreError::Address("expected sqlite:///FOLDER/FILE"))?
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY)
        .foreign_keys(true)
        .disable_statement_logging();
    let mut options = pooled("sqlite::memory:");
    options.map_sqlx_sqlite_opts(move |_| sqlite.clone());
    Ok(options)
}

fn postgres(url: &str) -> Result<ConnectOptions, StoreError> {
    let postgres = PgConnectOptions::from_str(url)
        .map_err(|_| StoreError::Address("expected postgres://USER:PASSWORD@HOST:PORT/DATABASE"))?
        .application_name("cybergis-compute")
        .disable_statement_logging();
    let mut options = pooled("postgres://localhost");
    options.map_sqlx_postgres_opts(move |_| postgres.clone());
    // Not as an option of the connection: poolers reject those.
    options.map_sqlx_postgres_pool_opts(|pool| {
        pool.after_connect(|connection, _| {
            let limit = format!(
                "SET idle_in_transaction_session_timeout = '{IDLE_IN_TRANSACTION_SECONDS}s'"
            );
            Box::pin(async move { connection.execute(AssertSqlSafe(limit)).await.map(drop) })
        })
    });
    Ok(options)
}

fn mysql(url: &str) -> Result<ConnectOptions, StoreError> {
    let mysql = MySqlConnectOptions::from_str(url)
        .map_err(|_| StoreError::Address("expected mysql://USER:PASSWORD@HOST:PORT/DATABASE"))?
        .charset("utf8mb4")
        .disable_statement_logging();
    let mut options = pooled("mysql://localhost");
    options.map_sqlx_mysql_opts(move |_| mysql.clone());
    options.map_sqlx_mysql_pool_opts(|pool| {
        pool.after_connect(|connection, _| {
            let limit =
                format!("SET SESSION idle_transaction_timeout = {IDLE_IN_TRANSACTION_SECONDS}");
            Box::pin(async move { connection.execute(AssertSqlSafe(limit)).await.map(drop) })
        })
    });
    Ok(options)
}

#[cfg(test)]
mod tests {
    use compute_testing::{Database as TestDatabase, Kind};
    use rstest::rstest;
    use sea_orm::{ConnectionTrait as _, Statement};

    use super::*;

    #[rstest]
    #[case(
        Kind::Postgres,
        "SELECT current_setting('idle_in_transaction_session_timeout') AS seconds",
        "15s"
    )]
    #[case(
        Kind::MariaDb,
        "SELECT CAST(@@idle_transaction_timeout AS CHAR) AS seconds",
        "15"
    )]
    #[tokio::test]
    async fn a_transaction_of_a_frozen_process_is_rolled_back(
        #[case] kind: Kind,
        #[case] sql: &str,
        #[case] limit: &str,
    ) {
        let database = TestDatabase::empty(kind).await;
        let connection = open(&database.url).await.unwrap();
        let question = Statement::from_string(connection.get_database_backend(), sql);
        let row = connection.query_one_raw(question).await.unwrap().unwrap();
        let seen: String = row.try_get("", "seconds").unwrap();
        assert_eq!(seen, limit);
    }
}
