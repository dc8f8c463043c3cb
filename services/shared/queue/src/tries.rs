//! How often a user has tried to log in to an HPC: counted here, for all gateways
//! together.

use std::time::Duration;

use compute_domain::ids::UserId;

use crate::{Queue, QueueError};

/// Times are Redis's own, in milliseconds, so that clocks need not agree. Answers
/// how long to wait, 0 if the try counts.
const TRY: &str = "
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local window = tonumber(ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then
  local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
  return math.max(1, oldest[2] + window - now)
end
redis.call('ZADD', KEYS[1], now, ARGV[3])
redis.call('PEXPIRE', KEYS[1], window)
return 0
";

impl Queue {
    /// Counts a login that `user` tries on `hpc`, unless there were `most` of them
    /// within `window`: then, how long to wait until the next one.
    ///
    /// # Errors
    /// [`QueueError`] if it could not be counted.
    pub async fn count_login(
        &self,
        hpc: &str,
        user: &UserId,
        most: u32,
        window: Duration,
    ) -> Result<Option<Duration>, QueueError> {
        let milliseconds = u64::try_from(window.as_millis()).unwrap_or(u64::MAX);
        // Asked once more, it is the same try.
        let name = rand::random::<u64>();
        let mut command = redis::cmd("EVAL");
        command
            .arg(TRY)
            .arg(1)
            .arg(self.keys(hpc).tries(user.as_str()))
            .arg(milliseconds)
            .arg(most)
            .arg(name);
        let wait: u64 = self.ask(&command).await?;
        Ok((wait > 0).then(|| Duration::from_millis(wait)))
    }
}
