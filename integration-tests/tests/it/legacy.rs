//! Compatibility with the legacy server: its recorded responses, its own checks, its database.

mod import;
mod legacy_checks;
mod replay;
