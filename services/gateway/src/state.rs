//! The state that every handler may use.

use std::sync::Arc;

use compute_config::Site;
use compute_db::Store;
use compute_domain::Clock;
use compute_globus::Globus;
use compute_queue::Queue;
use compute_runtime::{grpc::Transport, seal::SealingKey, shutdown::Shutdown};

use crate::{
    auth::HubClient, connectors::Connectors, limits::RequestRate, rejected_tokens::RejectedTokens,
    response_slots::ResponseSlots, templates::TemplateCache,
};

/// The gateway's state. Cheap to clone.
#[derive(Clone)]
pub struct AppState {
    /// The operator's configuration.
    pub site: Arc<Site>,
    /// The database, source of truth.
    pub store: Store,
    /// Job streams.
    pub queue: Queue,
    /// How the other services are reached.
    pub transport: Transport,
    /// Connectors, by HPC.
    pub connectors: Connectors,
    /// Looks up whose a token is.
    pub hubs: HubClient,
    /// Manifests of the approved templates.
    pub templates: TemplateCache,
    /// Globus, if this deployment is known there.
    pub globus: Option<Globus>,
    /// Seals secrets in the store and opens them.
    pub seal: Arc<SealingKey>,
    /// Counts the requests of each user.
    pub rate: Arc<RequestRate>,
    /// Counts the rejected tokens of each address.
    pub rejected_tokens: Arc<RejectedTokens>,
    /// Slots for responses with all jobs or folders of a user, and for sums over all jobs.
    pub lists: ResponseSlots,
    /// Slots for responses with all of one job.
    pub pages: ResponseSlots,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Stop signal and task tracker.
    pub shutdown: Shutdown,
}
