//! What a stream looks like, for people and metrics. Only reads.

use std::time::Duration;

use redis::{
    AsyncCommands as _, RedisError,
    streams::{StreamPendingReply, StreamRangeReply},
};

use crate::{Queue, QueueError, consumer::has_no_group, keys::GROUP};

/// One look at a stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Entries in it: not read yet, or read and not finished.
    pub length: u64,
    /// Entries read and not finished.
    pub pending: u64,
    /// Dead letters.
    pub dead: u64,
    /// How long ago the oldest entry was published.
    pub oldest_age: Option<Duration>,
}

impl Queue {
    /// The stream of `hpc` as it is now.
    ///
    /// # Errors
    /// [`QueueError`] if Redis does not answer.
    pub async fn stats(&self, hpc: &str) -> Result<Stats, QueueError> {
        let keys = self.keys(hpc);
        let mut shared = self.shared();
        let mut look = redis::pipe();
        look.xlen(keys.jobs())
            .xlen(keys.dead())
            .xrange_count(keys.jobs(), "-", "+", 1);
        // Ages are of Redis's own clock, which made the entries' ids.
        look.cmd("TIME");
        let (length, dead, first, (seconds, micros)): (u64, u64, StreamRangeReply, (u64, u64)) =
            look.query_async(&mut shared).await?;
        let pending: Result<StreamPendingReply, RedisError> =
            shared.xpending(keys.jobs(), GROUP).await;
        let pending = match pending {
            Err(error) if has_no_group(&error) => 0,
            pending => pending?.count(),
        };
        let now = Duration::from_secs(seconds) + Duration::from_micros(micros);
        let oldest_age = first.ids.first().and_then(|entry| {
            let (millis, _) = entry.id.split_once('-')?;
            Some(now.saturating_sub(Duration::from_millis(millis.parse().ok()?)))
        });
        Ok(Stats {
            length,
            pending: u64::try_from(pending).unwrap_or(u64::MAX),
            dead,
            oldest_age,
        })
    }
}
