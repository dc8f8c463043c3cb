//! `hpc`: whether jobs can run there.

use std::path::Path;

use clap::Subcommand;
use compute_config::Site;
use compute_domain::ErrorKind;
use compute_proto::{CheckItem, ConnectorClient};
use compute_runtime::{grpc::Transport, tls::Role};
use serde_json::{Value, json};

use crate::{
    Output,
    output::table,
    site,
    trust::{self, Consent},
};

/// Commands about HPCs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Fetch an HPC's host keys, show them, and pin them once you agree
    Trust {
        /// Its name in hpc.json
        name: String,
        /// Pin them without asking; compare the fingerprints first
        #[arg(long)]
        yes: bool,
        /// Replace keys that were pinned and have changed
        #[arg(long)]
        replace: bool,
    },
    /// Log in, and look for what jobs need
    Check {
        /// Its name in hpc.json
        name: String,
    },
}

pub(crate) async fn run(command: Command, folder: &Path, json: bool) -> anyhow::Result<Output> {
    let site = site::load(folder)?;
    match command {
        Command::Trust { name, yes, replace } => {
            let consent = match (yes, json) {
                (true, _) => Consent::Given,
                (false, true) => Consent::Withheld,
                (false, false) => Consent::Asked,
            };
            trust::run(site::hpc(&site, &name)?, consent, replace).await
        }
        Command::Check { name } => check(&site, &name).await,
    }
}

async fn check(site: &Site, name: &str) -> anyhow::Result<Output> {
    let hpc = site::hpc(site, name)?;
    let address = site.connector_address(hpc);
    let transport = Transport::load(site.server.tls.as_ref())?;
    let channel = transport.channel(address, Role::Connector)?;
    let connector = ConnectorClient::for_hpc(channel, name);
    let items = connector.check().await;
    let items = items.map_err(|error| match error.kind() {
        ErrorKind::Unavailable | ErrorKind::Uncertain => anyhow::Error::new(error).context(
            format!("the connector at {address} does not answer: is it running?"),
        ),
        _ => anyhow::Error::new(error),
    })?;
    let is_good = items.iter().all(|item| item.ok);
    let line = |item: &CheckItem| {
        let result = if item.ok { "good" } else { "BAD" };
        [item.subject.clone(), result.to_owned(), item.detail.clone()]
    };
    let entry = |item: &CheckItem| -> Value {
        json!({"subject": item.subject, "ok": item.ok, "detail": item.detail})
    };
    Ok(Output {
        json: json!({"hpc": name, "findings": items.iter().map(entry).collect::<Vec<_>>()}),
        text: table(
            ["what", "result", "detail"],
            items.iter().map(line).collect(),
        ),
        is_good,
    })
}
