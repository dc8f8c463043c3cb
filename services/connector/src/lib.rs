//! The connector: the only process that speaks SSH and scheduler commands.
//!
//! `grpc` is the edge. `hpc_registry` has the HPCs, each with one community account or
//! many private ones (`private_accounts`). An `account` combines the logins (`pool`,
//! `session`, `ssh_target`, `breaker`, `askpass`), the only place that runs commands on a
//! login node (`remote`), and the operations (`files`, `job_files`, `scheduler`, `submit`,
//! `states`, `check`). The commands are in `scripts/`.

mod account;
mod askpass;
mod breaker;
mod callers;
mod check;
mod control_directory;
mod error;
mod fence;
mod files;
mod grpc;
mod hpc_registry;
mod job_files;
mod login_failure;
mod meters;
mod paths;
mod pool;
mod private_accounts;
mod remote;
mod scheduler;
mod session;
mod ssh_target;
mod states;
mod submit;

pub mod config;

use std::{path::Path, sync::Arc};

use compute_domain::{Clock, site::Hpc};
use compute_proto::{
    FILE_DESCRIPTOR_SET, MAX_MESSAGE_BYTES, wire::connector_server::ConnectorServer,
};
use compute_runtime::{grpc::Transport, health::HealthChecks, seal::SealingKey};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use account::AccountDeps;
pub use error::Error;
use grpc::ConnectorService;
use hpc_registry::HpcRegistry;
pub use paths::PathError;

/// A connector that can serve.
pub struct Connector {
    registry: Arc<HpcRegistry>,
    /// Removed, with the sockets in it, when this is dropped.
    _control_directory: TempDir,
}

/// Builds a connector for `hpcs`. Does not connect yet. Control sockets are in a new
/// folder below `control_parent`. Commands on HPCs run in `tasks`. `key` seals the logins
/// of private accounts; without it, HPCs with private accounts cannot be used.
///
/// # Errors
/// If the folder for the control sockets cannot be created.
pub async fn build(
    hpcs: impl IntoIterator<Item = Hpc>,
    clock: Arc<dyn Clock>,
    control_parent: &Path,
    tasks: &TaskTracker,
    key: Option<SealingKey>,
) -> std::io::Result<Connector> {
    let control_directory = control_directory::make(control_parent).await?;
    let deps = AccountDeps::new(&clock, control_directory.path(), tasks);
    let registry = HpcRegistry::new(hpcs, &deps, key.map(Arc::new).as_ref());
    Ok(Connector {
        registry: Arc::new(registry),
        _control_directory: control_directory,
    })
}

impl Connector {
    /// Its health report. The connector is ready even if an HPC is down: others may
    /// work.
    pub fn parts(&self) -> HealthChecks {
        let registry = Arc::clone(&self.registry);
        HealthChecks::default().informational(move || std::future::ready(registry.health()))
    }

    /// Serves until `stop`, and then completes the calls in progress.
    ///
    /// # Errors
    /// If the listener fails.
    pub async fn serve(
        &self,
        listener: TcpListener,
        transport: Transport,
        stop: CancellationToken,
    ) -> anyhow::Result<()> {
        meters::describe();
        let service = ConnectorServer::new(ConnectorService::new(Arc::clone(&self.registry)))
            .max_decoding_message_size(MAX_MESSAGE_BYTES)
            .max_encoding_message_size(MAX_MESSAGE_BYTES);
        let serving = compute_runtime::grpc::serve(
            listener,
            transport,
            service,
            callers::CALLERS,
            FILE_DESCRIPTOR_SET,
            stop,
        );
        tokio::select! {
            served = serving => served,
            () = self.registry.forget_idle_accounts() => Ok(()),
        }
    }

    /// Ends all logins.
    pub async fn close(&self) {
        self.registry.close().await;
    }
}
