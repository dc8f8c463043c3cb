//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a client that got no answer
//! sends the request again with the same key, and gets the answer to the first one. The request
//! has its effect once, also if a gateway was killed between effect and answer.
//!
//! One layer around the routes: it reserves the key for the caller, runs the handler, and
//! records a successful answer, sealed. A rejected request had no effect, and is not recorded.
//! Without the header nothing changes.

mod key;

use std::{collections::BTreeMap, time::Duration};

use axum::{
    body::{Body, Bytes},
    extract::{FromRequestParts, MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header::CONTENT_TYPE, request::Parts},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use compute_db::{IdempotencyKey, Reservation, Store};
use compute_domain::ids::JobId;
use ring::digest::{SHA256, digest};
use secrecy::{ExposeSecret as _, SecretString};
use tokio_util::sync::CancellationToken;
use utoipa::IntoParams;

use crate::{
    auth::{Identified, identify},
    error::{GatewayError, IdempotencyRejection},
    legacy::body,
    state::AppState,
};

/// Says that an answer was recorded before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// Routes that take the header.
const ROUTES: [(Method, &str); 5] = [
    (Method::POST, "/job"),
    (Method::POST, "/job/{id}/submit"),
    (Method::PUT, "/job/{id}/cancel"),
    (Method::PUT, "/job/{id}/pause"),
    (Method::PUT, "/job/{id}/resume"),
];

/// Largest answer that is recorded, bytes. A larger one is made anew when it is asked for again.
const MOST_RECORDED: usize = 64 << 10;

/// Largest answer of the routes above, bytes.
const MOST_ANSWERED: usize = 16 << 20;

/// How often old keys are removed.
const FORGET_EVERY: Duration = Duration::from_secs(3600);

/// The header, for the OpenAPI document.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "it describes the header, which the layer reads")]
pub struct KeyHeader {
    /// A string of the client's own, for example a UUID in quotes. A request that is repeated
    /// with the same key within 24 hours gets the answer to the first one, and has its effect
    /// once.
    #[param(
        rename = "Idempotency-Key",
        required = false,
        example = "\"8e03978e-40d5-43e8-bc93-6894a57f9324\""
    )]
    key: Option<String>,
}

/// The request's reservation, for its handler; empty without a key.
#[derive(Debug, Clone, Default)]
pub struct Once {
    key: Option<IdempotencyKey>,
    job_id: Option<JobId>,
    is_done: bool,
}

impl Once {
    /// Whether the request had its effect already: only its answer is missing.
    pub fn is_done(&self) -> bool {
        self.is_done
    }

    /// The id of the job that the request makes, if it was reserved.
    pub fn job_id(&self) -> Option<&JobId> {
        self.job_id.as_ref()
    }

