//! The Redis that the tests share, and one that a test has for itself.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use compute_domain::ids::JobId;
use compute_queue::{Entry, Queue, RedisOptions};
use redis::aio::MultiplexedConnection;
use serde_json::Value;
use tempfile::TempDir;
use uuid::Uuid;

pub(crate) const HPC: &str = "local_hpc";
pub(crate) const SOON: Duration = Duration::from_millis(50);
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// How to reach a Redis, with a prefix of the test's own.
pub(crate) fn options(facts: &Value) -> RedisOptions {
    RedisOptions {
        host: facts["host"].as_str().unwrap().to_owned(),
        port: facts["port"].as_u64().unwrap().try_into().unwrap(),
        password: Some(facts["password"].as_str().unwrap().into()),
        prefix: Uuid::new_v4().to_string(),
    }
}

pub(crate) fn shared() -> Value {
    let parts = std::env::var_os("CYBERGIS_PARTS").unwrap_or_else(|| {
        panic!(
            "CYBERGIS_PARTS names no folder with redis/facts.json: run the tests with \
             `deploy/local/with-parts COMMAND`, or `make test`"
        )
    });
    read_facts(&PathBuf::from(parts).join("redis"))
}

/// A queue of the test's own on the Redis that the tests share.
pub(crate) fn queue() -> Queue {
    Queue::connect(options(&shared())).unwrap()
}

/// What only a bare connection can do.
pub(crate) async fn bare(facts: &Value) -> MultiplexedConnection {
    let client = redis::Client::open(facts["url"].as_str().unwrap()).unwrap();
    client.get_multiplexed_async_connection().await.unwrap()
}

pub(crate) fn job(name: &str) -> JobId {
    JobId::from_text(name)
}

pub(crate) fn names(entries: &[Entry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.job_id.as_str()).collect()
}

/// A Redis that the test may stop and empty.
pub(crate) struct OwnRedis {
    folder: TempDir,
    pub(crate) facts: Value,
}

impl OwnRedis {
    pub(crate) fn up() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("cybergis-redis-")
            .tempdir()
            .unwrap();
        run("up", folder.path());
        let facts = read_facts(folder.path());
        Self { folder, facts }
    }

    pub(crate) fn queue(&self) -> Queue {
        Queue::connect(options(&self.facts)).unwrap()
    }

    pub(crate) async fn empty(&self) {
        let mut bare = bare(&self.facts).await;
        redis::cmd("FLUSHALL").exec_async(&mut bare).await.unwrap();
    }

    /// Ends it; what it held is gone.
    pub(crate) async fn stop(&self) {
        let mut bare = bare(&self.facts).await;
        // It goes without an answer.
        let _ = redis::cmd("SHUTDOWN")
            .arg("NOSAVE")
            .exec_async(&mut bare)
            .await;
    }

    /// Kills it, if it is there, and starts it again, empty.
    pub(crate) fn restart(&self) {
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

fn read_facts(folder: &Path) -> Value {
    let path = folder.join("facts.json");
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    serde_json::from_str(&text).unwrap()
}
