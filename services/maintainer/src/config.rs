//! What is set for this process on its command line or in its environment; all
//! else is in the operator's folder.

use std::{net::SocketAddr, path::PathBuf};

use clap::Parser;

/// Carries jobs of one or more HPCs through their life cycle.
#[derive(Debug, Parser)]
#[command(name = "compute-maintainer", version)]
pub struct Options {
    /// Folder of the operator's JSON files.
    #[arg(long, env = "CYBERGIS_CONFIG", default_value = "config")]
    pub config: PathBuf,
    /// HPC to serve, a key of hpc.json; may be repeated. Default: all.
    #[arg(long = "hpc", env = "CYBERGIS_HPC", value_delimiter = ',')]
    pub hpcs: Vec<String>,
    /// Where the gRPC service listens.
    #[arg(long, env = "CYBERGIS_LISTEN", default_value = "127.0.0.1:7200")]
    pub listen: SocketAddr,
    /// URL by which gateways reach this process. Default: the address it listens on.
    #[arg(long, env = "CYBERGIS_ADVERTISE")]
    pub advertise: Option<String>,
    /// Where health and metrics are served over HTTP.
    #[arg(long, env = "CYBERGIS_HEALTH_LISTEN", default_value = "127.0.0.1:0")]
    pub health_listen: SocketAddr,
    /// File that gets the gRPC address once it is bound.
    #[arg(long)]
    pub address_file: Option<PathBuf>,
}
