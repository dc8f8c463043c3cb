//! A Redis for one scenario, which can be emptied, stopped and inspected.

use std::{path::Path, process::Command};

use crate::parts::local_script;

/// A running Redis. Stopped when dropped.
#[derive(Debug)]
pub struct OwnRedis(tempfile::TempDir);

impl OwnRedis {
    /// Starts one.
    ///
    /// # Errors
    /// If it does not start.
    pub fn up() -> anyhow::Result<Self> {
        let redis = Self(tempfile::tempdir()?);
        redis.command("up")?;
        Ok(redis)
    }

    /// Runs a command of `deploy/local/redis`: `up`, `restart` or `down`.
    ///
    /// # Errors
    /// If the command fails.
    pub fn command(&self, verb: &str) -> anyhow::Result<()> {
        let status = Command::new(local_script("redis"))
            .arg(verb)
            .arg(self.0.path())
            .status()?;
        anyhow::ensure!(status.success(), "redis {verb}");
        Ok(())
    }

    /// Its folder, with `facts.json`.
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for OwnRedis {
    fn drop(&mut self) {
        // Its folder is removed in any case.
        let _ = self.command("down");
    }
}
