//! Asks hubs whom a token belongs to (JupyterHub REST API, `GET /hub/api/user`).
//!
//! Only hubs of `jupyter-globus-map.json` are asked, over the configured scheme.
//! Responses are cached for a while, rejections for a shorter one, and concurrent lookups
//! of one token are one request. If the hub does not respond, the token is not rejected.
//!
//! Tokens belong to users and to services of a hub, which may have the same names: the
//! answer's `kind` tells them apart.

use std::{
    collections::{BTreeMap, hash_map::RandomState},
    hash::BuildHasher as _,
    net::IpAddr,
    sync::Arc,
    time::Duration,
};

use compute_domain::{ids::UserId, printable::printable, site::Hub};
use moka::{Expiry, future::Cache};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::HubToken;
use crate::{
    meters::{self, HubRequest},
    rejected_tokens::RejectedTokens,
};

const TIMEOUT: Duration = Duration::from_secs(5);
const KEPT: Duration = Duration::from_secs(60);
const REFUSAL_KEPT: Duration = Duration::from_secs(10);
const MOST_KEPT: u64 = 10_000;
const GOOD_KEPT: Duration = Duration::from_hours(24);
const MOST_GOOD: u64 = 100_000;

/// Why the caller is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HubError {
    /// The token names no hub of this deployment.
    #[error("the token's host is not in the list of hubs")]
    UnknownHost,
    /// The hub rejects the token.
    #[error("the hub refuses the token")]
    Refused,
    /// The token is good, but its holder cannot be a user here.
    #[error("{0}")]
    NotAUser(String),
    /// The hub does not respond, or not as a hub does.
    #[error("the hub {0} does not answer")]
    Away(String),
    /// Too many tokens of the client's address were rejected.
    #[error("too many tokens were refused: try again in {retry_after} s")]
    TooMany {
        /// Seconds.
        retry_after: u64,
    },
}

/// A user of a hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubUser {
    /// `NAME@HOST`.
    pub id: UserId,
    /// NAME; `service:NAME` of a service.
    pub name: String,
    /// The hub.
    pub hub: Hub,
}

/// Whose a token is, or why it is refused.
type Kept = Result<Arc<HubUser>, HubError>;
type Key = (String, u64, u64);

#[derive(Debug)]
struct ByOutcome;

impl Expiry<Key, Kept> for ByOutcome {
    fn expire_after_create(
        &self,
        _key: &Key,
        value: &Kept,
        _now: std::time::Instant,
    ) -> Option<Duration> {
        Some(if value.is_ok() { KEPT } else { REFUSAL_KEPT })
    }
}

/// Client of all hubs. Cheap to clone.
#[derive(Clone)]
pub struct HubClient {
    http: reqwest::Client,
    hubs: Arc<BTreeMap<String, Hub>>,
    known: Cache<Key, Kept>,
    /// Tokens that were good: asked about again, they do not count as rejected.
    were_good: Cache<Key, ()>,
    rejected_tokens: Arc<RejectedTokens>,
    // Two random keys: tokens themselves are not kept.
    hashers: Arc<(RandomState, RandomState)>,
}

#[derive(Deserialize)]
struct HubModel {
    name: String,
    kind: Option<String>,
}

