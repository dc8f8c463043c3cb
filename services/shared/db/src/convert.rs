//! Between rows and domain types. Rows are taken apart field by field, so that a
//! column that is added cannot be forgotten here.

mod folder;
mod job;
mod json;
mod rows;

pub(crate) use folder::folder_row;
pub(crate) use job::read_intent;
pub(crate) use json::read_json;
pub use json::write_json;

/// Returns `text` with each NUL replaced by U+FFFD: PostgreSQL stores no NUL.
pub fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
