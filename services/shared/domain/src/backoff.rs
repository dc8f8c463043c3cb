//! Delays between the attempts of something that failed.

use std::time::Duration;

use rand::RngExt as _;

/// An exponential back-off with equal jitter: the limit doubles with each failure, and the
/// delay is at least half of it and random beyond, so that callers who failed together do not
/// return together, and none returns at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
}

impl Backoff {
    /// A back-off whose limit is `first` after one failure and never more than `longest`.
    pub const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest }
    }

    /// Returns the longest delay after this many failures in a row; 0 counts as 1.
    pub fn limit(&self, failures: u32) -> Duration {
        let factor = 2_u32.saturating_pow(failures.saturating_sub(1));
        self.first.saturating_mul(factor).min(self.longest)
    }

    /// Returns a random delay between half of [`Self::limit`] and all of it.
    pub fn delay(&self, failures: u32) -> Duration {
        let limit = self.limit(failures);
        rand::rng().random_range(limit / 2..=limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60));

    #[test]
    fn the_limit_doubles_up_to_the_longest() {
        let seconds: Vec<_> = (0..9).map(|n| BACKOFF.limit(n).as_secs()).collect();
        assert_eq!(seconds, [1, 1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(BACKOFF.limit(u32::MAX), Duration::from_secs(60));
    }

    #[test]
    fn a_delay_is_within_its_limit_and_varies() {
        let delays: Vec<_> = (0..100).map(|_| BACKOFF.delay(5)).collect();
        let limit = BACKOFF.limit(5);
        assert!(
            delays
                .iter()
                .all(|delay| (limit / 2..=limit).contains(delay))
        );
        assert!(delays.iter().any(|delay| *delay != delays[0]));
    }
}
