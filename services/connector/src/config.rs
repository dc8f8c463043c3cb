//! Options of this process, from its command line or environment. Everything else is
//! configured in the operator's folder.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf};

use anyhow::ensure;
use clap::Parser;
use compute_config::{Server, version};
use compute_domain::site::Hpc;
use compute_runtime::{healthcheck::Action, seal::SealingKey};

/// The only process that speaks SSH and scheduler commands.
#[derive(Debug, Parser)]
#[command(name = "compute-connector", version = version::text())]
pub struct Options {
    /// An action other than to serve.
    #[command(subcommand)]
    pub action: Option<Action>,
    /// Folder of the operator's JSON files.
    #[arg(long, env = "CYBERGIS_CONFIG", default_value = "config")]
    pub config: PathBuf,
    /// HPC to own, a key of hpc.json; may be repeated. Default: all.
    #[arg(long = "hpc", env = "CYBERGIS_HPC", value_delimiter = ',')]
    pub hpcs: Vec<String>,
    /// Where the gRPC service listens.
    #[arg(long, env = "CYBERGIS_LISTEN", default_value = "127.0.0.1:7100")]
    pub listen: SocketAddr,
    /// Where health and metrics are served over HTTP.
    #[arg(long, env = "CYBERGIS_HEALTH_LISTEN", default_value = "127.0.0.1:0")]
    pub health_listen: SocketAddr,
    /// File that gets the gRPC address once it is bound.
    #[arg(long)]
    pub address_file: Option<PathBuf>,
    /// Folder for the control sockets of SSH; its path has to be short.
    #[arg(long, env = "CYBERGIS_CONTROL_DIRECTORY", default_value = "/tmp")]
    pub control_directory: PathBuf,
}

impl Options {
    /// Those of `hpcs` that this process owns.
    ///
    /// # Errors
    /// If an option names an HPC that is not configured.
    pub fn owned(&self, mut hpcs: BTreeMap<String, Hpc>) -> anyhow::Result<Vec<Hpc>> {
        for name in &self.hpcs {
            ensure!(
                hpcs.contains_key(name),
                "--hpc {name}: there is no such HPC in hpc.json"
            );
        }
        hpcs.retain(|name, _| self.hpcs.is_empty() || self.hpcs.contains(name));
        Ok(hpcs.into_values().collect())
    }
}

/// The key that seals logins of private accounts; `None` if none of `hpcs` has such
/// accounts.
///
/// # Errors
/// If its file cannot be read or created.
pub fn sealing_key(hpcs: &[Hpc], server: &Server) -> anyhow::Result<Option<SealingKey>> {
    let is_needed = hpcs.iter().any(|hpc| !hpc.is_community_account);
    let load = || SealingKey::load_or_create(&server.credential_key_file);
    Ok(is_needed.then(load).transpose()?)
}
