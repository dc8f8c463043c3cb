//! Notifications that a slot may be free. They are lost with a connection, so a reader
//! polls as well.

use std::time::Duration;

use compute_domain::Backoff;
use futures::{FutureExt as _, StreamExt as _};
use redis::{
    Client, RedisError,
    aio::{PubSubSink, PubSubStream},
};

use crate::connection::CONNECT_TIMEOUT;

/// Interval between two pings of a silent connection.
const PING_EVERY: Duration = Duration::from_secs(15);

/// Delay before a connection is tried again.
const RECONNECT: Backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(2));

/// The notifications of one HPC.
pub struct Notifications {
    client: Client,
    channel: String,
    connection: Option<(PubSubSink, PubSubStream)>,
    /// Failures to connect since the last connection.
    failures: u32,
}

impl std::fmt::Debug for Notifications {
    /// The client knows the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Notifications")
            .field("channel", &self.channel)
            .finish_non_exhaustive()
    }
}

impl Notifications {
    pub(crate) fn new(client: Client, channel: String) -> Self {
        Self {
            client,
            channel,
            connection: None,
            failures: 0,
        }
    }

    /// Waits for the next notification; several that arrived since the last call count as
    /// one. Reconnects when needed, and returns once after each connection, because
    /// notifications may have been missed. Cancel-safe.
    pub async fn next(&mut self) {
        loop {
            let Some((sink, stream)) = &mut self.connection else {
                match self.subscribe().await {
                    Ok(()) => {
                        self.failures = 0;
                        return;
                    }
                    Err(error) => {
                        tracing::debug!(%error, channel = self.channel, "cannot subscribe to notifications");
                        self.failures = self.failures.saturating_add(1);
                        tokio::time::sleep(RECONNECT.delay(self.failures)).await;
                        continue;
                    }
                }
            };
            let is_alive = match tokio::time::timeout(PING_EVERY, stream.next()).await {
                Ok(Some(_)) => {
                    while stream.next().now_or_never().flatten().is_some() {}
                    return;
                }
                Ok(None) => false,
                Err(_) => {
                    let ping = tokio::time::timeout(CONNECT_TIMEOUT, sink.ping::<redis::Value>());
                    matches!(ping.await, Ok(Ok(_)))
                }
            };
            if !is_alive {
                self.connection = None;
            }
        }
    }

    async fn subscribe(&mut self) -> Result<(), RedisError> {
        let connect = async {
            let mut pubsub = self.client.get_async_pubsub().await?;
            pubsub.subscribe(&self.channel).await?;
            Ok::<_, RedisError>(pubsub.split())
        };
        let connected = tokio::time::timeout(CONNECT_TIMEOUT, connect).await;
        let too_late = |_| RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut));
        self.connection = Some(connected.map_err(too_late)??);
        Ok(())
    }
}
