//! What a maintainer is built from, connected as the configuration says.

use std::sync::Arc;

use compute_config::{GlobusService, Server};
use compute_db::Store;
use compute_domain::{Clock, SystemClock};
use compute_globus::{Globus, GlobusOptions};
use compute_queue::{Queue, RedisOptions};
use compute_runtime::{grpc::Transport, seal::SealingKey, shutdown::Shutdown};

use compute_templates::{AddressPolicy, MirrorOptions, Mirrors};

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
        let redis = &server.redis;
        let transport = Transport::load(server.tls.as_ref())?;
        transport.keep_fresh(Arc::clone(&clock), &shutdown);
        Ok(Self {
            store: Store::connect(&server.database.url, Arc::clone(&clock)).await?,
            queue: Queue::connect(RedisOptions {
                host: redis.host.clone(),
                port: redis.port,
                password: redis.password.clone(),
                prefix: redis.prefix.clone(),
            })?,
            mirrors: Mirrors::new(MirrorOptions {
                root: server.cache_path.join("templates"),
                policy: AddressPolicy {
                    local_roots: server.template_local_roots.clone(),
                },
                size_limit: server.template_size_limit_mb << 20,
            }),
            globus: globus(&server.globus, &clock)?,
            seal: Arc::new(SealingKey::load_or_create(&server.seal_key_file)?),
            transport,
            clock,
            shutdown,
        })
    }
}

fn globus(service: &GlobusService, clock: &Arc<dyn Clock>) -> anyhow::Result<Option<Globus>> {
    let options = service.client_id.clone().map(|client_id| GlobusOptions {
        client_id,
        auth_url: service.auth_url.clone(),
        transfer_url: service.transfer_url.clone(),
    });
    Ok(options
        .map(|options| Globus::new(options, Arc::clone(clock)))
        .transpose()?)
}