impl HubClient {
    /// A client of `hubs`, by host, limited by `rejected_tokens`.
    ///
    /// # Errors
    /// If the HTTP client cannot be made.
    pub fn new(
        hubs: BTreeMap<String, Hub>,
        rejected_tokens: Arc<RejectedTokens>,
    ) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()?;
        let known = Cache::builder()
            .max_capacity(MOST_KEPT)
            .expire_after(ByOutcome)
            .build();
        let were_good = Cache::builder()
            .max_capacity(MOST_GOOD)
            .time_to_idle(GOOD_KEPT)
            .build();
        Ok(Self {
            http,
            hubs: Arc::new(hubs),
            known,
            were_good,
            rejected_tokens,
            hashers: Arc::default(),
        })
    }

    /// The user of that id, if their hub is still one of ours. The hub is not asked.
    pub fn known_user(&self, id: &UserId) -> Option<HubUser> {
        let (_, host) = id.as_str().rsplit_once('@')?;
        Some(HubUser {
            id: id.clone(),
            name: id.name().to_owned(),
            hub: self.hubs.get(host)?.clone(),
        })
    }

    /// Who `token` belongs to, which came from `client`.
    ///
    /// # Errors
    /// [`HubError`].
    pub async fn user(&self, token: &HubToken, client: IpAddr) -> Result<Arc<HubUser>, HubError> {
        let hub = self.hubs.get(&token.host).ok_or(HubError::UnknownHost)?;
        let secret = token.token.expose_secret();
        let (one, two) = &*self.hashers;
        let key = (
            token.host.clone(),
            one.hash_one(secret),
            two.hash_one(secret),
        );
        if let Some(kept) = self.known.get(&key).await {
            meters::kept_lookup(kept.is_ok());
            return kept;
        }
        let ask = self.ask_within_limit(hub, &token.token, &key, client);
        match self.known.try_get_with_by_ref(&key, ask).await {
            Ok(kept) => kept,
            Err(error) => Err((*error).clone()),
        }
    }

    /// Asks, unless too many tokens of the client's address were rejected. A token that was
    /// valid is always looked up: others behind the same address cannot shut its owner out.
    async fn ask_within_limit(
        &self,
        hub: &Hub,
        token: &SecretString,
        key: &Key,
        client: IpAddr,
    ) -> Result<Kept, HubError> {
        let was_good = self.were_good.get(key).await.is_some();
        let _turn = if was_good {
            None
        } else {
            Some(
                self.rejected_tokens
                    .turn(client)
                    .await
                    .map_err(|retry_after| {
                        meters::too_many_refused_tokens();
                        HubError::TooMany { retry_after }
                    })?,
            )
        };
        let request = HubRequest::begin(&hub.host);
        let answer = self.ask(hub, token).await;
        request.end(&answer);
        match &answer {
            Ok(Ok(_)) => self.were_good.insert(key.clone(), ()).await,
            Ok(Err(HubError::Refused)) => {
                self.were_good.invalidate(key).await;
                self.rejected_tokens.count(client);
            }
            Ok(Err(_)) | Err(_) => {}
        }
        answer
    }

    async fn ask(&self, hub: &Hub, token: &SecretString) -> Result<Kept, HubError> {
        let away = |reason: String| {
            tracing::warn!(hub = hub.host, reason, "hub does not answer");
            HubError::Away(hub.host.clone())
        };
        let secret = token.expose_secret();
        // What cannot stand in a header cannot be a token.
        if secret.is_empty() || !secret.bytes().all(|b| b.is_ascii_graphic()) {
            return Ok(Err(HubError::Refused));
        }
        let url = format!("{}://{}/hub/api/user", hub.scheme.as_str(), hub.host);
        let request = self
            .http
            .get(url)
            .header("Authorization", format!("token {secret}"));
        let answer = request
            .send()
            .await
            .map_err(|e| away(e.without_url().to_string()))?;
        match answer.status().as_u16() {
            200 => {}
            401 | 403 | 404 => return Ok(Err(HubError::Refused)),
            status => return Err(away(format!("status {status}"))),
        }
        let answer: HubModel = answer
            .json()
            .await
            .map_err(|e| away(e.without_url().to_string()))?;
        Ok(user_of(answer, hub).map(Arc::new))
    }
}

/// A token without a `kind` is a user's: hubs name the kind of services (JupyterHub 0.8 and
/// later), and proxies that stand in for a hub have users only.
fn user_of(answer: HubModel, hub: &Hub) -> Result<HubUser, HubError> {
    let HubModel { name, kind } = answer;
    let shown = printable(&name.chars().take(80).collect::<String>(), false);
    let id = match kind.as_deref() {
        None | Some("user") => UserId::of_user(&name, &hub.host),
        Some("service") if hub.services.contains(&name) => UserId::of_service(&name, &hub.host),
        Some(_) => {
            return Err(HubError::NotAUser(format!(
                "the token is of the service {shown} of {}, not of a user: use a user's token, or \
                 ask the operator to list the service",
                hub.host
            )));
        }
    };
    let id = id.map_err(|reason| {
        HubError::NotAUser(format!("the name {shown} cannot be a user here: {reason}"))
    })?;
    Ok(HubUser {
        name: id.name().to_owned(),
        id,
        hub: hub.clone(),
    })
}

#[cfg(test)]
mod tests;
