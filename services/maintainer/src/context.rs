//! What every part of a maintainer process shares.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use compute_db::Store;
use compute_domain::{Clock, ids::MaintainerId, job::Job};
use compute_queue::Queue;
use compute_runtime::{grpc::Transport, shutdown::Shutdown};

use crate::{
    carried::Carried,
    hpc_port::{HpcPort, HpcPorts},
    watch::Boards,
};

/// The process: who it is, what it serves, where things are.
pub struct Context {
    /// Name of this process in leases.
    pub id: MaintainerId,
    /// How long a lease holds unless renewed.
    pub lease: Duration,
    /// How often abandoned jobs are looked for.
    pub sweep: Duration,
    /// The truth.
    pub store: Store,
    /// Job streams.
    pub queue: Queue,
    /// The HPCs that are served.
    pub ports: HpcPorts,
    /// The boards of each of them.
    pub boards: BTreeMap<String, Arc<Boards>>,
    /// Jobs carried now.
    pub carried: Carried,
    /// How other services reach this one.
    pub transport: Transport,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Stop signal and task tracker.
    pub shutdown: Shutdown,
}

impl Context {
    /// The port and the boards of the HPC of `job`; `None` if it is not served here.
    pub fn hpc_of(&self, job: &Job) -> Option<(&HpcPort, &Arc<Boards>)> {
        Some((self.ports.get(&job.hpc)?, self.boards.get(&job.hpc)?))
    }
}
