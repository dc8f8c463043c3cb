//! Globus collections that users may name. Transfers run in the operator's name, so
//! Globus itself does not tell one user from another: these rules do.

use std::collections::BTreeMap;

use super::{Hpc, Hub};
use crate::ids::UserId;

/// Longest path that is handed to Globus, bytes.
const MAX_PATH: usize = 4096;

/// A collection that the operator opens to all users: an entry of
/// `globus_collections` in `config.json`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenCollection {
    /// Id of the collection or endpoint.
    pub id: String,
    /// Absolute folder there that users stay below; the whole collection if absent.
    pub path: Option<String>,
}

/// What decides about a place at Globus.
#[derive(Debug, Clone, Copy)]
pub struct Collections<'a> {
    /// `hpc.json`.
    pub hpcs: &'a BTreeMap<String, Hpc>,
    /// `jupyter-globus-map.json`.
    pub hubs: &'a BTreeMap<String, Hub>,
    /// `globus_collections` of `config.json`.
    pub open: &'a [OpenCollection],
}

/// A place at Globus that a user may read and write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdmittedPlace {
    /// Id of the collection, as the operator has written it.
    pub collection: String,
    /// Absolute path there.
    pub path: String,
    /// Whether it is the user's own folder on their hub.
    pub is_own: bool,
}

/// Why a place is not for a user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// A collection of an HPC, or one that is not listed. Both read the same: nobody
    /// learns which collections are those of HPCs.
    #[error(
        "the Globus collection {0:?} is not available: use the one of your JupyterHub, or ask the \
         operator to list it in globus_collections"
    )]
    Collection(String),
    /// A path that is not below the folder.
    #[error("the Globus path {path:?} is not below {folder:?}")]
    NotBelow {
        /// The path.
        path: String,
        /// Where it has to be.
        folder: String,
    },
    /// A path that may mean another one.
    #[error("the Globus path {path:?} is not accepted: {reason}")]
    Path {
        /// The path.
        path: String,
        /// Which rule it breaks.
        reason: &'static str,
    },
    /// The user has no folder at their hub's collection.
    #[error("your account has no folder on the Globus collection of its JupyterHub")]
    NoFolder,
}

impl Collections<'_> {
    /// The place that `user` means by `collection` and `path`.
    ///
    /// # Errors
    /// [`PlaceError`] if it is not theirs to read and write.
    pub fn admit(
        &self,
        user: &UserId,
        collection: &str,
        path: &str,
    ) -> Result<AdmittedPlace, PlaceError> {
        let refused = || PlaceError::Collection(collection.chars().take(100).collect());
        let is_meant = |id: &str| !id.trim().is_empty() && canonical(id) == canonical(collection);
        let mut of_hpcs = self
            .hpcs
            .values()
            .filter_map(|hpc| hpc.globus.endpoint.as_deref());
        if of_hpcs.any(is_meant) {
            return Err(refused());
        }
        let hub = user.host().and_then(|host| self.hubs.get(host));
        if let Some(hub) = hub.filter(|hub| is_meant(&hub.endpoint)) {
            let folder = hub.folder_of(user.name()).ok_or(PlaceError::NoFolder)?;
            return Ok(AdmittedPlace {
                collection: hub.endpoint.trim().to_owned(),
                path: below(&folder, path)?,
                is_own: true,
            });
        }
        let mut listed = self
            .open
            .iter()
            .filter(|open| is_meant(&open.id))
            .peekable();
        listed.peek().ok_or_else(refused)?;
        let mut refusal = refused();
        for open in listed {
            match below(open.path.as_deref().unwrap_or("/"), path) {
                Ok(path) => {
                    return Ok(AdmittedPlace {
                        collection: open.id.trim().to_owned(),
                        path,
                        is_own: false,
                    });
                }
                Err(error) => refusal = error,
            }
        }
        Err(refusal)
    }
}

/// One spelling for each collection: Globus takes a UUID in either case and, as most
/// readers of UUIDs do (RFC 9562, 4), perhaps without hyphens, in braces or as a URN.
pub fn canonical(id: &str) -> String {
    let id = id.trim().to_lowercase();
    let bare = id.strip_prefix("urn:uuid:").unwrap_or(&id);
    let digits: String = bare.chars().filter(|c| !"-{}".contains(*c)).collect();
    let is_uuid = digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit());
    if is_uuid { digits } else { id }
}

/// `path`, which has to be `folder` or below it. The folder is the operator's and is
/// compared as it stands; what follows must mean one thing only.
fn below(folder: &str, path: &str) -> Result<String, PlaceError> {
    let folder = folder.trim_end_matches('/');
    let not_accepted = |reason| PlaceError::Path {
        path: path.chars().take(200).collect(),
        reason,
    };
    if path.len() > MAX_PATH {
        return Err(not_accepted("it is too long"));
    }
    let rest = path
        .strip_prefix(folder)
        .filter(|rest| rest.is_empty() || rest.starts_with('/'));
    let Some(rest) = rest.filter(|_| path.starts_with('/')) else {
        return Err(PlaceError::NotBelow {
            path: path.to_owned(),
            folder: format!("{folder}/"),
        });
    };
    if let Some(reason) = ambiguity(rest) {
        return Err(not_accepted(reason));
    }
    Ok(path.to_owned())
}

/// What makes `rest` mean another place somewhere: to Globus, to the storage behind a
/// collection, or to whoever decodes it once more.
fn ambiguity(rest: &str) -> Option<&'static str> {
    if rest.chars().any(crate::printable::is_hidden) {
        return Some("it holds a control or invisible character");
    }
    if rest.contains('\\') {
        return Some("it holds a backslash");
    }
    let is_hex = |at: usize| rest.as_bytes().get(at).is_some_and(u8::is_ascii_hexdigit);
    if rest
        .match_indices('%')
        .any(|(at, _)| is_hex(at + 1) && is_hex(at + 2))
    {
        return Some("it holds a percent-encoded character");
    }
    let parts = rest.strip_prefix('/').unwrap_or(rest);
    let parts = parts.strip_suffix('/').unwrap_or(parts);
    if parts.is_empty() {
        // The folder itself, perhaps with a slash; `//` is an empty part.
        return (rest.len() > 1).then_some("it has an empty part");
    }
    parts.split('/').find_map(|part| match part.trim() {
        "" => Some("it has an empty part"),
        "." | ".." => Some("it has a part . or .."),
        part if part.starts_with('~') => Some("it has a part that begins with ~"),
        _ => None,
    })
}

#[cfg(test)]
mod tests;
