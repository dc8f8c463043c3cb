//! The caller and the body of a request, both checked, as an extractor.

use std::{marker::PhantomData, sync::Arc};

use axum::{
    RequestExt as _,
    extract::{FromRequest, RawPathParams, Request},
};
use compute_domain::ids::JobId;
use serde_json::{Map, Value};

use super::{
    HubError, HubToken, Refusals,
    hub::HubUser,
    job_token::{self, AccessToken, WasUsed},
};
use crate::{
    body,
    client_address::client_address,
    error::GatewayError,
    schema::{ACCESS_TOKEN, Schema, TOKEN, check},
    state::AppState,
};

/// A request whose body fits the schema `S` and whose caller is known; if not, the
/// route refuses as `R` says, and the handler does not run.
#[derive(Debug)]
pub struct Authorized<R, S> {
    /// Who is calling.
    pub user: Arc<HubUser>,
    /// The body's fields, without the token; no field is `null`.
    pub body: Map<String, Value>,
    /// Whether the caller has shown the token of the job in the path, and nothing that
    /// opens anything else of its owner.
    pub by_job_token: bool,
    way: PhantomData<(R, S)>,
}

impl<R: Refusals, S: Schema> FromRequest<AppState> for Authorized<R, S> {
    type Rejection = GatewayError;

    async fn from_request(mut request: Request, state: &AppState) -> Result<Self, GatewayError> {
        let client = client_address(&state.site.server.trusted_proxies, &request);
        let from_header = HubToken::from_headers(request.headers());
        let about = job_in_path(&mut request).await;
        let was_used = request.extensions().get::<WasUsed>().cloned();
        let mut body = body::read(request).await?;
        let access_token = body
            .get(ACCESS_TOKEN)
            .and_then(Value::as_str)
            .filter(|_| R::TAKES_JOB_TOKENS && !body.contains_key(TOKEN))
            .map(str::to_owned);
        check(
            S::FIELDS,
            &body,
            from_header.is_some() || access_token.is_some(),
        )
        .map_err(GatewayError::InvalidInput)?;
        body.retain(|_, value| !value.is_null());
        let token = match body.remove(TOKEN) {
            Some(Value::String(encoded)) => HubToken::decode(&encoded),
            _ => from_header,
        };
        let by_job_token = access_token.is_some();
        let user = match (access_token, about) {
            (Some(token), Some(job)) => {
                let user = owner(state, &token, &job).await?;
                if let Some(was_used) = was_used.filter(|_| user.is_some()) {
                    was_used.set();
                }
                user.ok_or(HubError::Refused)
            }
            // A token that cannot be read names no hub.
            _ => match token {
                Some(token) => state.hubs.user(&token, client).await,
                None => Err(HubError::UnknownHost),
            },
        };
        let user = user.map_err(R::refuse)?;
        state.rate.admit(&user.id)?;
        Ok(Self {
            user,
            body,
            by_job_token,
            way: PhantomData,
        })
    }
}

async fn job_in_path(request: &mut Request) -> Option<JobId> {
    let params = request.extract_parts::<RawPathParams>().await.ok()?;
    let id = params.iter().find(|(name, _)| *name == "id")?;
    Some(JobId::from_text(id.1))
}

/// The owner of `job`, if the token was made for it.
async fn owner(
    state: &AppState,
    token: &str,
    job: &JobId,
) -> Result<Option<Arc<HubUser>>, GatewayError> {
    let Some(token) = AccessToken::decode(token).filter(|token| token.job() == job) else {
        return Ok(None);
    };
    if !state.site.server.job_tokens {
        return Ok(None);
    }
    let Some(job) = state.store.job(job).await? else {
        return Ok(None);
    };
    let sealed = job.secret_token.as_deref().unwrap_or_default();
    let Ok(secret) = state.seal.open(sealed, &job_token::purpose(&job.id)) else {
        return Ok(None);
    };
    let is_valid = token.is_valid(&secret, state.clock.now());
    let owner = state.hubs.known_user(&job.user_id);
    Ok(owner.filter(|_| is_valid).map(Arc::new))
}
