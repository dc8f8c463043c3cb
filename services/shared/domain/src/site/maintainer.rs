//! Maintainers: one entry of `maintainer.json` each.

use serde_json::{Map, Value};

/// The sorts of maintainers that exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KindName {
    /// Runs git templates.
    CommunityContribution,
    /// Runs a small fixed program.
    HelloWorldSingularity,
}

impl KindName {
    /// All kinds.
    pub const ALL: [Self; 2] = [Self::CommunityContribution, Self::HelloWorldSingularity];

    /// The name that `maintainer.json` uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CommunityContribution => "CommunityContributionMaintainer",
            Self::HelloWorldSingularity => "HelloWorldSingularityMaintainer",
        }
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// One maintainer that users may name in `POST /job`.
#[derive(Debug, Clone, PartialEq)]
pub struct MaintainerConfig {
    /// Its name: the key in `maintainer.json`.
    pub name: String,
    /// HPCs that it may use.
    pub hpc: Vec<String>,
    /// HPC of a job that names none.
    pub default_hpc: String,
    /// The kind of its jobs.
    pub kind: KindName,
    /// The entry as `GET /maintainer` shows it, `job_pool_capacity` always given.
    pub public: Map<String, Value>,
}
