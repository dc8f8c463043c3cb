//! The gateway: a REST API for JupyterLab's clients. It asks the hub who a token belongs
//! to, validates requests, writes rows and enqueues jobs. It reaches an HPC only through
//! the connector, to check a login or to remove old folders. It keeps no state: any number
//! of replicas may run.
//!
//! Where to look: [`router`] lists all routes, `routes/` has one file per resource with its
//! bodies, `auth/` finds the caller and what is theirs, `submit` validates and queues a
//! job, `error` holds all statuses and texts, `legacy/` is what clients of the legacy server
//! depend on.

pub mod auth;
pub mod client_address;
pub mod config;
pub mod connectors;
pub mod credentials;
pub mod deps;
pub mod download;
pub mod error;
pub mod globus_places;
pub mod globus_session;
pub mod idempotency;
pub mod job_list;
pub mod job_view;
pub mod legacy;
pub mod limits;
pub mod meters;
pub mod openapi;
pub mod rejected_tokens;
pub mod request_log;
pub mod response_slots;
pub mod router;
pub mod routes;
pub mod state;
pub mod submit;
pub mod templates;

use std::{convert::Infallible, sync::Arc};

use axum::{Router, extract::Request, middleware, response::Response};
use compute_config::Site;
use compute_db::UserLimits;
use compute_runtime::{
    draining::DrainingListener,
    health::HealthChecks,
    serving::{self, Timeouts},
    shutdown::Shutdown,
};
use tokio::net::TcpListener;
use tower::{Layer as _, Service};

pub use crate::deps::Deps;
use crate::{
    auth::HubClient,
    connectors::Connectors,
    legacy::{framework, path::NormalisePath},
    limits::RequestRate,
    rejected_tokens::RejectedTokens,
    response_slots::ResponseSlots,
    state::AppState,
    templates::TemplateCache,
};

/// Lists that are sent to one user at once.
const LISTS: usize = 2;
/// Jobs with their logs that are sent to one user at once.
const PAGES: usize = 4;

/// Puts the gateway together; nothing runs yet.
///
/// # Errors
/// If the HTTP client for hubs cannot be made, or the address of a connector is invalid.
pub fn build(site: Arc<Site>, deps: Deps) -> anyhow::Result<AppState> {
    let limits = &site.server.limits;
    let store = deps.store.with_user_limits(UserLimits {
        open_jobs: limits.open_jobs,
        drafts: limits.open_jobs,
        draft_bytes: limits.draft_bytes,
    });
    let rejected_tokens = Arc::new(RejectedTokens::new(
        limits.refused_tokens_per_minute,
        Arc::clone(&deps.clock),
    ));
    Ok(AppState {
        hubs: HubClient::new(site.hubs.clone(), Arc::clone(&rejected_tokens))?,
        rejected_tokens,
        lists: ResponseSlots::new(LISTS),
        pages: ResponseSlots::new(PAGES),
        templates: TemplateCache::new(store.clone(), deps.mirrors),
        store,
        queue: deps.queue,
        globus: deps.globus,
        seal: Arc::new(deps.seal),
        rate: Arc::new(RequestRate::new(limits)),
        clock: deps.clock,
        connectors: Connectors::of(&site, &deps.transport)?,
        transport: deps.transport,
        shutdown: deps.shutdown,
        site,
    })
}

/// The routes behind the legacy server's paths.
pub fn app(
    state: AppState,
) -> impl Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + 'static
{
    let routes: Router = router::router(state);
    // Around the router, not in it: routing must see the normalised path.
    NormalisePath.layer(middleware::from_fn(framework::respond).layer(routes))
}

/// Serves `listener` until the shutdown token is set, then finishes the requests of open
/// connections.
///
/// # Errors
/// If the listener fails.
pub async fn serve(state: AppState, listener: TcpListener) -> anyhow::Result<()> {
    let Shutdown { token, tasks } = state.shutdown.clone();
    let refresh = state.site.server.template_refresh;
    tasks.spawn(templates::keep_fresh(
        state.templates.clone(),
        refresh,
        token.clone(),
    ));
    tasks.spawn(limits::drop_idle(state.rate.clone(), token.clone()));
    tasks.spawn(rejected_tokens::drop_idle(
        state.rejected_tokens.clone(),
        token.clone(),
    ));
    tasks.spawn(idempotency::forget_old(state.store.clone(), token.clone()));
    meters::describe();
    let proxies = state.site.server.trusted_proxies.clone();
    let app = app(state);
    let listener = DrainingListener::new(listener, token)?;
    serving::serve(listener, app, Timeouts::default(), proxies).await;
    Ok(())
}

/// The health checks. They are served on an address of their own (`health::serve`): the
/// API has no such route.
pub fn parts(state: &AppState) -> HealthChecks {
    let (store, queue) = (state.store.clone(), state.queue.clone());
    let connectors = state.connectors.clone();
    HealthChecks::default()
        .with("database", move || {
            let store = store.clone();
            async move { store.ping().await.map_err(|error| error.to_string()) }
        })
        .with("redis", move || {
            let queue = queue.clone();
            async move { queue.ping().await.map_err(|error| error.to_string()) }
        })
        .informational(move || connectors.clone().checks())
}
