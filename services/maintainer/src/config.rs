//! What is set for this process on its command line or in its environment; all
//! else is in the operator's folder.

use std::{net::SocketAddr, path::PathBuf};

use anyhow::Context as _;
use clap::Parser;
use compute_config::version;
use compute_runtime::healthcheck::Action;

/// Runs jobs of one or more HPCs through their life cycle.
#[derive(Debug, Parser)]
#[command(name = "compute-maintainer", version = version::text())]
pub struct Options {
    /// Something else to do than to serve.
    #[command(subcommand)]
    pub action: Option<Action>,
    /// Folder of the operator's JSON files.
    #[arg(long, env = "CYBERGIS_CONFIG", default_value = "config")]
    pub config: PathBuf,
    /// HPC to serve, a key of hpc.json; may be repeated. Default: all.
    #[arg(long = "hpc", env = "CYBERGIS_HPC", value_delimiter = ',')]
    pub hpcs: Vec<String>,
    /// Where the gRPC service listens.
    #[arg(long, env = "CYBERGIS_LISTEN", default_value = "127.0.0.1:7200")]
    pub listen: SocketAddr,
    /// URL by which gateways reach this process. Default: the address it listens on,
    /// by the machine's name if it listens on all.
    #[arg(long, env = "CYBERGIS_ADVERTISE")]
    pub advertise: Option<String>,
    /// Where health and metrics are served over HTTP.
    #[arg(long, env = "CYBERGIS_HEALTH_LISTEN", default_value = "127.0.0.1:0")]
    pub health_listen: SocketAddr,
    /// File that gets the gRPC address once it is bound.
    #[arg(long)]
    pub address_file: Option<PathBuf>,
}

impl Options {
    /// Where gateways reach this process, which listens on `bound`.
    ///
    /// # Errors
    /// If it listens on all addresses, and the machine has no name.
    pub fn advertised(&self, scheme: &str, bound: SocketAddr) -> anyhow::Result<String> {
        if let Some(advertise) = &self.advertise {
            return Ok(advertise.clone());
        }
        if !bound.ip().is_unspecified() {
            return Ok(format!("{scheme}://{bound}"));
        }
        // The name that docker gives to a replica leads to that replica alone.
        let name = std::fs::read_to_string("/proc/sys/kernel/hostname").context("--advertise")?;
        Ok(format!("{scheme}://{}:{}", name.trim(), bound.port()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advertised(arguments: &[&str], bound: &str) -> String {
        let options = Options::parse_from([&["compute-maintainer"], arguments].concat());
        options.advertised("http", bound.parse().unwrap()).unwrap()
    }

    #[test]
    fn what_is_said_is_advertised_else_the_address_else_the_name_of_the_machine() {
        let said = ["--advertise", "http://elsewhere:1"];
        assert_eq!(advertised(&said, "127.0.0.1:7200"), "http://elsewhere:1");
        assert_eq!(advertised(&[], "10.0.0.7:7200"), "http://10.0.0.7:7200");
        let by_name = advertised(&[], "0.0.0.0:7200");
        assert!(
            by_name.ends_with(":7200") && !by_name.contains("0.0.0.0"),
            "{by_name}"
        );
    }
}
