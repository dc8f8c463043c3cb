//! A fresh database for each test.

use std::{
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};

use compute_migrations::up;
use sea_orm::{ConnectionTrait as _, Database as Connector};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use tempfile::TempDir;

/// The databases that the store knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
    MariaDb,
}

/// An empty database, or one with the current schema. On a server it stays until
/// the server goes, which is when the tests are over.
pub(crate) struct Database {
    pub(crate) url: SecretString,
    _folder: Option<TempDir>,
}

impl Database {
    pub(crate) async fn empty(kind: Kind) -> Self {
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

    pub(crate) async fn migrated(kind: Kind) -> Self {
        let database = Self::empty(kind).await;
        up(&database.url).await.unwrap();
        database
    }

    /// What only a bare connection can do.
    pub(crate) async fn execute(&self, sql: &str) {
        let connection = Connector::connect(self.url.expose_secret()).await.unwrap();
        connection.execute_unprepared(sql).await.unwrap();
        connection.close().await.unwrap();
    }

    async fn on_server(part: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("cybergis_test_{}_{number}", std::process::id());
        let url = server_url(part);
        let server = Connector::connect(&url).await.unwrap();
        server
            .execute_unprepared(&format!("DROP DATABASE IF EXISTS {name}"))
            .await
            .unwrap();
        server
            .execute_unprepared(&format!("CREATE DATABASE {name}"))
            .await
            .unwrap();
        server.close().await.unwrap();
        let (server, _) = url.rsplit_once('/').unwrap();
        Self {
            url: format!("{server}/{name}").into(),
            _folder: None,
        }
    }
}

fn server_url(part: &str) -> String {
    let parts = std::env::var_os("CYBERGIS_PARTS").unwrap_or_else(|| {
        panic!(
            "CYBERGIS_PARTS names no folder with {part}/facts.json: run the tests with \
             `deploy/local/with-parts COMMAND`, or `make test`"
        )
    });
    let path = PathBuf::from(parts).join(part).join("facts.json");
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    let facts: Value = serde_json::from_str(&text).unwrap();
    facts["url"].as_str().unwrap().to_owned()
}