    /// The state whose store marks this request as done in the transaction of its effect.
    pub fn bind(&self, state: AppState) -> AppState {
        let store = state.store.with_idempotency_key(self.key.clone());
        AppState { store, ..state }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Once {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}

/// Around the routes: answers a repeated request like the first one.
pub async fn answer_once(State(state): State<AppState>, request: Request, next: Next) -> Response {
    if !is_taken(&request) {
        return next.run(request).await;
    }
    match answer(state, request, next).await {
        Ok(response) => response,
        Err(error) => error.into_response(),
    }
}

/// Whether the request has a key, and its route takes it.
fn is_taken(request: &Request) -> bool {
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map(MatchedPath::as_str);
    request.headers().contains_key(key::HEADER)
        && ROUTES
            .iter()
            .any(|(method, path)| method == request.method() && Some(*path) == route)
}

async fn answer(state: AppState, request: Request, next: Next) -> Result<Response, GatewayError> {
    let key = key::read(request.headers())?;
    let (parts, content) = request.into_parts();
    let content = axum::body::to_bytes(content, body::LIMIT)
        .await
        .map_err(|_| GatewayError::TooLarge(body::LIMIT))?;
    let again = || Request::from_parts(parts.clone(), Body::from(content.clone()));
    let Some(Identified { user, fields }) = identify(again(), &state).await? else {
        return Ok(next.run(again()).await);
    };
    let fingerprint = fingerprint(&parts, fields.into_iter().collect());
    let key = IdempotencyKey {
        hash: hash(&key),
        user,
    };
    let new_job = state.store.new_job_id();
    let reserved = state.store.reserve(&key, &fingerprint, &new_job).await?;
    let (job_id, is_done) = match reserved {
        Reservation::Reserved { job_id, is_done } => (job_id, is_done),
        Reservation::Answered {
            status,
            answer,
            job_id,
        } => {
            state.rate.admit(&key.user)?;
            match replayed(&state, &key, status, &answer) {
                Some(response) => return Ok(response),
                None => (job_id, true),
            }
        }
        Reservation::InProgress(remaining) => {
            state.rate.admit(&key.user)?;
            let retry_after = remaining.as_secs() + 1;
            return Err(IdempotencyRejection::InProgress { retry_after }.into());
        }
        Reservation::OtherRequest => {
            state.rate.admit(&key.user)?;
            return Err(IdempotencyRejection::OtherRequest.into());
        }
    };
    let mut request = again();
    request.extensions_mut().insert(Once {
        key: Some(key.clone()),
        job_id: Some(job_id),
        is_done,
    });
    let response = next.run(request).await;
    recorded(&state, &key, response).await
}

/// The recorded answer; `None` if it cannot be opened any more.
fn replayed(state: &AppState, key: &IdempotencyKey, status: u16, answer: &str) -> Option<Response> {
    let status = StatusCode::from_u16(status).ok()?;
    let answer = state.seal.open(answer, &purpose(key)).ok()?;
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (REPLAYED, HeaderValue::from_static("true")),
    ];
    Some((status, headers, answer.expose_secret().to_owned()).into_response())
}

/// Records a successful answer. After any other the request may be sent again at once.
async fn recorded(
    state: &AppState,
    key: &IdempotencyKey,
    response: Response,
) -> Result<Response, GatewayError> {
    if !response.status().is_success() {
        if let Err(error) = state.store.release_key(key).await {
            tracing::warn!(%error, "an idempotency key is reserved until its request times out");
        }
        return Ok(response);
    }
    let (parts, content) = response.into_parts();
    let content = axum::body::to_bytes(content, MOST_ANSWERED)
        .await
        .map_err(|_| GatewayError::Internal)?;
    let sealed = sealed(state, key, &content);
    let recorded = state
        .store
        .record_answer(key, parts.status.as_u16(), sealed.as_deref());
    if let Err(error) = recorded.await {
        tracing::warn!(%error, "an answer is not recorded; it is made anew for a repeat");
    }
    Ok(Response::from_parts(parts, Body::from(content)))
}

/// The answer as it is kept: it may hold a job's secret.
fn sealed(state: &AppState, key: &IdempotencyKey, content: &Bytes) -> Option<String> {
    let text = std::str::from_utf8(content).ok()?;
    if text.len() > MOST_RECORDED {
        return None;
    }
    let text = SecretString::from(text.to_owned());
    state.seal.seal(&text, &purpose(key)).ok()
}

fn purpose(key: &IdempotencyKey) -> String {
    format!("answer:{}:{}", key.user, key.hash)
}

/// What the request asks for, without tokens and passwords.
fn fingerprint(parts: &Parts, fields: BTreeMap<String, serde_json::Value>) -> String {
    let fields = serde_json::json!(fields);
    let (method, path) = (&parts.method, parts.uri.path());
    hash(&format!("{method} {path} {fields}"))
}

fn hash(text: &str) -> String {
    hex::encode(digest(&SHA256, text.as_bytes()))
}

/// Removes old keys until `stop`.
pub async fn forget_old(store: Store, stop: CancellationToken) {
    let mut tick = tokio::time::interval(FORGET_EVERY);
    while stop.run_until_cancelled(tick.tick()).await.is_some() {
        if let Err(error) = store.forget_old_keys().await {
            tracing::warn!(%error, "old idempotency keys are removed later");
        }
    }
}
