//! The gateway in one process: requests go to the router without a socket, rows to SQLite,
//! tokens to a hub and logins and folders to a connector in the same process. Redis is away,
//! as jobs are queued without it.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets what it does not expect fails"
)]

mod access;
mod bodies;
mod configuration;
mod connector;
mod downloads;
mod folders;
mod gateway;
mod hub;
mod idempotency;
mod job_tokens;
mod limits;
mod main_path;
mod public;
mod submit;
mod template;
