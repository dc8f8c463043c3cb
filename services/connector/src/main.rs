//! The connector service.

use std::{sync::Arc, time::Duration};

use clap::Parser as _;
use compute_connector::config::Options;
use compute_domain::SystemClock;
use compute_runtime::{
    config::{self, ProcessEnvironment},
    health::{self, Parts},
    listen,
    seal::SealingKey,
    shutdown::Shutdown,
    telemetry, tls,
};

/// How long calls that are under way are given at the end.
const LAST_CALLS: Duration = Duration::from_secs(20);
/// How long commands that are under way on an HPC are given after that. They
/// come to their end there in any case.
const LAST_COMMANDS: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tls::install_provider();
    let options = Options::parse();
    telemetry::init("compute-connector")?;
    let loaded = config::load(&options.config, &ProcessEnvironment)?;
    for warning in &loaded.warnings {
        tracing::warn!(%warning, "configuration");
    }
    let hpcs = options.owned(loaded.site.hpcs)?;
    // Only where it is needed is it made.
    let key = hpcs
        .iter()
        .any(|hpc| !hpc.is_community_account)
        .then(|| SealingKey::load_or_create(&loaded.site.server.credential_key_file))
        .transpose()?;
    let shutdown = Shutdown::on_signals()?;
    health::serve(options.health_listen, Parts::default(), &shutdown).await?;
    let connector = compute_connector::build(
        hpcs,
        Arc::new(SystemClock),
        &options.control_directory,
        &shutdown.tasks,
        key,
    )
    .await?;
    let listener = listen::bind(options.listen, options.address_file.as_deref()).await?;
    let time_is_up = async {
        shutdown.token.cancelled().await;
        tokio::time::sleep(LAST_CALLS).await;
    };
    tokio::select! {
        served = connector.serve(listener, shutdown.token.clone()) => served?,
        () = time_is_up => tracing::warn!("some calls did not end in time"),
    }
    shutdown.drain(LAST_COMMANDS).await;
    connector.close().await;
    Ok(())
}
