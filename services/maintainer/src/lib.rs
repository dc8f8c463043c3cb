//! The maintainer: runs each job of its HPCs through upload, submission,
//! observation and collection. Any number of replicas may serve the same HPC.
//!
//! Where to look: jobs come in through [`intake`]; [`lifecycle`] runs one job; [`steps`] are
//! what it does on the way; [`status_poller`] asks for the states of all of them; [`lease`]
//! renews the lease, [`own_lease`] says whether it is held; [`orphans`] finds Slurm jobs without a row; [`kinds`] are the sorts of
//! jobs; [`supervisor`] starts the loops.

pub mod active_jobs;
pub mod backoff;
pub mod config;
pub mod context;
pub mod definition;
mod deps;
pub mod grpc;
pub mod hpc_handle;
pub mod intake;
pub mod job_gauges;
pub mod kinds;
pub mod launcher;
pub mod lease;
mod lease_permit;
pub mod lifecycle;
pub mod local_folder;
mod meters;
pub mod orphans;
pub mod own_lease;
pub mod script;
pub mod status_poller;
pub mod steps;
pub mod supervisor;
pub mod transition;

#[cfg(test)]
mod fixtures;

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use anyhow::Context as _;
use compute_config::Site;
use compute_domain::{ids::MaintainerId, site::Hpc};
use compute_proto::{ConnectorClient, wire::maintainer_server::MaintainerServer};
use compute_runtime::{grpc::Callers, health::CheckResult, tls::Role};
use futures::future::join_all;
use tokio::net::TcpListener;

pub use crate::deps::Deps;
use crate::{
    context::Context, grpc::MaintainerService, hpc_handle::HpcHandle, own_lease::OwnLease,
    status_poller::StatusPoller,
};

/// Who may ask what of a maintainer.
const CALLERS: Callers = Callers(&[("Notice", &[Role::Gateway, Role::Operator])]);

/// Puts the process together; nothing runs yet.
///
/// # Errors
/// If `hpcs` names one that is not in the configuration, or an address is invalid.
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
    let hpcs = served
        .into_iter()
        .map(|hpc| Ok((hpc.name.clone(), handle(hpc, &site, &deps)?)))
        .collect::<anyhow::Result<BTreeMap<String, HpcHandle>>>()?;
    let id = MaintainerId::from_text(uuid::Uuid::new_v4().to_string());
    Ok(Arc::new(Context {
        own_lease: Arc::new(OwnLease::new(id.clone(), site.server.lease)),
        address: OnceLock::new(),
        id,
        lease: site.server.lease,
        sweep: site.server.sweep,
        site,
        store: deps.store,
        queue: deps.queue,
        hpcs,
        active_jobs: active_jobs::ActiveJobs::default(),
        globus: deps.globus,
        seal: deps.seal,
        transport: deps.transport,
        clock: deps.clock,
        shutdown: deps.shutdown,
    }))
}

fn handle(hpc: &Hpc, site: &Arc<Site>, deps: &Deps) -> anyhow::Result<HpcHandle> {
    let address = site.connector_address(hpc);
    let channel = deps.transport.channel(address, Role::Connector)?;
    let status = StatusPoller::new(&hpc.name, hpc.poll_interval, deps.shutdown.clone());
    Ok(HpcHandle {
        config: Arc::new(hpc.clone()),
        site: Arc::clone(site),
        connector: ConnectorClient::for_hpc(channel, &hpc.name),
        status: Arc::new(status),
        mirrors: deps.mirrors.clone(),
        tasks: deps.shutdown.tasks.clone(),
    })
}

/// Registers the process as reachable at `advertise`, runs jobs, and serves gRPC
/// on `listener` until the shutdown's token is set.
///
/// # Errors
/// If the process cannot be registered or the service ends by itself.
pub async fn serve(
    context: Arc<Context>,
    listener: TcpListener,
    advertise: &str,
) -> anyhow::Result<()> {
    context.address.get_or_init(|| advertise.to_owned());
    lease::begin(&context).await?;
    let hpcs = context.hpcs.values();
    meters::describe(hpcs.map(|hpc| (hpc.name(), hpc.config.job_pool_capacity)));
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
    let asked = context.hpcs.iter().map(async |(name, hpc)| {
        let answer = hpc.connector.ping().await;
        let answer = answer.map_err(|error| error.to_string());
        (format!("connector of {name}"), answer)
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
    tracing::info!(released, "jobs handed back");
    Ok(())
}
