//! A circuit breaker for logins: it protects a login node that is down or rejects the
//! logins. Pure: the caller passes time and randomness.
//!
//! Closed: logins are allowed. After a failure it is open for 1 s, and twice as long
//! after each further failure, up to 60 s. Then it is half-open: one login attempt is
//! allowed, and its result closes or opens it.

use std::time::Duration;

use compute_domain::Timestamp;

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Time after which an attempt without a result (its task has died) is ignored.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(60);

/// Whether login attempts are allowed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Breaker {
    state: State,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
enum State {
    #[default]
    Closed,
    Open {
        failures: u32,
        until: Timestamp,
        reason: String,
    },
    HalfOpen {
        failures: u32,
        since: Timestamp,
        reason: String,
    },
}

/// A rejected attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pause {
    /// Time until the next attempt is allowed.
    pub(crate) left: Duration,
    /// Why the last login failed.
    pub(crate) reason: String,
}

impl Breaker {
    /// Admits a login attempt. The caller must then call either
    /// [`succeeded`](Self::succeeded) or [`failed`](Self::failed).
    ///
    /// # Errors
    /// [`Pause`] if no attempt is allowed now.
    pub(crate) fn admit(&mut self, now: Timestamp) -> Result<(), Pause> {
        match &self.state {
            State::Closed => Ok(()),
            State::Open { until, reason, .. } if now < *until => Err(Pause {
                left: until.since(now),
                reason: reason.clone(),
            }),
            State::HalfOpen { since, reason, .. } if now.since(*since) < ATTEMPT_TIMEOUT => {
                Err(Pause {
                    left: FIRST_PAUSE,
                    reason: reason.clone(),
                })
            }
            State::Open {
                failures, reason, ..
            }
            | State::HalfOpen {
                failures, reason, ..
            } => {
                self.state = State::HalfOpen {
                    failures: *failures,
                    since: now,
                    reason: reason.clone(),
                };
                Ok(())
            }
        }
    }

    /// Why the last login failed; `None` after a success.
    pub(crate) fn trouble(&self) -> Option<&str> {
        match &self.state {
            State::Closed => None,
            State::Open { reason, .. } | State::HalfOpen { reason, .. } => Some(reason),
        }
    }

    /// A login has succeeded.
    pub(crate) fn succeeded(&mut self) {
        self.state = State::Closed;
    }

    /// A login has failed. `chance` (0 to 1) spreads the next attempts of many
    /// connectors over time.
    pub(crate) fn failed(&mut self, now: Timestamp, reason: &str, chance: f64) {
        let failures = match &self.state {
            State::Closed => 1,
            // This attempt was admitted together with the first one.
            State::Open { failures, .. } => *failures,
            State::HalfOpen { failures, .. } => failures.saturating_add(1),
        };
        let pause = FIRST_PAUSE
            .saturating_mul(1 << (failures - 1).min(10))
            .min(LONGEST_PAUSE);
        let until = now.plus(pause.mul_f64(0.75 + chance.clamp(0.0, 1.0) / 2.0));
        self.state = State::Open {
            failures,
            until,
            reason: reason.to_owned(),
        };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MIDDLE: f64 = 0.5;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    #[test]
    fn a_failure_pauses_and_a_success_closes() {
        let mut breaker = Breaker::default();
        assert_eq!(breaker.admit(at(0)), Ok(()));
        breaker.failed(at(0), "connection refused", MIDDLE);
        let pause = breaker.admit(at(0)).unwrap_err();
        let expected = Pause {
            left: Duration::from_secs(1),
            reason: "connection refused".to_owned(),
        };
        assert_eq!(pause, expected);
        assert_eq!(breaker.admit(at(1)), Ok(()));
        assert_eq!(breaker.trouble(), Some("connection refused"));
        breaker.succeeded();
        assert_eq!(breaker, Breaker::default());
        assert_eq!(breaker.trouble(), None);
    }

    #[test]
    fn half_open_admits_one() {
        let mut breaker = Breaker::default();
        breaker.failed(at(0), "no", MIDDLE);
        assert_eq!(breaker.admit(at(1)), Ok(()));
        assert!(breaker.admit(at(1)).is_err(), "an attempt is in progress");
        assert_eq!(breaker.admit(at(61)), Ok(()), "that attempt is lost");
    }

    #[test]
    fn logins_admitted_together_count_once() {
        let mut breaker = Breaker::default();
        breaker.failed(at(0), "no", MIDDLE);
        breaker.failed(at(0), "no", MIDDLE);
        assert_eq!(breaker.admit(at(1)), Ok(()));
    }

    #[test]
    fn pauses_double_up_to_a_minute() {
        let mut breaker = Breaker::default();
        let mut now = at(0);
        let mut pauses = Vec::new();
        for _ in 0..9 {
            breaker.admit(now).unwrap();
            breaker.failed(now, "no", MIDDLE);
            let left = breaker.admit(now).unwrap_err().left;
            pauses.push(left.as_secs());
            now = now.plus(left);
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    }

    proptest! {
        #[test]
        fn a_dead_login_node_sees_few_attempts_an_hour(
            chances in prop::collection::vec(0.0_f64..1.0, 400),
            every_ms in 1_u64..5000,
        ) {
            let mut breaker = Breaker::default();
            let (mut now, mut login_attempts, mut chances) = (at(0), 0, chances.into_iter().cycle());
            while now < at(3600) {
                if breaker.admit(now).is_ok() {
                    login_attempts += 1;
                    breaker.failed(now, "no", chances.next().unwrap());
                }
                now = now.plus(Duration::from_millis(every_ms));
            }
            prop_assert!(login_attempts < 90, "{login_attempts} logins in an hour");
        }
    }
}
