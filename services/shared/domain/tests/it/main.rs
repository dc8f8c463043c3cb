//! The rules against what the legacy server was recorded to answer.

#![expect(
    clippy::unwrap_used,
    reason = "a test that meets what it does not expect fails"
)]

mod broken_manifest;
mod manifest;
