//! The queue's contract, against a real Redis.

#![expect(
    clippy::unwrap_used,
    reason = "a test that meets what it does not expect fails"
)]

mod access;
mod credentials;
mod entries;
mod losses;
mod notifications;
mod redis_part;
