//! Names in Redis. One hash tag for each HPC keeps what belongs together in one
//! slot of a Redis cluster; the version stands in front of what it is a version of.

/// The consumer group of all maintainers of an HPC.
pub(crate) const GROUP: &str = "maintainers";

/// Names that belong to one HPC.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    tag: String,
}

impl Keys {
    pub(crate) fn new(prefix: &str, hpc: &str) -> Self {
        Self {
            tag: format!("{{cgc:v1:{prefix}:{hpc}}}"),
        }
    }

    /// Stream of jobs that wait.
    pub(crate) fn jobs(&self) -> String {
        format!("{}:jobs", self.tag)
    }

    /// Stream of dead letters.
    pub(crate) fn dead(&self) -> String {
        format!("{}:dead", self.tag)
    }

    /// The sealed login of a job.
    pub(crate) fn credential(&self, job: &str) -> String {
        format!("{}:credential:{job}", self.tag)
    }

    /// The latest logins that a user has tried.
    pub(crate) fn login_attempts(&self, user: &str) -> String {
        format!("{}:tries:{user}", self.tag)
    }

    /// The latest logins to an account that have failed, or are being tried.
    pub(crate) fn failures(&self, account: &str) -> String {
        format!("{}:failures:{account}", self.tag)
    }

    /// Channel that wakes maintainers up.
    pub(crate) fn slot_freed(&self) -> String {
        format!("{}:freed", self.tag)
    }
}
