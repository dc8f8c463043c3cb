//! The connector service.

use std::{sync::Arc, time::Duration};

use clap::Parser as _;
use compute_config::Stores;
use compute_connector::config::{Options, sealing_key};
use compute_domain::SystemClock;
use compute_runtime::{
    grpc::Transport,
    health,
    healthcheck::{self, Action},
    listen,
    shutdown::Shutdown,
    telemetry, tls,
};

/// How long a stopping connector waits for the calls in progress.
const CALLS_DEADLINE: Duration = Duration::from_secs(20);
/// How long it then waits for the commands in progress on an HPC. They run to their end
/// there in any case.
const COMMANDS_DEADLINE: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tls::install_provider();
    let options = Options::parse();
    if options.action == Some(Action::Healthcheck) {
        return healthcheck::ask(options.health_listen).await;
    }
    telemetry::init("compute-connector")?;
    let site = compute_config::load_and_warn(&options.config, Stores::None)?;
    let hpcs = options.owned(site.hpcs)?;
    let key = sealing_key(&hpcs, &site.server)?;
    let shutdown = Shutdown::on_signals()?;
    let transport = Transport::load(site.server.tls.as_ref())?;
    transport.keep_fresh(Arc::new(SystemClock), &shutdown);
    let connector = compute_connector::build(
        hpcs,
        Arc::new(SystemClock),
        &options.control_directory,
        &shutdown.tasks,
        key,
    )
    .await?;
    health::serve(options.health_listen, connector.parts(), &shutdown).await?;
    let listener = listen::bind(options.listen, options.address_file.as_deref()).await?;
    let deadline = async {
        shutdown.token.cancelled().await;
        tokio::time::sleep(CALLS_DEADLINE).await;
    };
    tokio::select! {
        served = connector.serve(listener, transport, shutdown.token.clone()) => served?,
        () = deadline => tracing::warn!("some calls did not end in time"),
    }
    shutdown.drain(COMMANDS_DEADLINE).await;
    connector.close().await;
    Ok(())
}
