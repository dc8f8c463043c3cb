//! Paths on an HPC, checked before they are used. Pure.

use std::fmt;

use compute_domain::job::private_place;

const MAX_BYTES: usize = 4000;

/// An absolute path strictly below the root path of an HPC, without `.`, `..`
/// and doubled slashes.
///
/// The folder directly below the root path never has a leading dot: those are the private
/// folders of the accounts. The scripts check for links on the path (`into` in
/// `scripts/prelude.sh`), since programs of users may create links at any time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RemotePath {
    root: String,
    path: String,
    relative: String,
}

/// Why a text is not a valid path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// It does not start with a slash.
    #[error("path {0:?} is not absolute")]
    Relative(String),
    /// It is the root path itself, or somewhere else.
    #[error("path {path:?} is not below {root:?}")]
    NotBelow {
        /// The path.
        path: String,
        /// The root path.
        root: String,
    },
    /// It has an empty component, `.` or `..`.
    #[error("path {0:?} has an empty component, `.` or `..`")]
    Component(String),
    /// It is in the private folder of an account.
    #[error("path {0:?} is not below a folder of a user")]
    Private(String),
    /// It contains a control character.
    #[error("path {0:?} contains a control character")]
    Control(String),
    /// It is too long.
    #[error("a path of {0} bytes is too long")]
    Long(usize),
}

impl RemotePath {
    /// Checks `text`, which must be a path below `root`.
    ///
    /// # Errors
    /// [`PathError`] if it is not.
    pub(crate) fn below(root: &str, text: &str) -> Result<Self, PathError> {
        let owned = || text.to_owned();
        if text.len() > MAX_BYTES {
            return Err(PathError::Long(text.len()));
        }
        if text.chars().any(char::is_control) {
            return Err(PathError::Control(owned()));
        }
        let root = root.trim_end_matches('/');
        let Some(relative) = text.strip_prefix('/') else {
            return Err(PathError::Relative(owned()));
        };
        if relative
            .split('/')
            .any(|part| matches!(part, "" | "." | ".."))
        {
            return Err(PathError::Component(owned()));
        }
        let below = text
            .strip_prefix(root)
            .and_then(|rest| rest.strip_prefix('/'));
        let Some(below) = below else {
            return Err(PathError::NotBelow {
                path: owned(),
                root: root.to_owned(),
            });
        };
        if below.starts_with('.') {
            return Err(PathError::Private(owned()));
        }
        Ok(Self {
            root: root_or_slash(root),
            path: owned(),
            relative: below.to_owned(),
        })
    }

    /// The whole path.
    pub(crate) fn as_str(&self) -> &str {
        &self.path
    }

    /// Arguments of a script: root path, and path below it.
    pub(crate) fn arguments(&self) -> Vec<String> {
        vec![self.root.clone(), self.relative.clone()]
    }

    /// Arguments of a script that writes: root path, private folder of the account, and
    /// path below the root path.
    pub(crate) fn arguments_with(&self, place: &Place) -> Vec<String> {
        vec![self.root.clone(), place.name.clone(), self.relative.clone()]
    }
}

/// The private folder of an account: directly below the root path, and mounted in no
/// container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    root: String,
    name: String,
}

impl Place {
    /// The folder of a private account, or of the community account (`None`).
    pub(crate) fn below(root: &str, account: Option<&str>) -> Self {
        Self {
            root: root_or_slash(root.trim_end_matches('/')),
            name: private_place(account),
        }
    }

    /// Arguments of a script: root path, and name of the folder.
    pub(crate) fn arguments(&self) -> Vec<String> {
        vec![self.root.clone(), self.name.clone()]
    }
}

/// Restores the root path "/", whose slash has been trimmed.
fn root_or_slash(root: &str) -> String {
    let root = if root.is_empty() { "/" } else { root };
    root.to_owned()
}

impl fmt::Display for RemotePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    const ROOT: &str = "/hpc/cg/scratch";

    #[rstest]
    #[case("17956")]
    #[case("17956/slurm_log/job.stdout")]
    #[case("17956/it's a $(touch x) \"name\"")]
    #[case("a/..b/...")]
    fn what_is_below(#[case] relative: &str) {
        for root in [ROOT, "/hpc/cg/scratch/"] {
            let path = RemotePath::below(root, &format!("{ROOT}/{relative}")).unwrap();
            assert_eq!(path.arguments(), [ROOT, relative]);
            let place = Place::below(root, Some("alice"));
            let expected = [ROOT, ".cgc-alice", relative];
            assert_eq!(path.arguments_with(&place), expected);
        }
    }

    #[rstest]
    #[case("/hpc/cg/scratch")]
    #[case("/hpc/cg/scratch/")]
    #[case("/hpc/cg/scratchy/1")]
    #[case("/etc/passwd")]
    #[case("/")]
    #[case("")]
    #[case("hpc/cg/scratch/1")]
    #[case("~/1")]
    #[case("/hpc/cg/scratch/../../etc")]
    #[case("/hpc/cg/scratch/1/..")]
    #[case("/hpc/cg/scratch/./1")]
    #[case("/hpc/cg/scratch//1")]
    #[case("/hpc/cg/scratch/1/")]
    #[case("/hpc/cg/scratch/1\n/etc")]
    #[case("/hpc/cg/scratch/1\0")]
    #[case("/hpc/cg/scratch/.cgc/jobs/1/job.sbatch")]
    #[case("/hpc/cg/scratch/.cgc-alice")]
    fn what_is_not(#[case] text: &str) {
        assert!(RemotePath::below(ROOT, text).is_err(), "{text:?}");
    }

    #[test]
    fn a_root_of_slash_holds_everything() {
        let path = RemotePath::below("/", "/tmp/1").unwrap();
        assert_eq!(path.arguments(), ["/", "tmp/1"]);
    }

    proptest! {
        #[test]
        fn nothing_that_is_taken_can_climb(text in "(/(hpc|cg|scratch|\\.{0,3}|[a-z$'\n ]{0,3})){0,8}") {
            if let Ok(path) = RemotePath::below(ROOT, &text) {
                let inside = path.as_str().starts_with("/hpc/cg/scratch/");
                prop_assert!(inside && !path.as_str().split('/').any(|part| part == ".."));
            }
        }
    }
}
