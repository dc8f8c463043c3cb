//! The store's contract, the same on SQLite, PostgreSQL and MariaDB: each test
//! runs on all three, in a database of its own.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that meets what it does not expect fails"
)]

mod advance;
mod capacity;
mod checked;
mod concurrent;
mod sharing_folder;

mod folder_transfers;
mod globus_tokens;
mod hostile;
mod identities;
mod intents;
mod job_status;
mod leases;
mod limits;
mod lost_answers;
mod maintainers;
mod operator;
mod owner;
mod places;
mod process_leases;
mod schema;
mod statistics;
mod templates;
mod unconfigured;
mod unreadable;
mod world;
