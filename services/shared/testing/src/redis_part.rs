//! The Redis that the tests share, and one that a test has for itself.

use std::{path::Path, process::Command};

use compute_queue::RedisOptions;
use redis::aio::MultiplexedConnection;
use tempfile::TempDir;
use uuid::Uuid;

use crate::Facts;

/// Returns how to reach a Redis, with a prefix of the test's own.
pub fn redis_options(facts: &Facts) -> RedisOptions {
    RedisOptions {
        host: facts.text("host").to_owned(),
        port: facts.port(),
        password: Some(facts.text("password").into()),
        prefix: Uuid::new_v4().to_string(),
    }
}

/// Connects to a Redis, for commands that the queue does not use.
pub async fn raw_connection(facts: &Facts) -> MultiplexedConnection {
    let client = redis::Client::open(facts.text("url")).unwrap();
    client.get_multiplexed_async_connection().await.unwrap()
}

/// A Redis that the test may stop and empty.
#[derive(Debug)]
pub struct OwnRedis {
    folder: TempDir,
    /// How it is reached.
    pub facts: Facts,
}

impl OwnRedis {
    /// Starts it.
    pub fn start() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("cybergis-redis-")
            .tempdir()
            .unwrap();
        run("up", folder.path());
        let facts = Facts::in_folder(folder.path());
        Self { folder, facts }
    }

    /// Removes all its keys.
    pub async fn empty(&self) {
        let mut connection = raw_connection(&self.facts).await;
        redis::cmd("FLUSHALL")
            .exec_async(&mut connection)
            .await
            .unwrap();
    }

    /// Stops it without saving anything.
    pub async fn stop(&self) {
        let mut connection = raw_connection(&self.facts).await;
        // Redis stops without a response.
        let _ = redis::cmd("SHUTDOWN")
            .arg("NOSAVE")
            .exec_async(&mut connection)
            .await;
    }

    /// Kills it, if it runs, and starts it again, empty.
    pub fn restart(&self) {
        run("restart", self.folder.path());
    }
}

impl Drop for OwnRedis {
    fn drop(&mut self) {
        run("down", self.folder.path());
    }
}

fn run(action: &str, folder: &Path) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../deploy/local/redis");
    let output = Command::new(script)
        .arg(action)
        .arg(folder)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "redis {action}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
