//! Sealed logins of jobs on HPCs with private accounts. Here alone are they kept,
//! each for one job and for a limited time. Only the connector can open them.

use std::time::Duration;

use compute_domain::ids::JobId;
use redis::Cmd;

use crate::{Queue, QueueError};

const REMOVE_IF_SAME: &str =
    "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";

impl Queue {
    /// Keeps the sealed login of a job for that long; replaces the one before.
    ///
    /// # Errors
    /// [`QueueError`] if it is not kept, or it is not known whether it is.
    pub async fn keep_credential(
        &self,
        hpc: &str,
        job: &JobId,
        sealed: &str,
        time: Duration,
    ) -> Result<(), QueueError> {
        let key = self.keys(hpc).credential(job.as_str());
        let seconds = time.as_secs().max(1);
        self.ask(&Cmd::set_ex(key, sealed, seconds)).await
    }

    /// The sealed login of a job, if it is (still) kept.
    ///
    /// # Errors
    /// [`QueueError`] if it could not be read.
    pub async fn credential(&self, hpc: &str, job: &JobId) -> Result<Option<String>, QueueError> {
        let key = self.keys(hpc).credential(job.as_str());
        self.ask(&Cmd::get(key)).await
    }

    /// Keeps what is kept for that long from now on.
    ///
    /// # Errors
    /// [`QueueError`] if the time was not set, or it is not known whether it was.
    pub async fn extend_credential(
        &self,
        hpc: &str,
        job: &JobId,
        time: Duration,
    ) -> Result<(), QueueError> {
        let key = self.keys(hpc).credential(job.as_str());
        let seconds = i64::try_from(time.as_secs().max(1)).unwrap_or(i64::MAX);
        let extended = self.ask(&Cmd::expire(key, seconds)).await;
        extended.map(|_: bool| ())
    }

    /// Removes the sealed login of a job.
    ///
    /// # Errors
    /// [`QueueError`] if it was not removed, or it is not known whether it was.
    pub async fn remove_credential(&self, hpc: &str, job: &JobId) -> Result<(), QueueError> {
        let key = self.keys(hpc).credential(job.as_str());
        let removed = self.ask(&Cmd::del(key)).await;
        removed.map(|_: u64| ())
    }

    /// Removes the sealed login of a job if it is this one; one that its owner has
    /// given meanwhile stays.
    ///
    /// # Errors
    /// [`QueueError`] if it is not known whether it was removed.
    pub async fn remove_this_credential(
        &self,
        hpc: &str,
        job: &JobId,
        sealed: &str,
    ) -> Result<(), QueueError> {
        let key = self.keys(hpc).credential(job.as_str());
        let mut command = redis::cmd("EVAL");
        command.arg(REMOVE_IF_SAME).arg(1).arg(key).arg(sealed);
        let removed = self.ask(&command).await;
        removed.map(|_: u64| ())
    }
}
