//! The maintainer in one process: SQLite, a connector with scripted responses, a clock that
//! the test moves. Only `stream` and `private_login` need a running
//! part (Redis).

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
mod pause;
mod private_login;
mod recovery;
mod steps;
mod stream;
mod templates;
mod unconfigured;
mod unreadable;
mod world;
