//! Limits of one user: requests a minute, which each gateway counts for itself, and the
//! number and size of a job's values and names.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use compute_config::Limits;
use compute_domain::ids::UserId;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock as _};
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use crate::{
    error::{GatewayError, ValueRejection},
    meters,
};

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

/// How often users without recent requests are dropped.
const CLEAN_EVERY: Duration = Duration::from_secs(60);

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

/// Drops users without recent requests until `stop`.
pub async fn drop_idle(rate: Arc<RequestRate>, stop: CancellationToken) {
    let mut tick = tokio::time::interval(CLEAN_EVERY);
    while stop.run_until_cancelled(tick.tick()).await.is_some() {
        rate.limiter.retain_recent();
        rate.limiter.shrink_to_fit();
    }
}

/// Checks the name of a job or folder, which is stored and shown.
///
/// # Errors
/// [`ValueRejection`] if it is too long or contains control characters.
pub fn check_name(name: Option<&str>) -> Result<(), ValueRejection> {
    let name = name.unwrap_or_default();
    if name.chars().count() > compute_db::NAME_LIMIT {
        return Err(ValueRejection::LongName(compute_db::NAME_LIMIT));
    }
    if name.chars().any(char::is_control) {
        return Err(ValueRejection::ControlCharactersInName);
    }
    Ok(())
}

/// Checks the values of `param`, `env` or `slurm`: at most `limit` bytes together. The stored
/// JSON counts, which can be larger than the JSON that was sent.
///
/// # Errors
/// [`ValueRejection`] with the limit that is exceeded.
pub fn check_values(
    field: &'static str,
    values: &Map<String, Value>,
    limit: usize,
) -> Result<(), ValueRejection> {
    if values.len() > NAMES_LIMIT {
        let limit = NAMES_LIMIT;
        return Err(ValueRejection::TooManyNames { field, limit });
    }
    for (name, value) in values {
        if name.chars().count() > NAME_LIMIT {
            let limit = NAME_LIMIT;
            return Err(ValueRejection::LongKey { field, limit });
        }
        if name.chars().any(char::is_control) {
            return Err(ValueRejection::ControlCharactersInKey { field });
        }
        if value.to_string().len() > VALUE_LIMIT {
            return Err(ValueRejection::LargeValue {
                field,
                name: name.clone(),
                limit: VALUE_LIMIT,
            });
        }
    }
    check_bytes(
        field,
        serde_json::to_string(values).map(|text| text.len()).ok(),
        limit,
    )
}

/// Checks an object: at most `limit` bytes of JSON.
///
/// # Errors
/// [`ValueRejection::LargeObject`] if it is larger.
pub fn check_size(
    field: &'static str,
    values: Option<&Map<String, Value>>,
    limit: usize,
) -> Result<(), ValueRejection> {
    let bytes = values.and_then(|values| serde_json::to_string(values).ok());
    check_bytes(field, bytes.map(|text| text.len()), limit)
}

fn check_bytes(
    field: &'static str,
    bytes: Option<usize>,
    limit: usize,
) -> Result<(), ValueRejection> {
    if bytes.is_none_or(|bytes| bytes <= limit) {
        return Ok(());
    }
    Err(ValueRejection::LargeObject { field, limit })
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
        let refused = check_size("localDataFolder", folder.as_object(), FOLDER_LIMIT);
        let refused = refused.unwrap_err().to_string();
        assert!(
            refused.contains("localDataFolder is larger than 8192 bytes"),
            "{refused}"
        );
    }
}
