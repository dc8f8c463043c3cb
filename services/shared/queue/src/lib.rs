//! Job streams and wake-ups on Redis.
//!
//! Each HPC has one stream of job ids, read by the maintainers of that HPC as one
//! consumer group. An entry is a hint that a row in the store is queued, never
//! the truth: it may come twice, late, or not at all, and everything here may be
//! lost with Redis without a job being lost.
//!
//! Beside the streams: the sealed logins of jobs on HPCs with private accounts,
//! whose loss parks a job, and the count of logins that users have tried.
//!
//! A blocking read has a connection of its own: commands on one connection are
//! answered in order, and the others would wait behind it.

mod connection;
mod consumer;
mod credentials;
mod entry;
mod error;
mod keys;
mod publish;
mod stats;
mod tries;
mod wakeups;

pub use compute_domain::site::RedisOptions;
pub use connection::Queue;
pub use consumer::Consumer;
pub use entry::Entry;
pub use error::QueueError;
pub use stats::Stats;
pub use tries::{LoginAttempt, LoginCount};
pub use wakeups::Wakeups;
