//! Mirrors against real git repositories, hostile ones among them.

#![expect(
    clippy::unwrap_used,
    reason = "a test that meets what it does not expect fails"
)]

mod archive;
mod hostile;
mod limits;
mod place;
mod refresh;
