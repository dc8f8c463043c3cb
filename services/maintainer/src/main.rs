//! `compute-maintainer`.

use std::{sync::Arc, time::Duration};

use clap::Parser as _;
use compute_config::Stores;
use compute_maintainer::{Deps, build, config::Options, context::Context, hand_back, noted, serve};
use compute_runtime::{
    health::{self, HealthChecks},
    healthcheck::{self, Action},
    listen,
    shutdown::Shutdown,
    telemetry, tls,
};

const DRAIN: Duration = Duration::from_secs(20);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tls::install_provider();
    let options = Options::parse();
    if options.action == Some(Action::Healthcheck) {
        return healthcheck::ask(options.health_listen).await;
    }
    telemetry::init("compute-maintainer")?;
    let site = compute_config::load_and_warn(&options.config, Stores::All)?;
    let shutdown = Shutdown::on_signals()?;
    let deps = Deps::connect(&site.server, shutdown.clone()).await?;
    tokio::select! {
        () = deps.store.wait_for_schema() => {}
        () = shutdown.token.cancelled() => return Ok(()),
    }
    let context = build(Arc::new(site), &options.hpcs, deps)?;
    health::serve(options.health_listen, parts(&context), &shutdown).await?;
    let listener = listen::bind(options.listen, options.address_file.as_deref()).await?;
    let advertise = options.advertised(context.transport.scheme(), listener.local_addr()?)?;
    serve(Arc::clone(&context), listener, &advertise).await?;
    shutdown.drain(DRAIN).await;
    hand_back(&context).await
}

fn parts(context: &Arc<Context>) -> HealthChecks {
    let (store, queue) = (context.store.clone(), context.queue.clone());
    let context = Arc::clone(context);
    HealthChecks::default()
        .with("database", move || {
            let store = store.clone();
            async move { store.ping().await.map_err(|error| error.to_string()) }
        })
        .with("redis", move || {
            let queue = queue.clone();
            async move { queue.ping().await.map_err(|error| error.to_string()) }
        })
        .informational(move || noted(Arc::clone(&context)))
}
