//! Job streams and notifications on Redis.
//!
//! Each HPC has one stream of job ids, read by the maintainers of that HPC as one
//! consumer group. An entry is a hint that a row in the store is queued; the
//! store is the source of truth. An entry may arrive twice, late, or not at all, and Redis
//! may lose everything here without a job being lost.
//!
//! The queue also holds the sealed logins of jobs on HPCs with private accounts, whose loss
//! parks a job, and the counts of login attempts.
//!
//! A blocking read has its own connection: Redis answers the commands of one connection in
//! order, and the others would wait behind it.

mod connection;
mod consumer;
mod credentials;
mod entry;
mod error;
mod keys;
mod login_attempts;
mod notifications;
mod publish;
mod stats;

pub use compute_domain::site::RedisOptions;
pub use connection::Queue;
pub use consumer::Consumer;
pub use entry::Entry;
pub use error::QueueError;
pub use login_attempts::{LoginAttempt, LoginCount};
pub use notifications::Notifications;
pub use stats::Stats;
