//! The response to a request that fails.

use axum::{
    Json,
    http::header::{CONTENT_TYPE, RETRY_AFTER},
    response::{IntoResponse, Response},
};
use compute_db::StoreError;
use compute_domain::ErrorKind;
use serde_json::{Map, Value, json};

use super::{GatewayError, IdempotencyRejection};

impl GatewayError {
    /// The text for the client. The fault behind it is for the log.
    fn text(&self) -> String {
        match self {
            Self::Store(error) if error.kind().is_transient() => {
                "the database does not answer: try again in a moment".to_owned()
            }
            Self::Store(StoreError::Limit(limit)) => limit.to_string(),
            Self::Store(error) if error.kind() == ErrorKind::InvalidArgument => {
                "the database cannot hold a value: it is too long, or has a NUL in it".to_owned()
            }
            Self::Store(_) => "internal error".to_owned(),
            error => error.to_string(),
        }
    }

    fn messages(&self) -> Option<Vec<String>> {
        match self {
            Self::InvalidInput(messages) | Self::InvalidValues(messages) => Some(messages.clone()),
            Self::NoSuchJob(id) | Self::NoSuchJobEvents(id) | Self::NoSuchJobToChange(id) => {
                Some(vec![format!("you have no job with id {id}")])
            }
            Self::Unavailable(what) => Some(what.messages()),
            Self::Credential(rejection) => Some(vec![rejection.to_string()]),
            Self::NoLogin | Self::AlreadySubmitted => Some(Vec::new()),
            _ => None,
        }
    }

    fn body(&self) -> Value {
        let mut body = Map::new();
        body.insert("error".to_owned(), json!(self.text()));
        if let Some(messages) = self.messages() {
            body.insert("messages".to_owned(), json!(messages));
        }
        // As the legacy server had it.
        if matches!(self, Self::Unrecognized(_) | Self::NotAuthorizedForHpc) {
            body.insert("message".to_owned(), Value::Null);
        }
        Value::Object(body)
    }
}

impl IntoResponse for GatewayError {
    fn into_response(self) -> Response {
        match &self {
            Self::Store(StoreError::Limit(_)) => {}
            Self::Store(error) => tracing::error!(%error, "request failed"),
            Self::Seal(error) => tracing::error!(%error, "request failed"),
            _ => {}
        }
        let response = (self.status(), Json(self.body()));
        match self {
            Self::TooManyRequests { retry_after, .. }
            | Self::ComeBack { retry_after, .. }
            | Self::Idempotency(IdempotencyRejection::InProgress { retry_after }) => {
                ([(RETRY_AFTER, retry_after.to_string())], response).into_response()
            }
            _ => response.into_response(),
        }
    }
}

/// Makes JSON of a failure before or beside a handler: a path that cannot be read, a time
/// limit.
pub async fn in_json(response: Response) -> Response {
    let status = response.status();
    let kind = response.headers().get(CONTENT_TYPE);
    let is_json = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    let failed = status.is_client_error() || status.is_server_error();
    if !failed || is_json {
        return response;
    }
    let reason = status
        .canonical_reason()
        .unwrap_or("refused")
        .to_lowercase();
    (status, Json(json!({"error": reason}))).into_response()
}
