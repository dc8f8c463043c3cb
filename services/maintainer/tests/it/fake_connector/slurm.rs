//! What the scripted connector remembers of jobs and their submissions.

use std::collections::{BTreeMap, BTreeSet};

use compute_domain::{ErrorKind, ids::JobId};
use compute_proto::{status_of, wire::SubmitResponse};
use tonic::Status;

/// The id of the first job.
const FIRST: usize = 17;

/// A Slurm without a clock: it has what was submitted, for ever.
#[derive(Debug, Default)]
pub(super) struct FakeSlurm {
    /// Jobs whose batch script was written.
    scripts: BTreeSet<String>,
    /// Slurm ids by job.
    jobs: BTreeMap<String, String>,
}

impl FakeSlurm {
    pub(super) fn write_script(&mut self, job: &str) {
        self.scripts.insert(job.to_owned());
    }

    /// The job is in Slurm under this id.
    pub(super) fn put(&mut self, job: &str, slurm_id: &str) {
        self.jobs.insert(job.to_owned(), slurm_id.to_owned());
    }

    /// Submits the job once.
    pub(super) fn submit(&mut self, job: &str) -> Result<SubmitResponse, Status> {
        if JobId::parse(job).is_none() {
            let message = "this cannot be the id of a job";
            return Err(status_of(ErrorKind::InvalidArgument, message));
        }
        if let Some(slurm_id) = self.id_of(job) {
            return Ok(SubmitResponse {
                slurm_id,
                adopted: true,
            });
        }
        if !self.scripts.contains(job) {
            let message = "the job has no batch script";
            return Err(status_of(ErrorKind::NotFound, message));
        }
        let slurm_id = (FIRST + self.jobs.len()).to_string();
        self.put(job, &slurm_id);
        Ok(SubmitResponse {
            slurm_id,
            adopted: false,
        })
    }

    pub(super) fn id_of(&self, job: &str) -> Option<String> {
        self.jobs.get(job).cloned()
    }

    pub(super) fn has(&self, slurm_id: &str) -> bool {
        self.jobs.values().any(|id| id == slurm_id)
    }
}
