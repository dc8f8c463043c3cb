//! Errors of the gateway and their statuses, in one table. Every response is JSON,
//! `{"error": text}` and mostly `"messages"`; the statuses are the legacy server's where a
//! client could depend on them.

mod rejections;
mod response;

use axum::http::StatusCode;
use compute_db::StoreError;
use compute_domain::ids::{FolderId, JobId};
use compute_runtime::seal::SealError;

pub use rejections::{
    CredentialRejection, DownloadRejection, GlobusUnavailable, IdempotencyRejection, JobRejection,
    SourceRejection, TransferFailure, Unavailable, ValueRejection,
};
pub use response::in_json;

/// Why a request is not answered as asked.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// A field of the body is missing or has another type.
    #[error("invalid input")]
    InvalidInput(Vec<String>),
    /// The hub refuses the token, or the token names no hub of this deployment.
    #[error("invalid token")]
    InvalidToken,
    /// The token's host is not in `jupyter-globus-map.json`.
    #[error("Cannot find jupyterhubHost in allowlist")]
    UnknownHub,
    /// [`Self::InvalidToken`] and [`Self::UnknownHub`] on routes about one job.
    #[error("submit without login is not allowed")]
    NoLogin,
    /// The token is valid, but its holder cannot be a user here.
    #[error("{0}")]
    NotAUser(String),
    /// The user has no folder at the Globus collection of their hub.
    #[error("your account has no folder on its JupyterHub")]
    NoHubFolder,
    /// The hub does not respond.
    #[error("the JupyterHub {0} does not answer: try again in a moment")]
    HubAway(String),
    /// A name that is not in the configuration.
    #[error("unrecognized {0}")]
    Unrecognized(&'static str),
    /// The allow and deny lists of the HPC exclude the user.
    #[error("Not authorized for HPC")]
    NotAuthorizedForHpc,
    /// A login on an HPC with private accounts is rejected.
    #[error("invalid SSH credentials")]
    Credential(#[from] CredentialRejection),
    /// A service that is needed does not respond.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// The caller has no such job: reading.
    #[error("invalid access")]
    NoSuchJob(JobId),
    /// The caller has no such job: its events.
    #[error("invalid access token")]
    NoSuchJobEvents(JobId),
    /// The caller has no such job: changing.
    #[error("invalid access")]
    NoSuchJobToChange(JobId),
    /// The job is submitted already.
    #[error("job already submitted or in queue")]
    AlreadySubmitted,
    /// Not submitted, over, someone else's, or no job at all.
    #[error("job is not in queue or running jobs")]
    NotRunning,
    /// A change or submit of a job is rejected.
    #[error(transparent)]
    Job(#[from] JobRejection),
    /// A value in the body is too large.
    #[error(transparent)]
    Value(#[from] ValueRejection),
    /// The job's values break rules of the template or the HPC. The first is the error, all
    /// are messages.
    #[error("{}", .0.first().map_or("invalid values", String::as_str))]
    InvalidValues(Vec<String>),
    /// The caller has no such folder.
    #[error("unknown folder with id {0}")]
    NoSuchFolder(FolderId),
    /// A request with an `Idempotency-Key` is not answered.
    #[error(transparent)]
    Idempotency(#[from] IdempotencyRejection),
    /// A change of a folder that names nothing to change.
    #[error("encountered error: nothing to update")]
    NoFolderChange,
    /// A folder cannot be downloaded.
    #[error(transparent)]
    Download(#[from] DownloadRejection),
    /// There is no such template.
    #[error("unknown git {0}")]
    UnknownTemplate(String),
    /// There is no such route.
    #[error("unknown route {0}")]
    UnknownRoute(String),
    /// The path cannot be decoded.
    #[error("bad request")]
    MalformedPath,
    /// The body cannot be read as what it claims to be.
    #[error("malformed body: {0}")]
    MalformedBody(String),
    /// The body is too large.
    #[error("the body is larger than {0} bytes")]
    TooLarge(usize),
    /// The user's request rate is over the limit.
    #[error("more than {per_minute} requests a minute: try again in {retry_after} s")]
    TooManyRequests {
        /// The limit.
        per_minute: u32,
        /// Seconds.
        retry_after: u64,
    },
    /// Too many long responses or rejected tokens at once.
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
    /// A fault of the gateway.
    #[error("internal error")]
    Internal,
}

impl GatewayError {
    /// Whether the same request may succeed later: a part does not respond, or too much was
    /// asked for.
    pub(crate) fn is_for_now(&self) -> bool {
        let status = self.status();
        status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::InvalidInput(_)
            | Self::InvalidToken
            | Self::NoSuchJobToChange(_)
            | Self::NotRunning
            | Self::Job(_)
            | Self::Value(_)
            | Self::InvalidValues(_) => StatusCode::PAYMENT_REQUIRED,
            Self::NoLogin
            | Self::Unrecognized(_)
            | Self::NotAuthorizedForHpc
            | Self::Credential(_)
            | Self::NoSuchJob(_)
            | Self::NoSuchJobEvents(_)
            | Self::NoFolderChange
            | Self::AlreadySubmitted => StatusCode::UNAUTHORIZED,
            Self::UnknownHub
            | Self::NoSuchFolder(_)
            | Self::UnknownTemplate(_)
            | Self::UnknownRoute(_) => StatusCode::NOT_FOUND,
            Self::Download(_) | Self::NotAUser(_) | Self::NoHubFolder => StatusCode::FORBIDDEN,
            Self::HubAway(_) | Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::MalformedPath | Self::MalformedBody(_) => StatusCode::BAD_REQUEST,
            Self::Idempotency(IdempotencyRejection::Malformed) => StatusCode::BAD_REQUEST,
            Self::Idempotency(IdempotencyRejection::InProgress { .. }) => StatusCode::CONFLICT,
            Self::Idempotency(IdempotencyRejection::OtherRequest) => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooManyRequests { .. } | Self::ComeBack { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Store(StoreError::Limit(_)) => StatusCode::PAYMENT_REQUIRED,
            Self::Store(error) => StatusCode::from_u16(error.kind().http_status())
                .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            Self::Seal(_) | Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}
