//! Rows, one file for each table. They never leave this crate: domain types come
//! in and go out, and [`crate::convert`] stands between.

pub(crate) mod event;
pub(crate) mod folder;
pub(crate) mod folder_transfer;
pub(crate) mod hpc_slot;
pub(crate) mod job;
pub(crate) mod log;
pub(crate) mod maintainer;
pub(crate) mod refresh_token;
pub(crate) mod schema_version;
pub(crate) mod template;
pub(crate) mod user_slot;
