//! What every handler may use.

use std::sync::Arc;

use compute_db::Store;
use compute_queue::Queue;
use compute_runtime::{config::Site, shutdown::Shutdown};

use crate::{auth::HubClient, credentials::Connectors, templates::TemplateCache};

/// The gateway's state. Cheap to clone.
#[derive(Clone)]
pub struct AppState {
    /// The operator's configuration.
    pub site: Arc<Site>,
    /// The truth.
    pub store: Store,
    /// Job streams.
    pub queue: Queue,
    /// Where logins of private accounts are checked.
    pub connectors: Connectors,
    /// Who a token belongs to.
    pub hubs: HubClient,
    /// Manifests of the approved templates.
    pub templates: TemplateCache,
    /// Stop signal and task tracker.
    pub shutdown: Shutdown,
}
