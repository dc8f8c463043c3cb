//! Paths on an HPC, checked before they get anywhere near it. Pure.

use std::fmt;

const MAX_BYTES: usize = 4000;

/// An absolute path strictly below the root path of an HPC, without `.`, `..`
/// and doubled slashes.
///
/// That no link leads out of its folder is checked over there (`inside` in
/// `scripts/prelude.sh`): users' programs may make links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RemotePath {
    root: String,
    path: String,
    top: String,
}

/// Why a text is not such a path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// It does not begin with a slash.
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
    /// It holds a control character.
    #[error("path {0:?} holds a control character")]
    Control(String),
    /// It is too long.
    #[error("a path of {0} bytes is too long")]
    Long(usize),
}

impl RemotePath {
    /// The path `text`, which has to be below `root`.
    ///
    /// # Errors
    /// [`PathError`] says what is wrong with it.
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
        let top = below.split('/').next().unwrap_or(below).to_owned();
        Ok(Self {
            root: root.to_owned(),
            path: owned(),
            top,
        })
    }

    /// The whole path.
    pub(crate) fn as_str(&self) -> &str {
        &self.path
    }

    /// What `inside` in `scripts/prelude.sh` asks for: root path, name of the
    /// folder directly below it, and the whole path.
    pub(crate) fn arguments(&self) -> Vec<String> {
        // A root path of "/" has lost its slash.
        let root = if self.root.is_empty() {
            "/"
        } else {
            &self.root
        };
        vec![root.to_owned(), self.top.clone(), self.path.clone()]
    }
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
    #[case("/hpc/cg/scratch/17956", "17956")]
    #[case("/hpc/cg/scratch/17956/slurm_log/job.stdout", "17956")]
    #[case("/hpc/cg/scratch/17956/it's a $(touch x) \"name\"", "17956")]
    #[case("/hpc/cg/scratch/a/..b/...", "a")]
    fn what_is_below(#[case] text: &str, #[case] top: &str) {
        for root in [ROOT, "/hpc/cg/scratch/"] {
            let path = RemotePath::below(root, text).unwrap();
            assert_eq!(path.arguments(), [ROOT, top, text]);
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
    fn what_is_not(#[case] text: &str) {
        assert!(RemotePath::below(ROOT, text).is_err(), "{text:?}");
    }

    #[test]
    fn a_root_of_slash_holds_everything() {
        let path = RemotePath::below("/", "/tmp/1").unwrap();
        assert_eq!(path.arguments(), ["/", "tmp", "/tmp/1"]);
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
