//! What goes wrong, and how it is answered: one table. Every answer is JSON,
//! `{"error": text}` and mostly `"messages"`; the statuses are the older server's
//! where a client could depend on them.

use axum::{
    Json,
    http::{
        StatusCode,
        header::{CONTENT_TYPE, RETRY_AFTER},
    },
    response::{IntoResponse, Response},
};
use compute_db::StoreError;
use compute_domain::{
    ErrorKind,
    ids::{FolderId, JobId},
};
use compute_runtime::seal::SealError;
use serde_json::{Map, Value, json};

/// Why a request is not answered as asked.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The body is not of the route's schema.
    #[error("invalid input")]
    InvalidInput(Vec<String>),
    /// The token is refused by its hub, or of no hub of ours.
    #[error("invalid token")]
    InvalidToken,
    /// The token's host is not in `jupyter-globus-map.json`.
    #[error("Cannot find jupyterhubHost in allowlist")]
    UnknownHub,
    /// The same two, on routes about one job.
    #[error("submit without login is not allowed")]
    NoLogin,
    /// The hub does not answer.
    #[error("the JupyterHub {0} does not answer: try again in a moment")]
    HubAway(String),
    /// A name that is not in the configuration.
    #[error("unrecognized {0}")]
    Unrecognized(&'static str),
    /// Allow and deny lists of the HPC.
    #[error("Not authorized for HPC")]
    NotAuthorizedForHpc,
    /// An HPC with private accounts: the reason why this login is none.
    #[error("invalid SSH credentials")]
    NoCredentials(String),
    /// Something that is needed does not answer: what to do, and why.
    #[error("{0}")]
    Away(String, Vec<String>),
    /// No such job, or someone else's: reading.
    #[error("invalid access")]
    NoSuchJob(JobId),
    /// The same, for the events.
    #[error("invalid access token")]
    NoSuchJobEvents(JobId),
    /// The same, for a change.
    #[error("invalid access")]
    NoSuchJobToChange(JobId),
    /// The job is submitted.
    #[error("job already submitted or in queue")]
    AlreadySubmitted,
    /// Not submitted, over, someone else's, or no job at all.
    #[error("job is not in queue or running jobs")]
    NotRunning,
    /// A change that the job's state does not allow.
    #[error("{0}")]
    Refused(String),
    /// What validation found; the first is the error, all are messages.
    #[error("{}", .0.first().map_or("invalid values", String::as_str))]
    Invalid(Vec<String>),
    /// No such folder, or someone else's.
    #[error("unknown folder with id {0}")]
    NoSuchFolder(FolderId),
    /// A change of a folder that names nothing to change.
    #[error("encountered error: nothing to update")]
    NoFolderChange,
    /// The same, when it is to be downloaded.
    #[error("cannot find folder with id {0}")]
    NoFolderToDownload(FolderId),
    /// A download that cannot be had.
    #[error("{0}")]
    NoDownload(String),
    /// The caller is known, and may not do this.
    #[error("{0}")]
    Forbidden(String),
    /// There is no such template.
    #[error("unknown git {0}")]
    UnknownTemplate(String),
    /// There is no such route.
    #[error("unknown route {0}")]
    UnknownRoute(String),
    /// The body is no JSON, or no form.
    #[error("malformed body: {0}")]
    Malformed(String),
    /// The body is too large.
    #[error("the body is larger than {0} bytes")]
    TooLarge(usize),
    /// More than the caller may ask for.
    #[error("more than {per_minute} requests a minute: try again in {retry_after} s")]
    TooManyRequests {
        /// The limit.
        per_minute: u32,
        /// Seconds.
        retry_after: u64,
    },
    /// More at once, or more guesses, than there may be.
    #[error("{reason}: try again in {retry_after} s")]
    ComeBack {
        /// What was too much.
        reason: &'static str,
        /// Seconds.
        retry_after: u64,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A secret that cannot be sealed.
    #[error("internal error")]
    Seal(#[from] SealError),
    /// A fault of ours.
    #[error("internal error")]
    Internal,
}

impl GatewayError {
    fn status(&self) -> StatusCode {
        match self {
            Self::InvalidInput(_)
            | Self::InvalidToken
            | Self::NoSuchJobToChange(_)
            | Self::NotRunning
            | Self::Refused(_)
            | Self::Invalid(_) => StatusCode::PAYMENT_REQUIRED,
            Self::NoLogin
            | Self::Unrecognized(_)
            | Self::NotAuthorizedForHpc
            | Self::NoCredentials(_)
            | Self::NoSuchJob(_)
            | Self::NoSuchJobEvents(_)
            | Self::NoFolderChange
            | Self::AlreadySubmitted => StatusCode::UNAUTHORIZED,
            Self::UnknownHub
            | Self::NoSuchFolder(_)
            | Self::UnknownTemplate(_)
            | Self::UnknownRoute(_) => StatusCode::NOT_FOUND,
            Self::NoFolderToDownload(_) | Self::NoDownload(_) | Self::Forbidden(_) => {
                StatusCode::FORBIDDEN
            }
            Self::HubAway(_) | Self::Away(..) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooManyRequests { .. } | Self::ComeBack { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Store(StoreError::Limit(_)) => StatusCode::PAYMENT_REQUIRED,
            Self::Store(error) => StatusCode::from_u16(error.kind().http_status())
                .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            Self::Seal(_) | Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// What a client is told. A fault behind it is for the log, not for the client.
    fn body(&self) -> Value {
        let mut body = Map::new();
        let error = match self {
            Self::Store(error) if error.kind().is_transient() => {
                "the database does not answer: try again in a moment".to_owned()
            }
            Self::Store(StoreError::Limit(limit)) => limit.to_string(),
            Self::Store(error) if error.kind() == ErrorKind::InvalidArgument => {
                "the database cannot hold a value: it is too long, or has a NUL in it".to_owned()
            }
            Self::Store(_) => "internal error".to_owned(),
            error => error.to_string(),
        };
        body.insert("error".to_owned(), json!(error));
        let messages = match self {
            Self::InvalidInput(messages) | Self::Invalid(messages) => Some(messages.clone()),
            Self::NoSuchJob(id) | Self::NoSuchJobEvents(id) | Self::NoSuchJobToChange(id) => {
                Some(vec![format!("you have no job with id {id}")])
            }
            Self::Away(_, reasons) => Some(reasons.clone()),
            Self::NoCredentials(reason) => Some(vec![reason.clone()]),
            Self::NoLogin | Self::AlreadySubmitted => Some(Vec::new()),
            _ => None,
        };
        if let Some(messages) = messages {
            body.insert("messages".to_owned(), json!(messages));
        }
        // As the older server had it.
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
        let answer = (self.status(), Json(self.body()));
        match self {
            Self::TooManyRequests { retry_after, .. } | Self::ComeBack { retry_after, .. } => {
                ([(RETRY_AFTER, retry_after.to_string())], answer).into_response()
            }
            _ => answer.into_response(),
        }
    }
}

/// Makes JSON of what is refused before or beside a handler: a path that cannot be
/// read, a time limit.
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
