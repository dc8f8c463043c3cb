//! What every handler may use.

use std::sync::Arc;

use compute_config::Site;
use compute_db::Store;
use compute_domain::Clock;
use compute_globus::Globus;
use compute_queue::Queue;
use compute_runtime::{grpc::Transport, seal::SealingKey, shutdown::Shutdown};

use crate::{
    auth::HubClient, connectors::Connectors, guesses::Guesses, limits::RequestRate, places::Places,
    templates::TemplateCache,
};

/// The gateway's state. Cheap to clone.
#[derive(Clone)]
pub struct AppState {
    /// The operator's configuration.
    pub site: Arc<Site>,
    /// The truth.
    pub store: Store,
    /// Job streams.
    pub queue: Queue,
    /// How the other services are reached.
    pub transport: Transport,
    /// Where logins of private accounts are checked.
    pub connectors: Connectors,
    /// Who a token belongs to.
    pub hubs: HubClient,
    /// Manifests of the approved templates.
    pub templates: TemplateCache,
    /// Globus, if this deployment is known there.
    pub globus: Option<Globus>,
    /// Opens and seals what is kept sealed in the store.
    pub seal: Arc<SealingKey>,
    /// Counts the requests of each user.
    pub rate: Arc<RequestRate>,
    /// Counts the tokens of each address that were refused.
    pub guesses: Arc<Guesses>,
    /// Places for all jobs or folders of a user, and for sums over all jobs.
    pub lists: Places,
    /// Places for all of one job.
    pub pages: Places,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Stop signal and task tracker.
    pub shutdown: Shutdown,
}
