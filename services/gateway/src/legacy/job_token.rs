//! Tokens of single jobs (deprecated). Whoever creates a job with `"jobToken": true` gets a
//! secret and computes from it, for each hour, an access token for that job alone:
//!
//! `base64(ALG) . base64({"date": YYYYMMDDHH}) . base64(ID) . hex(H(SECRET + ID + second part))`
//!
//! with H one of sha256, sha384, sha512, and the hour in UTC. The current hour and
//! the one before are accepted.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    extract::Request,
    http::{HeaderName, HeaderValue},
    middleware::Next,
    response::Response,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use compute_domain::{Timestamp, ids::JobId};
use ring::digest::{Algorithm, SHA256, SHA384, SHA512, digest};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use subtle::ConstantTimeEq as _;

/// RFC 9745: job tokens are deprecated since 2026-11-24.
const DEPRECATED_SINCE: HeaderValue = HeaderValue::from_static("@1795478400");

const HOUR: Duration = Duration::from_hours(1);

/// What the secret of the job `id` is sealed for.
pub fn purpose(id: &JobId) -> String {
    format!("job-token:{id}")
}

/// A new secret.
pub fn new_secret() -> SecretString {
    let random: [u8; 32] = rand::random();
    SecretString::from(hex::encode(random))
}

/// An access token, parsed and not verified.
#[derive(Debug)]
pub struct AccessToken {
    algorithm: &'static Algorithm,
    payload: String,
    date: u64,
    id: JobId,
    digest: String,
}

#[derive(Deserialize)]
struct Payload {
    date: u64,
}

impl AccessToken {
    /// Parses `text`; `None` if it is not an access token.
    pub fn decode(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let (algorithm, payload, id, digest) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        let algorithm = match decoded(algorithm)?.to_ascii_lowercase().as_str() {
            "sha256" => &SHA256,
            "sha384" => &SHA384,
            "sha512" => &SHA512,
            _ => return None,
        };
        let Payload { date } = serde_json::from_str(&decoded(payload)?).ok()?;
        Some(Self {
            algorithm,
            payload: payload.to_owned(),
            date,
            id: JobId::from_text(decoded(id)?),
            digest: digest.to_ascii_lowercase(),
        })
    }

    /// The job that it is for.
    pub fn job(&self) -> &JobId {
        &self.id
    }

    /// Whether it was computed from `secret`, this hour or the one before.
    pub fn is_valid(&self, secret: &SecretString, now: Timestamp) -> bool {
        let is_current = [now, now.minus(HOUR)]
            .into_iter()
            .any(|at| hour(at) == Some(self.date));
        let text = format!("{}{}{}", secret.expose_secret(), self.id, self.payload);
        let expected = hex::encode(digest(self.algorithm, text.as_bytes()));
        let is_same = expected.as_bytes().ct_eq(self.digest.as_bytes());
        bool::from(is_same) && is_current
    }
}

/// A flag on a request: a job token was accepted.
#[derive(Debug, Clone, Default)]
pub struct WasUsed(Arc<AtomicBool>);

impl WasUsed {
    /// Records that a job token was accepted.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Adds the header `Deprecation` (RFC 9745) to responses to requests with a job token.
pub async fn announce_deprecation(mut request: Request, next: Next) -> Response {
    let was_used = WasUsed::default();
    request.extensions_mut().insert(was_used.clone());
    let mut response = next.run(request).await;
    if was_used.0.load(Ordering::Relaxed) {
        let headers = response.headers_mut();
        headers.insert(HeaderName::from_static("deprecation"), DEPRECATED_SINCE);
    }
    response
}

fn decoded(part: &str) -> Option<String> {
    String::from_utf8(BASE64_STANDARD.decode(part).ok()?).ok()
}

/// `YYYYMMDDHH`, as a number.
fn hour(at: Timestamp) -> Option<u64> {
    let digits: String = at
        .to_iso()
        .chars()
        .take(13)
        .filter(char::is_ascii_digit)
        .collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    // 2026-11-23T18:14:19.167Z
    const NOW: i64 = 1_795_457_659_167;

    fn token(algorithm: &str, date: &str, id: &str, secret: &str) -> String {
        let payload = BASE64_STANDARD.encode(format!("{{\"date\": {date}}}"));
        let of = match algorithm.to_ascii_lowercase().as_str() {
            "sha384" => &SHA384,
            "sha512" => &SHA512,
            _ => &SHA256,
        };
        let text = format!("{secret}{id}{payload}");
        let digest = hex::encode(digest(of, text.as_bytes()));
        let encode = |text: &str| BASE64_STANDARD.encode(text);
        format!("{}.{payload}.{}.{digest}", encode(algorithm), encode(id))
    }

    fn is_valid(token: &str) -> bool {
        AccessToken::decode(token).is_some_and(|token| {
            token.is_valid(&SecretString::from("s3cret"), Timestamp::from_millis(NOW))
        })
    }

    #[test]
    fn this_hour_and_the_one_before() {
        for algorithm in ["sha256", "SHA384", "Sha512"] {
            assert!(is_valid(&token(algorithm, "2026112318", "id", "s3cret")));
        }
        assert!(is_valid(&token("sha256", "2026112317", "id", "s3cret")));
        for (date, secret) in [
            ("2026112316", "s3cret"),
            ("2026112319", "s3cret"),
            ("2026112318", "other"),
            ("\"2026112318\"", "s3cret"),
        ] {
            assert!(!is_valid(&token("sha256", date, "id", secret)), "{date}");
        }
        assert!(!is_valid(&token("md5", "2026112318", "id", "s3cret")));
    }

    #[test]
    fn a_token_that_was_changed_is_none() {
        let good = token("sha256", "2026112318", "id", "s3cret");
        let other_job = BASE64_STANDARD.encode("di");
        let parts: Vec<_> = good.split('.').collect();
        for changed in [
            format!("{}.{}.{other_job}.{}", parts[0], parts[1], parts[3]),
            format!("{}.{}.{}", parts[0], parts[1], parts[2]),
            format!("{good}.x"),
            good.replace(parts[3], "00"),
            "...".to_owned(),
            String::new(),
        ] {
            assert!(!is_valid(&changed), "{changed}");
        }
    }

    #[test]
    fn a_secret_is_long_and_new() {
        let (one, other) = (new_secret(), new_secret());
        assert_eq!(one.expose_secret().len(), 64);
        assert_ne!(one.expose_secret(), other.expose_secret());
    }
}
