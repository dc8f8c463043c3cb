//! TLS between services, with real certificates.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as expected; also in what tests share"
)]

mod transport;
