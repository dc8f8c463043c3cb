//! Conversions of what a check of an HPC found.

use crate::wire::check_response::Item;

/// The result of one check of an HPC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckItem {
    /// What was checked, e.g. `login`, `scheduler`.
    pub subject: String,
    /// Whether the check passed.
    pub ok: bool,
    /// What was found, or what is wrong and how to correct it.
    pub detail: String,
}

impl From<CheckItem> for Item {
    fn from(item: CheckItem) -> Self {
        let CheckItem {
            subject,
            ok,
            detail,
        } = item;
        Self {
            subject,
            ok,
            detail,
        }
    }
}

impl From<Item> for CheckItem {
    fn from(item: Item) -> Self {
        let Item {
            subject,
            ok,
            detail,
        } = item;
        Self {
            subject,
            ok,
            detail,
        }
    }
}
