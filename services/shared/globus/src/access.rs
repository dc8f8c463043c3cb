//! Access tokens: got for a refresh token (RFC 6749, 6), kept until shortly before
//! their end, one question at a time for each identity.

use std::{collections::HashMap, sync::Arc, time::Duration};

use compute_domain::{Clock, Timestamp};
use reqwest::StatusCode;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::{GlobusError, GlobusOptions, Identity, retry::retry_after};

/// A token that ends within this time is as good as ended.
const MARGIN: Duration = Duration::from_secs(60);

#[derive(Debug, Clone)]
pub(crate) struct AccessTokens {
    http: reqwest::Client,
    options: Arc<GlobusOptions>,
    clock: Arc<dyn Clock>,
    kept: Arc<Mutex<HashMap<String, Place>>>,
}

/// Of one identity; locked while a token is got for it.
type Place = Arc<Mutex<Option<Kept>>>;

#[derive(Debug)]
struct Kept {
    /// Of another refresh token it is worth nothing.
    of: SecretString,
    access: SecretString,
    until: Timestamp,
}

/// What the Auth service answers, as far as it matters.
#[derive(Deserialize)]
pub(crate) struct TokenAnswer {
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
        Self {
            http,
            options,
            clock,
            kept: Arc::default(),
        }
    }

    pub(crate) async fn token(&self, who: &Identity) -> Result<SecretString, GlobusError> {
        let place = self.place(who).await;
        let mut kept = place.lock().await;
        let now = self.clock.now();
        if let Some(kept) = kept.as_ref()
            && kept.until > now
            && kept.of.expose_secret() == who.refresh_token.expose_secret()
        {
            return Ok(kept.access.clone());
        }
        let answer = self.refresh(who).await?;
        let lasts = Duration::from_secs(answer.expires_in).saturating_sub(MARGIN);
        *kept = Some(Kept {
            of: who.refresh_token.clone(),
            access: answer.access_token.clone(),
            until: now.plus(lasts),
        });
        Ok(answer.access_token)
    }

    pub(crate) async fn forget(&self, who: &Identity) {
        *self.place(who).await.lock().await = None;
    }

    async fn place(&self, who: &Identity) -> Place {
        let mut kept = self.kept.lock().await;
        Arc::clone(kept.entry(who.name.clone()).or_default())
    }

    async fn refresh(&self, who: &Identity) -> Result<TokenAnswer, GlobusError> {
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
) -> Result<TokenAnswer, GlobusError> {
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
