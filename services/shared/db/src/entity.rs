//! Rows, one file for each table. They leave this crate only in [`crate::import`]:
//! elsewhere domain types come in and go out, and [`crate::convert`] stands between.

pub mod event;
pub mod folder;
pub(crate) mod folder_transfer;
pub(crate) mod hpc_slot;
pub(crate) mod idempotency_key;
pub mod job;
pub mod log;
pub(crate) mod maintainer;
pub mod refresh_token;
pub(crate) mod schema_version;
pub mod template;
pub(crate) mod user_slot;
