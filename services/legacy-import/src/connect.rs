//! Opening the legacy database.

use std::{str::FromStr as _, time::Duration};

use compute_db::StoreError;
use sea_orm::{
    ConnectOptions, Database, DatabaseConnection,
    sqlx::{ConnectOptions as _, mysql::MySqlConnectOptions},
};
use secrecy::{ExposeSecret as _, SecretString};

/// Time limit for opening a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Opens the legacy database. The password is separate from the address, because the
/// address is an argument on a command line.
///
/// The address is parsed here, because `sea_orm` writes the one that it is given into its
/// traces.
pub(crate) async fn open(
    url: &str,
    password: Option<&SecretString>,
) -> Result<DatabaseConnection, StoreError> {
    const EXPECTED: StoreError = StoreError::Address("expected mysql://USER@HOST:PORT/DATABASE");
    let (_, rest) = url
        .split_once("://")
        .filter(|(scheme, _)| matches!(*scheme, "mysql" | "mariadb"))
        .ok_or(EXPECTED)?;
    let login = rest.rsplit_once('@').map_or("", |(login, _)| login);
    if login.contains(':') {
        return Err(StoreError::Address(
            "it contains a password: give the password in a file or in the environment variable",
        ));
    }
    let mut mysql = MySqlConnectOptions::from_str(&format!("mysql://{rest}"))
        .map_err(|_| EXPECTED)?
        .charset("utf8mb4")
        .disable_statement_logging();
    if let Some(password) = password {
        mysql = mysql.password(password.expose_secret());
    }
    let mut options = ConnectOptions::new("mysql://localhost");
    options
        .max_connections(1)
        .connect_timeout(CONNECT_TIMEOUT)
        .acquire_timeout(CONNECT_TIMEOUT)
        .connect_lazy(true)
        .map_sqlx_mysql_opts(move |_| mysql.clone());
    Ok(Database::connect(options).await?)
}
