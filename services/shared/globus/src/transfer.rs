//! What is asked of Globus (Transfer API, "transfer" document).

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Compares by checksum: what is there already is not sent again, and what came
/// damaged is.
const SYNC_BY_CHECKSUM: u8 = 3;

/// A folder or file at an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Endpoint or collection id.
    pub endpoint: String,
    /// Path there.
    pub path: String,
}

/// A transfer, before it is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// From [`crate::Globus::submission_id`], kept before.
    pub submission_id: String,
    /// What Globus' own pages call it.
    pub label: String,
    /// From where.
    pub source: Place,
    /// To where.
    pub destination: Place,
    /// A folder with all that is in it, or one file.
    pub recursive: bool,
}

impl Transfer {
    pub(crate) fn document(&self) -> Value {
        json!({
            "DATA_TYPE": "transfer",
            "submission_id": self.submission_id,
            "label": label(&self.label),
            "source_endpoint": self.source.endpoint,
            "destination_endpoint": self.destination.endpoint,
            "sync_level": SYNC_BY_CHECKSUM,
            "verify_checksum": true,
            "notify_on_succeeded": false,
            "notify_on_failed": false,
            "notify_on_inactive": false,
            "DATA": [{
                "DATA_TYPE": "transfer_item",
                "source_path": self.source.path,
                "destination_path": self.destination.path,
                "recursive": self.recursive,
            }],
        })
    }
}

/// Globus accepts up to 128 letters, digits, blanks, `_`, `-` and `,`.
fn label(text: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || " _-,".contains(c) {
            c
        } else {
            ' '
        }
    };
    text.chars().map(plain).take(128).collect()
}
