//! `compute-gateway`.

use std::{sync::Arc, time::Duration};

use clap::Parser as _;
use compute_config::Stores;
use compute_gateway::{Deps, build, config::Options, parts, serve, templates::fetch_first};
use compute_runtime::{
    health,
    healthcheck::{self, Action},
    listen,
    shutdown::Shutdown,
    telemetry, tls,
};

const DRAIN: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tls::install_provider();
    let options = Options::parse();
    if options.action == Some(Action::Healthcheck) {
        return healthcheck::ask(options.health_listen).await;
    }
    telemetry::init("compute-gateway")?;
    let site = Arc::new(compute_config::load_and_warn(&options.config, Stores::All)?);
    let address = options.address(&site.server)?;
    let shutdown = Shutdown::on_signals()?;
    let deps = Deps::connect(&site.server, shutdown.clone()).await?;
    tokio::select! {
        () = deps.store.wait_for_schema() => {}
        () = shutdown.token.cancelled() => return Ok(()),
    }
    let state = build(site, deps)?;
    fetch_first(&state.templates, &shutdown.token).await;
    health::serve(options.health_listen, parts(&state), &state.shutdown).await?;
    let listener = listen::bind(address, options.address_file.as_deref()).await?;
    serve(state, listener).await?;
    shutdown.drain(DRAIN).await;
    Ok(())
}
