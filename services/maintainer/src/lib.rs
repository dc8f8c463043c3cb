//! The maintainer: carries each job of its HPCs through upload, submission,
//! watching and collection. Any number of replicas may serve the same HPC.
//!
//! Where to look: [`consume`] takes jobs from the stream, [`lifecycle`] carries
//! one job, [`steps`] are what it does on the way, [`watch`] looks at the
//! scheduler for all of them, [`lease`] and [`recover`] see to it that no job is
//! lost, [`orphans`] finds those that nobody follows, [`kinds`] are the sorts of jobs.

pub mod carried;
pub mod census;
pub mod config;
pub mod consume;
pub mod context;
mod deps;
pub mod grpc;
pub mod hpc_port;
pub mod kinds;
pub mod launcher;
pub mod lease;
pub mod lifecycle;
pub mod local_folder;
mod meters;
pub mod orphans;
pub mod patience;
pub mod recover;
pub mod script;
pub mod steps;
pub mod supervisor;
pub mod verdict;
pub mod watch;

#[cfg(test)]
mod fixtures;

use std::{collections::BTreeMap, sync::Arc};

use anyhow::Context as _;
use compute_config::Site;
use compute_domain::{ids::MaintainerId, site::Hpc};
use compute_proto::{ConnectorClient, wire::maintainer_server::MaintainerServer};
use compute_runtime::{grpc::Callers, health::CheckResult, tls::Role};
use futures::future::join_all;
use tokio::net::TcpListener;

pub use crate::deps::Deps;
use crate::{
    context::Context,
    grpc::MaintainerService,
    hpc_port::{HpcPort, HpcPorts},
    watch::Boards,
};

/// Who may ask what of a maintainer.
const CALLERS: Callers = Callers(&[("Notice", &[Role::Gateway, Role::Operator])]);

/// Puts the process together; nothing runs yet.
///
/// # Errors
/// If `hpcs` names one that is not in the configuration, or an address is none.
pub fn build(site: Arc<Site>, hpcs: &[String], deps: Deps) -> anyhow::Result<Arc<Context>> {
    let served = match hpcs {
        [] => site.hpcs.values().collect(),
        names => names
            .iter()
            .map(|name| {
                site.hpcs
                    .get(name)
                    .with_context(|| format!("unknown HPC {name}"))
            })
            .collect::<anyhow::Result<Vec<_>>>()?,
    };
    let ports = served
        .into_iter()
        .map(|hpc| Ok((hpc.name.clone(), port(hpc, &site, &deps)?)))
        .collect::<anyhow::Result<HpcPorts>>()?;
    let boards = ports.keys().map(|name| (name.clone(), Arc::default()));
    let boards: BTreeMap<String, Arc<Boards>> = boards.collect();
    Ok(Arc::new(Context {
        id: MaintainerId::from_text(uuid::Uuid::new_v4().to_string()),
        lease: site.server.lease,
        sweep: site.server.sweep,
        store: deps.store,
        queue: deps.queue,
        ports,
        boards,
        carried: carried::Carried::default(),
        transport: deps.transport,
        clock: deps.clock,
        shutdown: deps.shutdown,
    }))
}

fn port(hpc: &Hpc, site: &Arc<Site>, deps: &Deps) -> anyhow::Result<HpcPort> {
    let address = site.connector_address(hpc);
    let channel = deps.transport.channel(address, Role::Connector)?;
    Ok(HpcPort {
        hpc: Arc::new(hpc.clone()),
        site: Arc::clone(site),
        connector: ConnectorClient::for_hpc(channel, &hpc.name),
        mirrors: deps.mirrors.clone(),
        store: deps.store.clone(),
        globus: deps.globus.clone(),
        seal: Arc::clone(&deps.seal),
        tasks: deps.shutdown.tasks.clone(),
    })
}

/// Registers the process as reachable at `advertise`, carries jobs, and answers
/// on `listener` until the shutdown's token is set; then hands its leases back.
///
/// # Errors
/// If the process cannot be registered or the service ends by itself.
pub async fn serve(
    context: Arc<Context>,
    listener: TcpListener,
    advertise: &str,
) -> anyhow::Result<()> {
    let hpcs: Vec<String> = context.ports.keys().cloned().collect();
    context
        .store
        .register_maintainer(&context.id, advertise, &hpcs)
        .await?;
    meters::describe(&context.ports);
    supervisor::start(&context);
    let service = MaintainerServer::new(MaintainerService {
        context: Arc::clone(&context),
    });
    compute_runtime::grpc::serve(
        listener,
        context.transport.clone(),
        service,
        CALLERS,
        compute_proto::FILE_DESCRIPTOR_SET,
        context.shutdown.token.clone(),
    )
    .await?;
    Ok(())
}

/// Whether the connector of each HPC answers.
pub async fn noted(context: Arc<Context>) -> Vec<(String, CheckResult)> {
    let asked = context.ports.iter().map(async |(hpc, port)| {
        let answer = port.connector.ping().await;
        let answer = answer.map_err(|error| error.to_string());
        (format!("connector of {hpc}"), answer)
    });
    join_all(asked).await
}

/// After the tasks have ended: what this process still has leased is free at
/// once, and nobody calls it any more.
///
/// # Errors
/// If the store does not answer.
pub async fn hand_back(context: &Context) -> anyhow::Result<()> {
    let released = context.store.release(&context.id).await?;
    context.store.forget_maintainer(&context.id).await?;
    tracing::info!(released, "leases handed back");
    Ok(())
}
