//! A fresh database for each test.

use std::sync::atomic::{AtomicU32, Ordering};

use compute_migrations::up;
use sea_orm::{ConnectionTrait as _, Database as Connector};
use secrecy::{ExposeSecret as _, SecretString};
use tempfile::TempDir;

use crate::Facts;

/// The databases that the store runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A file, removed with the [`Database`].
    Sqlite,
    /// A database on the part `postgres`.
    Postgres,
    /// A database on the part `mariadb`.
    MariaDb,
}

/// An empty database, or one with the current schema. On a server it stays until the
/// part is stopped.
#[derive(Debug)]
pub struct Database {
    /// Its address, with the password.
    pub url: SecretString,
    _folder: Option<TempDir>,
}

impl Database {
    /// Makes a database without tables.
    pub async fn empty(kind: Kind) -> Self {
        match kind {
            Kind::Sqlite => {
                let folder = tempfile::tempdir().unwrap();
                let file = folder.path().join("store.sqlite");
                let url = format!("sqlite://{}", file.display()).into();
                Self {
                    url,
                    _folder: Some(folder),
                }
            }
            Kind::Postgres => Self::on_server("postgres").await,
            Kind::MariaDb => Self::on_server("mariadb").await,
        }
    }

    /// Makes a database with the current schema.
    pub async fn migrated(kind: Kind) -> Self {
        let database = Self::empty(kind).await;
        up(&database.url).await.unwrap();
        database
    }

    /// Runs SQL on a connection of its own.
    pub async fn execute(&self, sql: &str) {
        let connection = Connector::connect(self.url.expose_secret()).await.unwrap();
        connection.execute_unprepared(sql).await.unwrap();
        connection.close().await.unwrap();
    }

    async fn on_server(part: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("cybergis_test_{}_{number}", std::process::id());
        let facts = Facts::of(part);
        let url = facts.text("url");
        let server = Connector::connect(url).await.unwrap();
        for sql in [
            format!("DROP DATABASE IF EXISTS {name}"),
            format!("CREATE DATABASE {name}"),
        ] {
            server.execute_unprepared(&sql).await.unwrap();
        }
        server.close().await.unwrap();
        let (server, _) = url.rsplit_once('/').unwrap();
        Self {
            url: format!("{server}/{name}").into(),
            _folder: None,
        }
    }
}
