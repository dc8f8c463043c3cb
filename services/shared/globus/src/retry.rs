//! How often Globus is asked again, and after which pause.

use std::time::Duration;

use rand::RngExt as _;
use reqwest::header::{HeaderMap, RETRY_AFTER};

use crate::GlobusError;

/// Tries of one question at the most.
const TRIES: u32 = 4;

/// Longest pause before the second try; doubles from try to try.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// A wait that is longer than this is the caller's.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// What one question has used up.
#[derive(Debug, Default)]
pub(crate) struct Patience {
    tries: u32,
    was_refused: bool,
}

impl Patience {
    /// True once.
    pub(crate) fn first_refusal(&mut self) -> bool {
        !std::mem::replace(&mut self.was_refused, true)
    }

    /// How long to wait before asking again; `None` if it is no use.
    pub(crate) fn pause_after(&mut self, error: &GlobusError) -> Option<Duration> {
        self.tries += 1;
        if !error.is_transient() || self.tries >= TRIES {
            return None;
        }
        if let GlobusError::TooOften {
            retry_after: Some(wait),
        } = error
        {
            return (*wait <= LONGEST_PAUSE).then_some(*wait);
        }
        let longest = FIRST_PAUSE * 2_u32.pow(self.tries - 1);
        Some(rand::rng().random_range(longest / 2..=longest))
    }
}

/// `Retry-After` in seconds (RFC 9110, 10.2.3).
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?;
    value.trim().parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asked_four_times_at_the_most_and_never_after_a_refusal() {
        let away = GlobusError::Away("x".to_owned());
        let mut patience = Patience::default();
        let pauses: Vec<_> = std::iter::from_fn(|| patience.pause_after(&away)).collect();
        assert_eq!(pauses.len(), 3);
        assert!(pauses[2] > Duration::from_millis(999) && pauses[2] <= Duration::from_secs(2));
        let refused = GlobusError::Refused {
            code: "PermissionDenied".to_owned(),
            message: String::new(),
        };
        assert_eq!(Patience::default().pause_after(&refused), None);
    }

    #[test]
    fn what_globus_says_is_waited_for_unless_it_is_long() {
        let too_often = |seconds| GlobusError::TooOften {
            retry_after: Some(Duration::from_secs(seconds)),
        };
        let pause = |seconds| Patience::default().pause_after(&too_often(seconds));
        assert_eq!(pause(3), Some(Duration::from_secs(3)));
        assert_eq!(pause(60), None);
    }
}
