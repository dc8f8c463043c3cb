//! Counts of login attempts to an HPC, by user and by account, for all gateways together.

use std::time::Duration;

use compute_domain::ids::UserId;

use crate::{Queue, QueueError};

/// Uses the clock of Redis, in milliseconds, so that clocks need not agree. Returns which of
/// the two counts is full (0: neither, and the attempt counts in both), and how long to wait.
const TRY: &str = "
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local window = tonumber(ARGV[1])
for i = 1, 2 do
  redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', now - window)
  if redis.call('ZCARD', KEYS[i]) >= tonumber(ARGV[1 + i]) then
    local oldest = redis.call('ZRANGE', KEYS[i], 0, 0, 'WITHSCORES')
    return {i, math.max(1, oldest[2] + window - now)}
  end
end
for i = 1, 2 do
  redis.call('ZADD', KEYS[i], now, ARGV[4])
  redis.call('PEXPIRE', KEYS[i], window)
end
return {0, 0}
";

/// A login that is about to be attempted.
#[derive(Debug, Clone, Copy)]
pub struct LoginAttempt<'a> {
    /// The HPC.
    pub hpc: &'a str,
    /// The user who logs in.
    pub user: &'a UserId,
    /// The account there.
    pub account: &'a str,
}

/// The result of counting an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginCount {
    /// The login may be attempted; the id is for [`Queue::forgive_login`].
    Counted(u64),
    /// The user has made too many attempts: how long to wait before the next one.
    UserMustWait(Duration),
    /// Too many logins to the account have failed, by any users: how long to wait.
    AccountMustWait(Duration),
}

impl Queue {
    /// Counts an attempt, unless its user has made `most` within `window`, or `most_failed` to
    /// its account have failed, of any users.
    ///
    /// # Errors
    /// [`QueueError`] if it could not be counted.
    pub async fn count_login(
        &self,
        attempt: LoginAttempt<'_>,
        most: u32,
        most_failed: u32,
        window: Duration,
    ) -> Result<LoginCount, QueueError> {
        let milliseconds = u64::try_from(window.as_millis()).unwrap_or(u64::MAX);
        let keys = self.keys(attempt.hpc);
        // If the command is repeated, it counts the same attempt.
        let name = rand::random::<u64>();
        let mut command = redis::cmd("EVAL");
        command
            .arg(TRY)
            .arg(2)
            .arg(keys.login_attempts(attempt.user.as_str()))
            .arg(keys.failures(attempt.account))
            .arg(milliseconds)
            .arg(most)
            .arg(most_failed)
            .arg(name);
        let (full, wait): (u8, u64) = self.ask(&command).await?;
        let wait = Duration::from_millis(wait);
        Ok(match full {
            0 => LoginCount::Counted(name),
            1 => LoginCount::UserMustWait(wait),
            _ => LoginCount::AccountMustWait(wait),
        })
    }

    /// The attempt with the id `counted` has not failed: it counts for its account no more.
    ///
    /// # Errors
    /// [`QueueError`] if that could not be written.
    pub async fn forgive_login(
        &self,
        attempt: LoginAttempt<'_>,
        counted: u64,
    ) -> Result<(), QueueError> {
        let mut command = redis::cmd("ZREM");
        command
            .arg(self.keys(attempt.hpc).failures(attempt.account))
            .arg(counted);
        let _removed: u64 = self.ask(&command).await?;
        Ok(())
    }
}
