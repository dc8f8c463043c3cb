//! The services that the gateway depends on, connected as the configuration says.

use std::sync::Arc;

use compute_config::Server;
use compute_db::Store;
use compute_domain::{Clock, SystemClock};
use compute_globus::Globus;
use compute_queue::Queue;
use compute_runtime::{grpc::Transport, seal::SealingKey, shutdown::Shutdown};
use compute_templates::Mirrors;

/// The dependencies of the gateway.
pub struct Deps {
    /// The database, source of truth.
    pub store: Store,
    /// Job streams.
    pub queue: Queue,
    /// Mirrors of the templates.
    pub mirrors: Mirrors,
    /// Globus, if this deployment is known there.
    pub globus: Option<Globus>,
    /// Seals secrets in the store and opens them.
    pub seal: SealingKey,
    /// How the other services are reached.
    pub transport: Transport,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Stop signal and task tracker.
    pub shutdown: Shutdown,
}

impl Deps {
    /// Connects everything.
    ///
    /// # Errors
    /// If an address is invalid, or the sealing key or the TLS files cannot be read.
    pub async fn connect(server: &Server, shutdown: Shutdown) -> anyhow::Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let transport = Transport::load(server.tls.as_ref())?;
        transport.keep_fresh(Arc::clone(&clock), &shutdown);
        Ok(Self {
            store: Store::connect(&server.database.url, clock.clone()).await?,
            globus: (server.globus.clone())
                .map(|options| Globus::new(options, Arc::clone(&clock)))
                .transpose()?,
            seal: SealingKey::load_or_create(&server.seal_key_file)?,
            transport,
            clock,
            queue: Queue::connect(server.redis.clone())?,
            mirrors: Mirrors::new(server.mirrors.clone()),
            shutdown,
        })
    }
}
