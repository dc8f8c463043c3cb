//! What every part of a maintainer process shares.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
    time::Duration,
};

use compute_config::Site;
use compute_db::{LeaseHolder, LeaseToken, Store, StoreError};
use compute_domain::{Clock, ids::MaintainerId, job::Job};
use compute_globus::Globus;
use compute_queue::Queue;
use compute_runtime::{grpc::Transport, seal::SealingKey, shutdown::Shutdown};

use crate::{active_jobs::ActiveJobs, hpc_handle::HpcHandle, own_lease::OwnLease};

/// The process: who it is, what it serves, where things are.
pub struct Context {
    /// Name of this process in leases.
    pub id: MaintainerId,
    /// How long a lease is valid unless renewed.
    pub lease: Duration,
    /// The lease of this process.
    pub own_lease: Arc<OwnLease>,
    /// Where gateways reach this process; set once it listens.
    pub address: OnceLock<String>,
    /// Time between two sweeps.
    pub sweep: Duration,
    /// The operator's configuration.
    pub site: Arc<Site>,
    /// The source of truth.
    pub store: Store,
    /// Job streams.
    pub queue: Queue,
    /// The HPCs that are served, by name.
    pub hpcs: BTreeMap<String, HpcHandle>,
    /// Jobs that run in this process.
    pub active_jobs: ActiveJobs,
    /// Globus, if this deployment is registered there.
    pub globus: Option<Globus>,
    /// Opens Globus' tokens.
    pub seal: Arc<SealingKey>,
    /// How other services reach this one.
    pub transport: Transport,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Stop signal and task tracker.
    pub shutdown: Shutdown,
}

impl Context {
    /// What this process shows to the store when it writes to `job`.
    pub fn token(&self, job: &Job) -> LeaseToken {
        LeaseToken {
            id: job.id.clone(),
            fence: job.fence,
            holder: LeaseHolder {
                id: self.id.clone(),
                // A job that this process has not taken has none, and its token fits no row.
                epoch: job.lease_epoch.unwrap_or_default(),
            },
        }
    }

    /// The lease under which this process takes jobs.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] if it has none now.
    pub fn holder(&self) -> Result<LeaseHolder, StoreError> {
        self.own_lease.holder().ok_or(StoreError::LeaseLost)
    }
}
