//! The maintainer in one process: SQLite, a connector with scripted responses, a clock that
//! the test moves. Only `stream` and `private_login` (Redis) and `lost_answers` (PostgreSQL)
//! need a running part.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that meets what it does not expect fails"
)]

mod cancel;
mod contract;
mod fake_connector;
mod fence;
mod legacy;
mod lifecycle;
mod lost_answers;
mod own_lease;
mod pause;
mod private_login;
mod recovery;
mod steps;
mod stream;
mod templates;
mod unconfigured;
mod unreadable;
mod world;
