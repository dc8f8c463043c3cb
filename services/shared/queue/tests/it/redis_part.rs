//! Queues on the running Redis.

use std::time::Duration;

use compute_domain::ids::JobId;
use compute_queue::{Entry, Queue};
use compute_testing::{Facts, OwnRedis, redis_options};

pub(crate) const HPC: &str = "local_hpc";
pub(crate) const SOON: Duration = Duration::from_millis(50);
pub(crate) const DEADLINE: Duration = Duration::from_secs(5);

/// What the Redis that the tests share says of itself.
pub(crate) fn shared() -> Facts {
    Facts::of("redis")
}

/// A queue of the test's own on the Redis that the tests share.
pub(crate) fn queue() -> Queue {
    Queue::connect(redis_options(&shared())).unwrap()
}

/// A queue on `redis`.
pub(crate) fn queue_on(redis: &OwnRedis) -> Queue {
    Queue::connect(redis_options(&redis.facts)).unwrap()
}

pub(crate) fn job(name: &str) -> JobId {
    JobId::from_text(name)
}

pub(crate) fn names(entries: &[Entry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.job_id.as_str()).collect()
}
