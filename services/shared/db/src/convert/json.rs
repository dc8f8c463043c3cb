//! JSON in text columns. The databases never look inside.

use serde::{Serialize, de::DeserializeOwned};

use crate::StoreError;

/// Reads the text of a column.
pub(crate) fn read_json<T: DeserializeOwned>(
    table: &'static str,
    id: &str,
    column: &'static str,
    text: &str,
) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Corrupt {
        table,
        id: id.to_owned(),
        column,
        reason: error.to_string(),
    })
}

/// Returns the text for a column. Maps with text keys, lists and texts, the only values
/// that are stored, always have one.
pub fn write_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}
