//! What a kind's hooks may use of the outside: one HPC through its connector,
//! and the templates.

use std::{collections::BTreeMap, sync::Arc};

use compute_config::Site;
use compute_db::Store;
use compute_domain::{
    job::{Job, Mark, SlurmJob},
    site::Hpc,
};
use compute_globus::Globus;
use compute_proto::ConnectorClient;
use compute_runtime::seal::SealingKey;
use compute_templates::Mirrors;
use tokio_util::task::TaskTracker;

/// One HPC, as the steps see it.
#[derive(Clone)]
pub struct HpcPort {
    /// Its configuration.
    pub hpc: Arc<Hpc>,
    /// Containers, kernels and the like.
    pub site: Arc<Site>,
    /// The connector that owns it.
    pub connector: ConnectorClient,
    /// Mirrors of the templates.
    pub mirrors: Mirrors,
    /// Where templates' addresses are.
    pub store: Store,
    /// Globus, if this deployment is known there.
    pub globus: Option<Globus>,
    /// Opens Globus' tokens.
    pub seal: Arc<SealingKey>,
    /// What is done beside the steps.
    pub tasks: TaskTracker,
}

impl HpcPort {
    /// Name of the HPC, the key in `hpc.json`.
    pub fn hpc_name(&self) -> &str {
        &self.hpc.name
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

/// The HPCs that this maintainer serves, by name.
pub type HpcPorts = BTreeMap<String, HpcPort>;
