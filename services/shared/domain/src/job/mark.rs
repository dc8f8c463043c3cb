//! How a deployment knows its jobs among those of an account.

use std::fmt;

use crate::ids::JobId;

/// Longest name of a deployment, in bytes: a [`Mark`] is shown whole by `squeue`.
pub const MAX_DEPLOYMENT_NAME: usize = 64;

/// Returns whether `text` can be the name of a deployment: 1 to [`MAX_DEPLOYMENT_NAME`]
/// ASCII letters, digits, `_` and `-`.
pub fn is_deployment_name(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"_-".contains(&b);
    (1..=MAX_DEPLOYMENT_NAME).contains(&text.len()) && text.bytes().all(fits)
}

/// What the comment of each job says to the scheduler: `DEPLOYMENT:JOB`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Name of the deployment; letters, digits, `_` and `-`.
    pub deployment: String,
    /// Its job.
    pub job: JobId,
}

/// A job in Slurm. Its id alone names nobody: a controller that was set up anew gives
/// ids out again. So the job's name and comment go with it, and what has other ones
/// is another job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlurmJob {
    /// Slurm's id.
    pub slurm_id: String,
    /// Its comment; the job in it is its name.
    pub mark: Mark,
}

impl Mark {
    /// Reads a comment; `None` if it is not one of a deployment's.
    pub fn parse(comment: &str) -> Option<Self> {
        let (deployment, job) = comment.split_once(':')?;
        let job = JobId::parse(job).filter(|_| !deployment.is_empty())?;
        Some(Self {
            deployment: deployment.to_owned(),
            job,
        })
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { deployment, job } = self;
        write!(f, "{deployment}:{job}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_as_it_was_written() {
        let mark = Mark {
            deployment: "cybergis-compute".to_owned(),
            job: JobId::from_text("1795457659Ab3dE"),
        };
        assert_eq!(mark.to_string(), "cybergis-compute:1795457659Ab3dE");
        assert_eq!(Mark::parse(&mark.to_string()), Some(mark));
    }

    #[test]
    fn other_comments_are_none() {
        for comment in [
            "",
            "(null)",
            "cybergis-compute:",
            ":1",
            "see: the wiki",
            "a:b:c",
        ] {
            assert_eq!(Mark::parse(comment), None, "{comment:?}");
        }
    }
}
