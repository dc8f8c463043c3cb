//! How often a request to Globus is repeated, and after which delay.

use std::time::Duration;

use compute_domain::Backoff;
use reqwest::header::{HeaderMap, RETRY_AFTER};

use crate::GlobusError;

/// Attempts of one request.
const ATTEMPTS: u32 = 4;

/// Delay before a request is repeated.
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(2));

/// Longest `Retry-After` that is waited for here. A longer one is the caller's to wait for.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(10);

/// What one request has used up.
#[derive(Debug, Default)]
pub(crate) struct Retries {
    failures: u32,
    token_was_rejected: bool,
}

impl Retries {
    /// Returns true the first time only: the access token is replaced once.
    pub(crate) fn first_rejected_token(&mut self) -> bool {
        !std::mem::replace(&mut self.token_was_rejected, true)
    }

    /// Returns the delay before the next attempt, or `None` if there is no use in one.
    pub(crate) fn delay_after(&mut self, error: &GlobusError) -> Option<Duration> {
        self.failures += 1;
        if !error.is_transient() || self.failures >= ATTEMPTS {
            return None;
        }
        if let GlobusError::TooOften {
            retry_after: Some(wait),
        } = error
        {
            return (*wait <= LONGEST_RETRY_AFTER).then_some(*wait);
        }
        Some(BACKOFF.delay(self.failures))
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
    fn a_request_is_made_four_times_and_not_again_after_a_refusal() {
        let away = GlobusError::Away("x".to_owned());
        let mut retries = Retries::default();
        let delays: Vec<_> = std::iter::from_fn(|| retries.delay_after(&away)).collect();
        assert_eq!(delays.len(), 3);
        let refused = GlobusError::Refused {
            code: "PermissionDenied".to_owned(),
            message: String::new(),
        };
        assert_eq!(Retries::default().delay_after(&refused), None);
    }

    #[test]
    fn retry_after_is_waited_for_unless_it_is_long() {
        let too_often = |seconds| GlobusError::TooOften {
            retry_after: Some(Duration::from_secs(seconds)),
        };
        let delay = |seconds| Retries::default().delay_after(&too_often(seconds));
        assert_eq!(delay(3), Some(Duration::from_secs(3)));
        assert_eq!(delay(60), None);
    }

    #[test]
    fn a_token_is_replaced_once() {
        let mut retries = Retries::default();
        assert!(retries.first_rejected_token());
        assert!(!retries.first_rejected_token());
    }
}
