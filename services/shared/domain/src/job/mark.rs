//! How a deployment knows its jobs among those of an account.

use std::fmt;

use crate::ids::JobId;

/// Longest name of a deployment, in bytes: a [`Mark`] is shown whole by `squeue`.
pub const MAX_DEPLOYMENT_NAME: usize = 64;

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
        let is_job = !job.is_empty() && job.bytes().all(|b| b.is_ascii_alphanumeric());
        (is_job && !deployment.is_empty()).then(|| Self {
            deployment: deployment.to_owned(),
            job: JobId::from_text(job),
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
