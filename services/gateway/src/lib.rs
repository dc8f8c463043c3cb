//! The gateway: REST for JupyterLab's clients. It asks the hub who a token
//! belongs to, validates, writes rows and enqueues; it never reaches an HPC but
//! through the connector, to have a login checked or old folders removed.
//! Stateless: any number of replicas.
//!
//! Where to look: [`router`] lists all routes, `routes/` has one file per
//! resource, `auth/` says who is calling and how each route refuses, `submit`
//! is the way of a job into the queue, `error` turns errors into answers.

pub mod auth;
pub mod body;
pub mod client_address;
pub mod compatibility;
pub mod config;
pub mod connectors;
pub mod credentials;
pub mod deps;
pub mod download;
pub mod error;
pub mod globus_places;
pub mod guesses;
pub mod job_list;
pub mod job_view;
pub mod limits;
pub mod meters;
pub mod openapi;
pub mod path;
pub mod places;
pub mod router;
pub mod routes;
pub mod schema;
pub mod seen;
pub mod state;
pub mod submit;
pub mod templates;

use std::sync::Arc;

use axum::{Router, middleware};
use compute_config::Site;
use compute_db::UserLimits;
use compute_runtime::{
    draining::DrainingListener,
    health::HealthChecks,
    serving::{self, Timeouts},
    shutdown::Shutdown,
};
use tokio::net::TcpListener;
use tower::Layer as _;

pub use crate::deps::Deps;
use crate::{
    auth::HubClient, connectors::Connectors, guesses::Guesses, limits::RequestRate,
    path::NormalisePath, places::Places, state::AppState, templates::TemplateCache,
};

/// Lists of one user that are sent at once.
const LISTS: usize = 2;
/// Jobs with their logs that are sent to one user at once.
const PAGES: usize = 4;

/// Puts the gateway together; nothing runs yet.
///
/// # Errors
/// If the client for hubs cannot be made, or the address of a connector is none.
pub fn build(site: Arc<Site>, deps: Deps) -> anyhow::Result<AppState> {
    let limits = &site.server.limits;
    let store = deps.store.with_user_limits(UserLimits {
        open_jobs: limits.open_jobs,
        drafts: limits.open_jobs,
        draft_bytes: limits.draft_bytes,
    });
    let guesses = Arc::new(Guesses::new(
        limits.refused_tokens_per_minute,
        Arc::clone(&deps.clock),
    ));
    Ok(AppState {
        hubs: HubClient::new(site.hubs.clone(), Arc::clone(&guesses))?,
        guesses,
        lists: Places::new(LISTS),
        pages: Places::new(PAGES),
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

/// Answers on `listener` until the shutdown's token is set, then all who are
/// connected already, and lets the requests at hand end.
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
    tasks.spawn(limits::forget_idle(state.rate.clone(), token.clone()));
    tasks.spawn(guesses::forget_idle(state.guesses.clone(), token.clone()));
    meters::describe();
    let proxies = state.site.server.trusted_proxies.clone();
    let app: Router = router::router(state);
    // Around the router, not in it: routing must see the normalised path.
    let app = NormalisePath.layer(middleware::from_fn(compatibility::answer).layer(app));
    let listener = DrainingListener::new(listener, token)?;
    serving::serve(listener, app, Timeouts::default(), proxies).await;
    Ok(())
}

/// What its health is made of. It is served on an address of its own
/// (`health::serve`): whatever a client asks for here, there is no such route.
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
        .informational(move || connectors.clone().noted())
}
