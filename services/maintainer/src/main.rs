//! `compute-maintainer`.

use std::{sync::Arc, time::Duration};

use clap::Parser as _;
use compute_maintainer::{Deps, build, config::Options, hand_back, serve};
use compute_runtime::{
    config,
    health::{self, Parts},
    listen,
    shutdown::Shutdown,
    telemetry, tls,
};

const DRAIN: Duration = Duration::from_secs(20);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tls::install_provider();
    let options = Options::parse();
    telemetry::init("compute-maintainer")?;
    let site = config::load_and_warn(&options.config)?;
    let shutdown = Shutdown::on_signals()?;
    let deps = Deps::connect(&site.server, shutdown.clone()).await?;
    tokio::select! {
        () = deps.store.wait_for_schema() => {}
        () = shutdown.token.cancelled() => return Ok(()),
    }
    let parts = parts(&deps);
    let context = build(Arc::new(site), &options.hpcs, deps)?;
    let listener = listen::bind(options.listen, options.address_file.as_deref()).await?;
    let address = listener.local_addr()?;
    let advertise = options
        .advertise
        .unwrap_or_else(|| format!("http://{address}"));
    health::serve(options.health_listen, parts, &shutdown).await?;
    serve(Arc::clone(&context), listener, &advertise).await?;
    shutdown.drain(DRAIN).await;
    hand_back(&context).await
}

fn parts(deps: &Deps) -> Parts {
    let (store, queue) = (deps.store.clone(), deps.queue.clone());
    Parts::default()
        .with("database", move || {
            let store = store.clone();
            async move { store.ping().await.map_err(|error| error.to_string()) }
        })
        .with("redis", move || {
            let queue = queue.clone();
            async move { queue.ping().await.map_err(|error| error.to_string()) }
        })
}
