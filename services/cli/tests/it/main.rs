//! The operator's command as a process of its own, with a real database, real
//! git repositories and a real SSH server.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that meets what it does not expect fails"
)]

mod config;
mod hpc;
mod import;
mod job;
mod legacy_database;
mod operator;
mod template;
mod template_approvals;
