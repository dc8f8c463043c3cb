//! Between rows and domain types. Rows are taken apart field by field, so that a
//! column that is added cannot be forgotten here.

mod folder;
mod job;
mod json;
mod rows;

pub(crate) use folder::folder_row;
pub(crate) use job::read_intent;
pub(crate) use json::{read_json, write_json};

/// Text that every database can keep: PostgreSQL has no NUL.
pub(crate) fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
