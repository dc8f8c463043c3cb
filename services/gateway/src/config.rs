//! What is set on the command line or in the environment; all else is in the
//! operator's folder.

use std::{net::SocketAddr, path::PathBuf};

use anyhow::Context as _;
use clap::Parser;
use compute_config::{Server, version};
use compute_runtime::healthcheck::Action;

/// REST gateway of CyberGIS-Compute.
#[derive(Debug, Parser)]
#[command(name = "compute-gateway", version = version::text())]
pub struct Options {
    /// Something else to do than to serve.
    #[command(subcommand)]
    pub action: Option<Action>,
    /// Folder of the operator's JSON files.
    #[arg(long, env = "CYBERGIS_CONFIG", default_value = "config")]
    pub config: PathBuf,
    /// Where to listen, instead of server_ip and server_port of config.json.
    #[arg(long, env = "CYBERGIS_LISTEN")]
    pub listen: Option<SocketAddr>,
    /// Where health and metrics are served over HTTP, for the operator only: clients
    /// must not reach it.
    #[arg(long, env = "CYBERGIS_HEALTH_LISTEN", default_value = "127.0.0.1:0")]
    pub health_listen: SocketAddr,
    /// File that gets the address once it is bound.
    #[arg(long)]
    pub address_file: Option<PathBuf>,
}

impl Options {
    /// The address to listen on.
    ///
    /// # Errors
    /// If `server_ip` is no IP address.
    pub fn address(&self, server: &Server) -> anyhow::Result<SocketAddr> {
        if let Some(address) = self.listen {
            return Ok(address);
        }
        let (ip, port) = &server.listen;
        let ip = ip
            .parse()
            .with_context(|| format!("server_ip {ip} is no IP address"))?;
        Ok(SocketAddr::new(ip, *port))
    }
}
