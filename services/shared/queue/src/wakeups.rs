//! Wake-ups: hints that looking now may be worth while. They get lost with a
//! connection; who waits for them looks by itself from time to time, too.

use std::time::Duration;

use compute_domain::Backoff;
use futures::{FutureExt as _, StreamExt as _};
use redis::{
    Client, RedisError,
    aio::{PubSubSink, PubSubStream},
};

use crate::connection::CONNECT_PATIENCE;

/// How often a silent connection is asked whether it is still there.
const PING_EVERY: Duration = Duration::from_secs(15);

/// Delay before a connection is tried again.
const RECONNECT: Backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(2));

/// Wake-ups of one HPC.
pub struct Wakeups {
    client: Client,
    channel: String,
    connection: Option<(PubSubSink, PubSubStream)>,
    /// Failures to connect since the last connection.
    failures: u32,
}

impl std::fmt::Debug for Wakeups {
    /// The client knows the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wakeups")
            .field("channel", &self.channel)
            .finish_non_exhaustive()
    }
}

impl Wakeups {
    pub(crate) fn new(client: Client, channel: String) -> Self {
        Self {
            client,
            channel,
            connection: None,
            failures: 0,
        }
    }

    /// Resolves at the next wake-up; several that came since the last call are one.
    /// Connects by itself, as often as it must, and wakes once each time it has:
    /// nobody knows what was missed. May be given up at any point.
    pub async fn next(&mut self) {
        loop {
            let Some((sink, stream)) = &mut self.connection else {
                match self.subscribe().await {
                    Ok(()) => {
                        self.failures = 0;
                        return;
                    }
                    Err(error) => {
                        tracing::debug!(%error, channel = self.channel, "no wake-ups");
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
                    let ping = tokio::time::timeout(CONNECT_PATIENCE, sink.ping::<redis::Value>());
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
        let connected = tokio::time::timeout(CONNECT_PATIENCE, connect).await;
        let too_late = |_| RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut));
        self.connection = Some(connected.map_err(too_late)??);
        Ok(())
    }
}
