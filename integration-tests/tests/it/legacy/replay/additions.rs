//! Keys that the responses of the legacy server did not have.

use serde_json::{Map, Value};

/// Keys added to one sort of object.
pub(crate) struct Addition {
    pub(crate) name: &'static str,
    pub(crate) reason: &'static str,
    /// A recorded key that identifies such an object.
    known_by: &'static str,
    keys: &'static [&'static str],
}

/// All of them.
pub(crate) static ALL: [Addition; 4] = [
    Addition {
        name: "state of a job",
        reason: "the state of a job and the cause of its end are fields, not only events",
        known_by: "secretToken",
        keys: &[
            "name",
            "state",
            "submittedAt",
            "queuedAt",
            "startedAt",
            "cause",
            "templateSha",
        ],
    },
    Addition {
        name: "commit of a template",
        reason: "results can be traced to the commit that made them",
        known_by: "execution_stage",
        keys: &["commit"],
    },
    Addition {
        name: "capacity of a maintainer",
        reason: "the client lists it, and fails where it is missing",
        known_by: "default_hpc",
        keys: &["job_pool_capacity"],
    },
    Addition {
        name: "messages of an error",
        reason: "all reasons are listed, not only the first",
        known_by: "error",
        keys: &["messages"],
    },
];

/// The additions that were seen.
#[derive(Debug, Clone, Default)]
pub(crate) struct Additions {
    met: Vec<&'static str>,
}

impl Additions {
    /// Notes one.
    pub(crate) fn met(&mut self, addition: &Addition) {
        if !self.met.contains(&addition.name) {
            self.met.push(addition.name);
        }
    }

    /// The additions that no response had: they are not needed.
    pub(crate) fn missed(&self) -> Vec<&'static str> {
        let names = ALL.iter().map(|addition| addition.name);
        names.filter(|name| !self.met.contains(name)).collect()
    }
}

/// The addition that explains `key` in the recorded `object`.
pub(crate) fn find(object: &Map<String, Value>, key: &str) -> Option<&'static Addition> {
    ALL.iter()
        .find(|addition| object.contains_key(addition.known_by) && addition.keys.contains(&key))
}
