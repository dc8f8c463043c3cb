//! Tokens that hubs have rejected, counted by the client's address, so that nobody can try
//! any number of them. Valid tokens cost nothing: any number of users may come from one
//! address, as those of a hub do.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use compute_domain::{Clock, Timestamp};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

/// Lookups at a time for one address. As many rejected tokens may go beyond the limit.
const AT_ONCE: usize = 8;

/// How long a lookup waits for those before it.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(5);

/// Seconds after which a client may try again if its lookup did not get a turn.
const RETRY_AFTER: u64 = 5;

/// How often addresses without recent rejections are dropped.
const CLEAN_EVERY: Duration = Duration::from_secs(60);

const MINUTE_MS: f64 = 60_000.0;

/// Counts the rejected tokens of each address.
pub struct RejectedTokens {
    per_minute: f64,
    clock: Arc<dyn Clock>,
    addresses: Mutex<BTreeMap<IpAddr, Address>>,
}

/// The rejected tokens of one address: a leaky bucket.
struct Address {
    rejected: f64,
    at: Timestamp,
    turns: Arc<Semaphore>,
}

impl RejectedTokens {
    /// At most `per_minute` rejected tokens of each address.
    pub fn new(per_minute: u32, clock: Arc<dyn Clock>) -> Self {
        Self {
            per_minute: f64::from(per_minute),
            clock,
            addresses: Mutex::default(),
        }
    }

    /// Waits until a hub may be asked about a token from `client`. The permit is kept until the
    /// hub has responded.
    ///
    /// # Errors
    /// The seconds after which to try again, if too many tokens were rejected.
    pub async fn turn(&self, client: IpAddr) -> Result<OwnedSemaphorePermit, u64> {
        let turns = self.with(client, |address| Arc::clone(&address.turns));
        // A hub that does not answer must not pile up the requests of others.
        let turn = tokio::time::timeout(QUEUE_TIMEOUT, turns.acquire_owned()).await;
        let turn = turn.map_err(|_| RETRY_AFTER)?.map_err(|_| RETRY_AFTER)?;
        let per_minute = self.per_minute;
        let over = self.with(client, |address| address.rejected + 1.0 - per_minute);
        if over <= 0.0 {
            return Ok(turn);
        }
        Err(seconds(over / per_minute * 60.0))
    }

    /// Counts a token from `client` that a hub has rejected.
    pub fn count(&self, client: IpAddr) {
        self.with(client, |address| address.rejected += 1.0);
    }

    fn with<T>(&self, client: IpAddr, work: impl FnOnce(&mut Address) -> T) -> T {
        let now = self.clock.now();
        let mut addresses = self
            .addresses
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let address = addresses.entry(client).or_insert_with(|| Address {
            rejected: 0.0,
            at: now,
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        });
        address.leak(now, self.per_minute);
        work(address)
    }

    fn drop_expired(&self) {
        let now = self.clock.now();
        let mut addresses = self
            .addresses
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        addresses.retain(|_, address| {
            address.leak(now, self.per_minute);
            address.rejected > 0.0 || Arc::strong_count(&address.turns) > 1
        });
    }
}

impl Address {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a fraction of a token does not matter"
    )]
    fn leak(&mut self, now: Timestamp, per_minute: f64) {
        let millis = (now.millis() - self.at.millis()).max(0) as f64;
        self.rejected = (self.rejected - millis / MINUTE_MS * per_minute).max(0.0);
        self.at = now;
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a few minutes at most, and never negative"
)]
fn seconds(seconds: f64) -> u64 {
    seconds.ceil().max(1.0) as u64
}

/// Drops addresses without recent rejections until `stop`.
pub async fn drop_idle(rejected_tokens: Arc<RejectedTokens>, stop: CancellationToken) {
    let mut tick = tokio::time::interval(CLEAN_EVERY);
    while stop.run_until_cancelled(tick.tick()).await.is_some() {
        rejected_tokens.drop_expired();
    }
}

#[cfg(test)]
mod tests {
    use compute_domain::clock::ManualClock;

    use super::*;

    const ONE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const OTHER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    fn tokens() -> (RejectedTokens, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::at(Timestamp::from_millis(1_000_000)));
        (RejectedTokens::new(6, clock.clone()), clock)
    }

    #[tokio::test]
    async fn one_address_is_limited_and_recovers() {
        let (tokens, clock) = tokens();
        for _ in 0..6 {
            drop(tokens.turn(ONE).await.unwrap());
            tokens.count(ONE);
        }
        assert_eq!(tokens.turn(ONE).await.unwrap_err(), 10);
        drop(tokens.turn(OTHER).await.unwrap());
        clock.advance(Duration::from_secs(10));
        drop(tokens.turn(ONE).await.unwrap());
        tokens.count(ONE);
        assert_eq!(tokens.turn(ONE).await.unwrap_err(), 10);
        clock.advance(Duration::from_secs(61));
        tokens.drop_expired();
        assert!(tokens.addresses.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn valid_tokens_cost_nothing() {
        let (tokens, _) = tokens();
        for _ in 0..1000 {
            drop(tokens.turn(ONE).await.unwrap());
        }
    }

    #[tokio::test]
    async fn concurrent_lookups_are_limited_as_well() {
        let (tokens, _) = tokens();
        let tokens = Arc::new(tokens);
        let mut at_once = tokio::task::JoinSet::new();
        for _ in 0..100 {
            let tokens = Arc::clone(&tokens);
            at_once.spawn(async move {
                let turn = tokens.turn(ONE).await;
                tokio::task::yield_now().await;
                if turn.is_ok() {
                    tokens.count(ONE);
                }
                turn.is_ok()
            });
        }
        let asked = at_once.join_all().await.into_iter().filter(|asked| *asked);
        assert!(asked.count() < 6 + AT_ONCE);
    }
}
