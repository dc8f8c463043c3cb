//! Delays between the attempts of something that failed.

use std::time::Duration;

use rand::RngExt as _;

/// An exponential back-off with full jitter: the limit doubles with each failure, and the
/// delay is a random part of it, so that callers who failed together do not return together.
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

    /// Returns a random delay between zero and [`Self::limit`].
    pub fn delay(&self, failures: u32) -> Duration {
        rand::rng().random_range(Duration::ZERO..=self.limit(failures))
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
        assert!(delays.iter().all(|delay| *delay <= BACKOFF.limit(5)));
        assert!(delays.iter().any(|delay| *delay != delays[0]));
    }
}
