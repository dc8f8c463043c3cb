//! What a maintainer is built from, connected as the configuration says.

use std::sync::Arc;

use compute_config::Server;
use compute_db::Store;
use compute_domain::{Clock, SystemClock};
use compute_globus::Globus;
use compute_queue::Queue;
use compute_runtime::{grpc::Transport, seal::SealingKey, shutdown::Shutdown};

use compute_templates::Mirrors;

/// The outside of a maintainer.
pub struct Deps {
    /// The source of truth.
    pub store: Store,
    /// Job streams.
    pub queue: Queue,
    /// Mirrors of the templates.
    pub mirrors: Mirrors,
    /// Globus, if this deployment is registered there.
    pub globus: Option<Globus>,
    /// Opens Globus' tokens.
    pub seal: Arc<SealingKey>,
    /// How the other services are reached.
    pub transport: Transport,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Stop signal and task tracker.
    pub shutdown: Shutdown,
}

impl Deps {
    /// Connects everything.
    ///
    /// # Errors
    /// If an address is not valid, or the sealing key or the files for TLS cannot be read.
    pub async fn connect(server: &Server, shutdown: Shutdown) -> anyhow::Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let transport = Transport::load(server.tls.as_ref())?;
        transport.keep_fresh(Arc::clone(&clock), &shutdown);
        Ok(Self {
            store: Store::connect(&server.database.url, Arc::clone(&clock)).await?,
            queue: Queue::connect(server.redis.clone())?,
            mirrors: Mirrors::new(server.mirrors.clone()),
            globus: (server.globus.clone())
                .map(|options| Globus::new(options, Arc::clone(&clock)))
                .transpose()?,
            seal: Arc::new(SealingKey::load_or_create(&server.seal_key_file)?),
            transport,
            clock,
            shutdown,
        })
    }
}
