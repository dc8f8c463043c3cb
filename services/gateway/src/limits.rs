//! What one user may ask for: requests a minute, and the size of what is kept.
//! Each gateway counts for itself.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use compute_config::Limits;
use compute_domain::ids::UserId;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock as _};
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use crate::{error::GatewayError, meters};

/// Longest name of a parameter or variable, characters.
const NAME_LIMIT: usize = 255;

/// Largest value of a parameter or variable, bytes of JSON.
const VALUE_LIMIT: usize = 64 << 10;

/// Most names in one of `param`, `env`, `slurm`.
const NAMES_LIMIT: usize = 1000;

/// Largest `param` or `env`, bytes of JSON.
pub const MAP_LIMIT: usize = 256 << 10;

/// Largest `slurm`, bytes of JSON.
pub const SLURM_LIMIT: usize = 16 << 10;

/// Largest `localExecutableFolder` or `localDataFolder`, bytes of JSON.
pub const FOLDER_LIMIT: usize = 8 << 10;

/// How often users that no longer ask are looked for.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Counts the requests of each user.
pub struct RequestRate {
    per_minute: u32,
    limiter: DefaultKeyedRateLimiter<UserId>,
}

impl RequestRate {
    /// With these limits.
    pub fn new(limits: &Limits) -> Self {
        let per_minute = NonZeroU32::new(limits.requests_per_minute).unwrap_or(NonZeroU32::MIN);
        Self {
            per_minute: per_minute.get(),
            limiter: RateLimiter::keyed(Quota::per_minute(per_minute)),
        }
    }

    /// Counts a request of `user`.
    ///
    /// # Errors
    /// If there were too many within a minute.
    pub fn admit(&self, user: &UserId) -> Result<(), GatewayError> {
        self.limiter.check_key(user).map_err(|not_before| {
            meters::too_many_requests();
            let wait = not_before.wait_time_from(self.limiter.clock().now());
            GatewayError::TooManyRequests {
                per_minute: self.per_minute,
                retry_after: wait.as_secs() + 1,
            }
        })
    }
}

/// Forgets users that have not asked for a while, again and again until `stop`.
pub async fn forget_idle(rate: Arc<RequestRate>, stop: CancellationToken) {
    let mut tick = tokio::time::interval(LOOK_EVERY);
    while stop.run_until_cancelled(tick.tick()).await.is_some() {
        rate.limiter.retain_recent();
        rate.limiter.shrink_to_fit();
    }
}

/// Whether the values of `param`, `env` or `slurm` may be kept: no more than `limit` bytes in
/// all. What counts is the JSON that is kept, which can be larger than the JSON that was sent.
///
/// # Errors
/// Naming the limit.
pub fn check_values(
    field: &str,
    values: &Map<String, Value>,
    limit: usize,
) -> Result<(), GatewayError> {
    let refuse = |words: String| Err(GatewayError::Refused(words));
    if values.len() > NAMES_LIMIT {
        return refuse(format!("{field} holds more than {NAMES_LIMIT} names"));
    }
    for (name, value) in values {
        if name.chars().count() > NAME_LIMIT {
            return refuse(format!(
                "{field} holds a name of more than {NAME_LIMIT} characters"
            ));
        }
        if name.chars().any(char::is_control) {
            return refuse(format!("{field} holds a name with control characters"));
        }
        if value.to_string().len() > VALUE_LIMIT {
            return refuse(format!(
                "{field} {name} is larger than {VALUE_LIMIT} bytes: put it into a file"
            ));
        }
    }
    check_bytes(
        field,
        serde_json::to_string(values).map(|text| text.len()).ok(),
        limit,
    )
}

/// Whether a value may be kept: no more than `limit` bytes of JSON.
///
/// # Errors
/// Naming the limit.
pub fn check_size(field: &str, value: Option<&Value>, limit: usize) -> Result<(), GatewayError> {
    check_bytes(field, value.map(|value| value.to_string().len()), limit)
}

fn check_bytes(field: &str, bytes: Option<usize>, limit: usize) -> Result<(), GatewayError> {
    if bytes.is_none_or(|bytes| bytes <= limit) {
        return Ok(());
    }
    Err(GatewayError::Refused(format!(
        "{field} is larger than {limit} bytes: put large values into a file"
    )))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_user_has_a_rate_of_their_own() {
        let rate = RequestRate::new(&Limits {
            requests_per_minute: 3,
            open_jobs: 1,
            draft_bytes: 1,
            refused_tokens_per_minute: 1,
        });
        let (alice, bob) = (UserId::new("alice", "h"), UserId::new("bob", "h"));
        for _ in 0..3 {
            rate.admit(&alice).unwrap();
        }
        let refused = rate.admit(&alice).unwrap_err().to_string();
        assert!(refused.contains("3 requests a minute"), "{refused}");
        rate.admit(&bob).unwrap();
    }

    #[test]
    fn names_and_values_are_bounded() {
        let check = |values: Value| check_values("env", values.as_object().unwrap(), MAP_LIMIT);
        let many: Map<_, _> = (0..1001).map(|n| (format!("n{n}"), json!(1))).collect();
        let large: Map<_, _> = (0..5)
            .map(|n| (format!("n{n}"), json!("x".repeat(60_000))))
            .collect();
        for (values, words) in [
            (json!({"a".repeat(256): 1}), "255 characters"),
            (json!({"a\nb": 1}), "control characters"),
            (json!({"a": "x".repeat(65_536)}), "65536 bytes"),
            (Value::Object(many), "1000 names"),
            (Value::Object(large), "262144 bytes"),
            (json!({"grows": vec![1e15; 10_000]}), "65536 bytes"),
        ] {
            let refused = check(values).unwrap_err().to_string();
            assert!(refused.contains(words), "{refused}");
        }
        check(json!({"a".repeat(255): "x".repeat(65_000), "größe": "\n"})).unwrap();
        let folder = json!({"type": "local", "path": "x".repeat(FOLDER_LIMIT)});
        let refused = check_size("localDataFolder", Some(&folder), FOLDER_LIMIT);
        let refused = refused.unwrap_err().to_string();
        assert!(
            refused.contains("localDataFolder is larger than 8192 bytes"),
            "{refused}"
        );
    }
}
