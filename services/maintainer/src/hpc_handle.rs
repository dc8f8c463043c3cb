//! Everything that belongs to one HPC: its configuration, its connector, the poller of its
//! jobs' states. What a kind's hooks can reach is here; the database is not.

use std::sync::Arc;

use compute_config::Site;
use compute_domain::{
    job::{Job, Mark, SlurmJob},
    site::Hpc,
};
use compute_proto::ConnectorClient;
use compute_templates::Mirrors;
use tokio_util::task::TaskTracker;

use crate::status_poller::StatusPoller;

/// One HPC that this maintainer serves. Cheap to clone.
#[derive(Clone)]
pub struct HpcHandle {
    /// Its configuration, limits included.
    pub config: Arc<Hpc>,
    /// Containers, kernels and the like.
    pub site: Arc<Site>,
    /// The connector that owns it.
    pub connector: ConnectorClient,
    /// Asks for the states of its jobs.
    pub status: Arc<StatusPoller>,
    /// Mirrors of the templates.
    pub mirrors: Mirrors,
    /// Tracks what runs beside the steps.
    pub tasks: TaskTracker,
}

impl HpcHandle {
    /// Name of the HPC, the key in `hpc.json`.
    pub fn name(&self) -> &str {
        &self.config.name
    }

    /// The same for the runner of `job`: each call carries the fence of its lease.
    #[must_use]
    pub fn for_job(&self, job: &Job) -> Self {
        Self {
            connector: self.connector.with_fence(&job.id, job.fence),
            ..self.clone()
        }
    }

    /// How Slurm knows `job`.
    pub fn mark(&self, job: &Job) -> Mark {
        Mark {
            deployment: self.site.server.deployment.clone(),
            job: job.id.clone(),
        }
    }

    /// `job` in Slurm, if it has an id there.
    pub fn slurm_job(&self, job: &Job) -> Option<SlurmJob> {
        Some(SlurmJob {
            slurm_id: job.slurm_id.clone()?,
            mark: self.mark(job),
        })
    }
}
