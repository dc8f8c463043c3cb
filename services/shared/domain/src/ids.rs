//! Identifiers, as the legacy server made them: unix seconds followed by five of
//! `[A-Za-z0-9]`; the random part from a cryptographic generator.

use std::fmt;

use rand::{RngExt as _, distr::Alphanumeric};
use serde::{Deserialize, Serialize};

use crate::{clock::Timestamp, printable::is_hidden};

const RANDOM_CHARACTERS: usize = 5;

/// Longest id, characters.
const MAX_ID: usize = 64;

fn generate(now: Timestamp) -> String {
    let random = rand::rng()
        .sample_iter(Alphanumeric)
        .take(RANDOM_CHARACTERS)
        .map(char::from);
    let mut id = now.seconds().to_string();
    id.extend(random);
    id
}

fn is_well_formed(id: &str) -> bool {
    (1..=MAX_ID).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric())
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

            /// Reads an id that becomes part of a path, a Slurm name or a log line: 1 to
            /// 64 ASCII letters and digits. Returns `None` for any other text.
            pub fn parse(text: &str) -> Option<Self> {
                is_well_formed(text).then(|| Self(text.to_owned()))
            }

            /// An id read from a row or a queue, or used for a lookup only. It is not
            /// checked: an id that names nothing is not found.
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

/// Begins the name of a hub's service, so that none is a user of the same name.
pub const SERVICE_PREFIX: &str = "service:";

/// Longest id of a user, characters: what the database's column holds.
pub const MAX_USER_ID: usize = 255;

/// Why a name on a hub cannot be one of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UserNameError {
    /// No name at all.
    #[error("the name is empty")]
    Empty,
    /// With the hub's host it is longer than [`MAX_USER_ID`].
    #[error("name and host together are longer than {MAX_USER_ID} characters")]
    Long,
    /// It begins or ends with white space: to some databases that is another's name.
    #[error("the name begins or ends with white space")]
    Blank,
    /// It could pass for another one on a screen.
    #[error("the name holds a control or invisible character")]
    Hidden,
    /// It could pass for a service.
    #[error("the name begins with {SERVICE_PREFIX}, as those of services do")]
    Service,
}

impl UserId {
    /// The user `name` of the hub `host` (with port, if any).
    pub fn new(name: &str, host: &str) -> Self {
        Self(format!("{name}@{host}"))
    }

    /// The user whom the hub `host` calls `name`.
    ///
    /// # Errors
    /// [`UserNameError`] if such a name cannot be kept, or could be taken for another.
    pub fn of_user(name: &str, host: &str) -> Result<Self, UserNameError> {
        if name.starts_with(SERVICE_PREFIX) {
            return Err(UserNameError::Service);
        }
        Self::checked(name, host)
    }

    /// The service that the hub `host` calls `name`: `service:NAME@HOST`.
    ///
    /// # Errors
    /// As [`Self::of_user`].
    pub fn of_service(name: &str, host: &str) -> Result<Self, UserNameError> {
        Self::checked(name, host)?;
        Self::checked(&format!("{SERVICE_PREFIX}{name}"), host)
    }

    fn checked(name: &str, host: &str) -> Result<Self, UserNameError> {
        let id = Self::new(name, host);
        if name.is_empty() {
            Err(UserNameError::Empty)
        } else if id.0.chars().count() > MAX_USER_ID {
            Err(UserNameError::Long)
        } else if name.trim() != name {
            Err(UserNameError::Blank)
        } else if name.chars().any(is_hidden) {
            Err(UserNameError::Hidden)
        } else {
            Ok(id)
        }
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

    /// Host of the hub, with port if any; `None` if the id names none.
    pub fn host(&self) -> Option<&str> {
        self.0.rsplit_once('@').map(|(_, host)| host)
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
    fn only_letters_and_digits_are_an_id() {
        for text in ["1795457659sRX9w", "job", &"x".repeat(64)] {
            assert_eq!(JobId::parse(text), Some(JobId::from_text(text)));
        }
        for text in [
            "",
            "-n",
            "a b",
            "a,b",
            "a_b",
            "a\nb",
            "é",
            "..",
            "a/b",
            "$(x)",
            &"x".repeat(65),
        ] {
            assert_eq!(JobId::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn name_of_a_user_may_hold_an_at_sign() {
        assert_eq!(UserId::new("a@b", "hub:8000").name(), "a@b");
    }

    #[test]
    fn names_that_are_nobodys() {
        let of_user = |name: &str| UserId::of_user(name, "hub:8000");
        assert_eq!(of_user("alice"), Ok(UserId::from_text("alice@hub:8000")));
        assert_eq!(
            of_user(&"a".repeat(246)).map(|id| id.as_str().len()),
            Ok(255)
        );
        for (name, error) in [
            (String::new(), UserNameError::Empty),
            ("a".repeat(247), UserNameError::Long),
            ("é".repeat(100_000), UserNameError::Long),
            ("alice ".to_owned(), UserNameError::Blank),
            ("\u{a0}alice".to_owned(), UserNameError::Blank),
            ("ali\0ce".to_owned(), UserNameError::Hidden),
            ("alice\u{1b}[2J".to_owned(), UserNameError::Hidden),
            ("al\u{200b}ice".to_owned(), UserNameError::Hidden),
            ("\u{202e}ecila".to_owned(), UserNameError::Hidden),
            ("service:alice".to_owned(), UserNameError::Service),
        ] {
            assert_eq!(of_user(&name), Err(error), "{name:.20?}");
        }
        let service = UserId::of_service("alice", "hub:8000").unwrap();
        assert_eq!(service.as_str(), "service:alice@hub:8000");
        assert_eq!(
            UserId::of_service(" alice", "hub"),
            Err(UserNameError::Blank)
        );
    }
}
