//! Access tokens: issued for a refresh token (RFC 6749, 6), kept until shortly before they
//! expire, one request at a time for each identity.

use std::{sync::Arc, time::Duration};

use compute_domain::{Clock, Timestamp};
use moka::{future::Cache, ops::compute::Op};
use reqwest::StatusCode;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::{GlobusError, GlobusOptions, Identity, retry::retry_after};

/// A token that expires within this time is replaced.
const MARGIN: Duration = Duration::from_secs(60);

/// Identities whose access tokens are kept.
const CAPACITY: u64 = 1_000;

/// Access tokens are kept no longer than this, whatever they say themselves.
const LONGEST: Duration = Duration::from_hours(48);

/// The access tokens of all identities. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct AccessTokens {
    http: reqwest::Client,
    options: Arc<GlobusOptions>,
    clock: Arc<dyn Clock>,
    tokens: Cache<String, AccessToken>,
}

#[derive(Debug, Clone)]
struct AccessToken {
    /// The refresh token that it was issued for. With another one it is not used.
    refresh_token: SecretString,
    secret: SecretString,
    expires_at: Timestamp,
}

impl AccessToken {
    fn is_valid(&self, who: &Identity, now: Timestamp) -> bool {
        self.expires_at > now
            && self.refresh_token.expose_secret() == who.refresh_token.expose_secret()
    }
}

/// The response of the token endpoint.
#[derive(Deserialize)]
pub(crate) struct TokenResponse {
    pub(crate) access_token: SecretString,
    pub(crate) expires_in: u64,
    pub(crate) refresh_token: Option<SecretString>,
}

impl AccessTokens {
    pub(crate) fn new(
        http: reqwest::Client,
        options: Arc<GlobusOptions>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let tokens = Cache::builder()
            .max_capacity(CAPACITY)
            .time_to_live(LONGEST)
            .build();
        Self {
            http,
            options,
            clock,
            tokens,
        }
    }

    /// Returns a valid access token of `who`. Callers that need a new one at the same time
    /// share one request.
    pub(crate) async fn token(&self, who: &Identity) -> Result<SecretString, GlobusError> {
        if let Some(token) = self.tokens.get(&who.name).await
            && token.is_valid(who, self.clock.now())
        {
            return Ok(token.secret);
        }
        let entry = self.tokens.entry_by_ref(&who.name);
        let entry = entry
            .and_try_compute_with(async |entry| {
                // Others may have been waited for.
                let now = self.clock.now();
                if entry.is_some_and(|entry| entry.value().is_valid(who, now)) {
                    return Ok(Op::Nop);
                }
                let response = self.refresh(who).await?;
                let lifetime = Duration::from_secs(response.expires_in).saturating_sub(MARGIN);
                Ok::<_, GlobusError>(Op::Put(AccessToken {
                    refresh_token: who.refresh_token.clone(),
                    secret: response.access_token,
                    expires_at: now.plus(lifetime),
                }))
            })
            .await?
            .into_entry();
        let token = entry.ok_or_else(|| GlobusError::Odd("no access token".to_owned()))?;
        Ok(token.into_value().secret)
    }

    /// Forgets the access token of `who`.
    pub(crate) async fn forget(&self, who: &Identity) {
        self.tokens.invalidate(&who.name).await;
    }

    async fn refresh(&self, who: &Identity) -> Result<TokenResponse, GlobusError> {
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", who.refresh_token.expose_secret()),
            ("client_id", &self.options.client_id),
        ];
        ask_for_token(&self.http, &self.options, &form, &who.name).await
    }
}

/// One question to the token endpoint.
pub(crate) async fn ask_for_token(
    http: &reqwest::Client,
    options: &GlobusOptions,
    form: &[(&str, &str)],
    identity: &str,
) -> Result<TokenResponse, GlobusError> {
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .finish();
    let request = http
        .post(format!("{}/v2/oauth2/token", options.auth_url))
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(body);
    let answer = request.send().await.map_err(GlobusError::away)?;
    match answer.status() {
        status if status.is_success() => answer.json().await.map_err(GlobusError::away),
        StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            Err(GlobusError::TokenRefused {
                identity: identity.to_owned(),
            })
        }
        status => {
            let retry_after = retry_after(answer.headers());
            let body = answer.json().await.unwrap_or_default();
            Err(GlobusError::of_answer(status, &body, retry_after))
        }
    }
}
