//! How long to wait before trying again. Pure but for the jitter.

use std::time::Duration;

use compute_domain::Backoff;

const BACKOFF: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60));

/// The wait before try number `attempts` + 1: doubling from 1 s to 60 s.
pub fn backoff(attempts: u32) -> Duration {
    BACKOFF.limit(attempts.saturating_add(1))
}

/// Returns a random delay from half of `wait` to all of it, so that many waiters do not return at once.
pub fn jittered(wait: Duration) -> Duration {
    Backoff::new(wait, wait).delay(1)
}

/// Whether try number `attempts` gets an event: the first does, later ones ever more rarely.
pub fn is_worth_an_event(attempts: u32) -> bool {
    attempts.is_power_of_two()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_minute() {
        let seconds: Vec<_> = (0..8).map(|n| backoff(n).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(backoff(u32::MAX), Duration::from_secs(60));
    }

    #[test]
    fn of_100_tries_seven_get_an_event() {
        assert_eq!((1..=100).filter(|&n| is_worth_an_event(n)).count(), 7);
    }
}
