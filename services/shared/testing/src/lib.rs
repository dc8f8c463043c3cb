//! What the tests of several crates share: the running parts (Slurm, Redis, databases),
//! as `deploy/local/with-parts` starts them, fixtures, and the contract that each connector
//! keeps. A dev-dependency only.
//!
//! A function here panics where a test would fail: a test without its parts fails, it is
//! not skipped.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails where something is not as expected"
)]

mod commit_cutter;
pub mod connector_contract;
mod database;
mod facts;
mod hpc;
mod redis_part;

pub use commit_cutter::CommitCutter;
pub use database::{Database, Kind};
pub use facts::Facts;
pub use hpc::{cluster_hpc, community_hpc, private_hpc};
pub use redis_part::{OwnRedis, raw_connection, redis_options};
