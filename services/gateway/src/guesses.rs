//! Tokens that hubs have refused, counted by the client's address: a hub is not asked about
//! any number of guesses. Tokens that are good cost nothing, so that any number of users may
//! come from one address, as those of a hub do.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use compute_domain::{Clock, Timestamp};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

/// Questions at a time for one address: as many guesses may be asked about beyond the limit.
const AT_ONCE: usize = 8;

/// How long a question waits for those before it.
const LONGEST_QUEUE: Duration = Duration::from_secs(5);

/// Seconds after which whoever has waited in vain may come again.
const LATER: u64 = 5;

/// How often addresses without debts are looked for.
const LOOK_EVERY: Duration = Duration::from_secs(60);

const MINUTE_MS: f64 = 60_000.0;

/// Counts what each address has guessed.
pub struct Guesses {
    per_minute: f64,
    clock: Arc<dyn Clock>,
    addresses: Mutex<BTreeMap<IpAddr, Address>>,
}

/// What one address has guessed: a bucket that leaks.
struct Address {
    refused: f64,
    at: Timestamp,
    turns: Arc<Semaphore>,
}

impl Guesses {
    /// At most `per_minute` refused tokens of each address.
    pub fn new(per_minute: u32, clock: Arc<dyn Clock>) -> Self {
        Self {
            per_minute: f64::from(per_minute),
            clock,
            addresses: Mutex::default(),
        }
    }

    /// Waits until a hub may be asked about a token from `client`; keep what is returned until
    /// it has answered.
    ///
    /// # Errors
    /// After how many seconds to come again, if too many tokens were refused.
    pub async fn turn(&self, client: IpAddr) -> Result<OwnedSemaphorePermit, u64> {
        let turns = self.with(client, |address| Arc::clone(&address.turns));
        // A hub that does not answer must not pile up the requests of others.
        let turn = tokio::time::timeout(LONGEST_QUEUE, turns.acquire_owned()).await;
        let turn = turn.map_err(|_| LATER)?.map_err(|_| LATER)?;
        let per_minute = self.per_minute;
        let over = self.with(client, |address| address.refused + 1.0 - per_minute);
        if over <= 0.0 {
            return Ok(turn);
        }
        Err(seconds(over / per_minute * 60.0))
    }

    /// Counts a token from `client` that a hub has refused.
    pub fn refused(&self, client: IpAddr) {
        self.with(client, |address| address.refused += 1.0);
    }

    fn with<T>(&self, client: IpAddr, work: impl FnOnce(&mut Address) -> T) -> T {
        let now = self.clock.now();
        let mut addresses = self
            .addresses
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let address = addresses.entry(client).or_insert_with(|| Address {
            refused: 0.0,
            at: now,
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        });
        address.leak(now, self.per_minute);
        work(address)
    }

    fn forget(&self) {
        let now = self.clock.now();
        let mut addresses = self
            .addresses
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        addresses.retain(|_, address| {
            address.leak(now, self.per_minute);
            address.refused > 0.0 || Arc::strong_count(&address.turns) > 1
        });
    }
}

impl Address {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a fraction of a guess does not matter"
    )]
    fn leak(&mut self, now: Timestamp, per_minute: f64) {
        let millis = (now.millis() - self.at.millis()).max(0) as f64;
        self.refused = (self.refused - millis / MINUTE_MS * per_minute).max(0.0);
        self.at = now;
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "some minutes at the most, and never negative"
)]
fn seconds(seconds: f64) -> u64 {
    seconds.ceil().max(1.0) as u64
}

/// Forgets addresses that have not guessed for a while, again and again until `stop`.
pub async fn forget_idle(guesses: Arc<Guesses>, stop: CancellationToken) {
    let mut tick = tokio::time::interval(LOOK_EVERY);
    while stop.run_until_cancelled(tick.tick()).await.is_some() {
        guesses.forget();
    }
}

#[cfg(test)]
mod tests {
    use compute_domain::clock::ManualClock;

    use super::*;

    const ONE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const OTHER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    fn guesses() -> (Guesses, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::at(Timestamp::from_millis(1_000_000)));
        (Guesses::new(6, clock.clone()), clock)
    }

    #[tokio::test]
    async fn guesses_of_one_address_are_few_and_come_back() {
        let (guesses, clock) = guesses();
        for _ in 0..6 {
            drop(guesses.turn(ONE).await.unwrap());
            guesses.refused(ONE);
        }
        assert_eq!(guesses.turn(ONE).await.unwrap_err(), 10);
        drop(guesses.turn(OTHER).await.unwrap());
        clock.advance(Duration::from_secs(10));
        drop(guesses.turn(ONE).await.unwrap());
        guesses.refused(ONE);
        assert_eq!(guesses.turn(ONE).await.unwrap_err(), 10);
        clock.advance(Duration::from_secs(61));
        guesses.forget();
        assert!(guesses.addresses.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn good_tokens_cost_nothing() {
        let (guesses, _) = guesses();
        for _ in 0..1000 {
            drop(guesses.turn(ONE).await.unwrap());
        }
    }

    #[tokio::test]
    async fn many_guesses_at_once_are_few_as_well() {
        let (guesses, _) = guesses();
        let guesses = Arc::new(guesses);
        let mut at_once = tokio::task::JoinSet::new();
        for _ in 0..100 {
            let guesses = Arc::clone(&guesses);
            at_once.spawn(async move {
                let turn = guesses.turn(ONE).await;
                tokio::task::yield_now().await;
                if turn.is_ok() {
                    guesses.refused(ONE);
                }
                turn.is_ok()
            });
        }
        let asked = at_once.join_all().await.into_iter().filter(|asked| *asked);
        assert!(asked.count() < 6 + AT_ONCE);
    }
}
