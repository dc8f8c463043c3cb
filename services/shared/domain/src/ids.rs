//! Identifiers, as the older server made them: unix seconds followed by five of
//! `[A-Za-z0-9]`; the random part from a cryptographic generator.

use std::fmt;

use rand::{RngExt as _, distr::Alphanumeric};
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

const RANDOM_CHARACTERS: usize = 5;

fn generate(now: Timestamp) -> String {
    let random = rand::rng()
        .sample_iter(Alphanumeric)
        .take(RANDOM_CHARACTERS)
        .map(char::from);
    let mut id = now.seconds().to_string();
    id.extend(random);
    id
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// A new id that nobody can guess the random part of.
            pub fn generate(now: Timestamp) -> Self {
                Self(generate(now))
            }

            /// An id read from a request, a row or a queue. Not checked: an id
            /// that names nothing is simply not found.
            pub fn from_text(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id! {
    /// Id of a job.
    JobId
}
id! {
    /// Id of a folder on an HPC, and its name below the root path.
    FolderId
}

/// A person, as `NAME@HOST`: the name on a JupyterHub and that hub's host.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserId(String);

impl UserId {
    /// The user `name` of the hub `host` (with port, if any).
    pub fn new(name: &str, host: &str) -> Self {
        Self(format!("{name}@{host}"))
    }

    /// A user id read from a row.
    pub fn from_text(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name on the hub, i.e. what stands before the last `@`.
    pub fn name(&self) -> &str {
        self.0
            .rsplit_once('@')
            .map_or(self.0.as_str(), |(name, _)| name)
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Id of a maintainer process; unique for each start.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MaintainerId(String);

impl MaintainerId {
    /// The process's name, e.g. `host-1f0c…`.
    pub fn from_text(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MaintainerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_seconds_and_five_characters() {
        let id = JobId::generate(Timestamp::from_millis(1_795_457_659_167));
        let (seconds, random) = id.as_str().split_at(10);
        assert_eq!(seconds, "1795457659");
        assert_eq!(random.len(), RANDOM_CHARACTERS);
        assert!(random.bytes().all(|b| b.is_ascii_alphanumeric()));
    }

    #[test]
    fn name_of_a_user_may_hold_an_at_sign() {
        assert_eq!(UserId::new("a@b", "hub:8000").name(), "a@b");
    }
}
