//! Connections to Redis.

use std::time::Duration;

use compute_domain::site::RedisOptions;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, FromRedisValue, IntoConnectionInfo as _,
    RedisConnectionInfo,
    aio::{ConnectionManager, ConnectionManagerConfig, MultiplexedConnection},
    io::tcp::TcpSettings,
};
use secrecy::ExposeSecret as _;

use crate::{Consumer, Notifications, QueueError, keys::Keys};

/// Time limit for opening a connection.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Time limit of a response, except to a blocking read.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(5);

/// Time for which the kernel tries to deliver data before it closes the connection
/// (TCP_USER_TIMEOUT).
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(10);

/// The queue. Clones share one connection, which is made when it is first needed
/// and made again whenever it breaks.
#[derive(Clone)]
pub struct Queue {
    client: Client,
    manager: ConnectionManager,
    prefix: String,
}

impl std::fmt::Debug for Queue {
    /// The client knows the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue")
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

impl Queue {
    /// The queue on the Redis of `options`, which need not be there yet. Must be
    /// called within a tokio runtime.
    ///
    /// # Errors
    /// [`QueueError::Refused`] if the options are not valid.
    pub fn connect(options: RedisOptions) -> Result<Self, QueueError> {
        let RedisOptions {
            host,
            port,
            password,
            prefix,
        } = options;
        let mut account = RedisConnectionInfo::default();
        if let Some(password) = &password {
            account = account.set_password(password.expose_secret());
        }
        let info = ConnectionAddr::Tcp(host, port)
            .into_connection_info()?
            .set_redis_settings(account)
            .set_tcp_settings(
                TcpSettings::default()
                    .set_nodelay(true)
                    .set_user_timeout(DELIVERY_TIMEOUT),
            );
        let client = Client::open(info)?;
        // One attempt for each call: callers have their own deadlines.
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(0)
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(RESPONSE_TIMEOUT));
        let manager = ConnectionManager::new_lazy_with_config(client.clone(), config)?;
        Ok(Self {
            client,
            manager,
            prefix,
        })
    }

    /// Whether Redis answers.
    ///
    /// # Errors
    /// [`QueueError`] if not.
    pub async fn ping(&self) -> Result<(), QueueError> {
        Ok(redis::cmd("PING").exec_async(&mut self.shared()).await?)
    }

    /// A reader of the stream of `hpc`. `name` is its own as long as it lives, and
    /// no other reader's: what it has read and not finished is known by it.
    pub fn consumer(&self, hpc: &str, name: &str) -> Consumer {
        Consumer::new(self.clone(), self.keys(hpc), name)
    }

    /// Returns the notifications for the maintainers of `hpc`.
    pub fn slot_freed_notifications(&self, hpc: &str) -> Notifications {
        Notifications::new(self.client.clone(), self.keys(hpc).slot_freed())
    }

    /// Runs a command, and repeats it once if the connection turns out to be broken: that
    /// shows only when an idle connection is used. For commands that may be repeated.
    pub(crate) async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, QueueError> {
        let answer = command.query_async(&mut self.shared()).await;
        match answer.map_err(QueueError::from) {
            Err(QueueError::Unavailable(_)) => Ok(command.query_async(&mut self.shared()).await?),
            answer => answer,
        }
    }

    /// The connection for everything that is answered at once.
    pub(crate) fn shared(&self) -> ConnectionManager {
        self.manager.clone()
    }

    /// A connection for blocking reads. It has no limit for an answer: the reader
    /// knows how long it may take.
    pub(crate) async fn blocking(&self) -> Result<MultiplexedConnection, QueueError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(None);
        Ok(self
            .client
            .get_multiplexed_async_connection_with_config(&config)
            .await?)
    }

    pub(crate) fn keys(&self, hpc: &str) -> Keys {
        Keys::new(&self.prefix, hpc)
    }
}
