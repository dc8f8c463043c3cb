//! What Globus may answer instead.

use std::time::Duration;

use compute_domain::ErrorKind;
use reqwest::StatusCode;
use serde_json::Value;

/// Why Globus did not do it. No token is ever part of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GlobusError {
    /// The refresh token is not, or no longer, good.
    #[error(
        "Globus rejected the refresh token of {identity}: the operator has to run `cybergis-compute globus login {identity}`"
    )]
    TokenRefused {
        /// Whose.
        identity: String,
    },
    /// Globus knows who asks, and refuses: no permission, no consent, no such
    /// endpoint, a wrong path.
    #[error("Globus rejected the request: {message} ({code})")]
    Refused {
        /// Globus' word, e.g. `PermissionDenied`.
        code: String,
        /// Globus' sentence.
        message: String,
    },
    /// Too many questions at once.
    #[error("too many requests to Globus: try again later")]
    TooOften {
        /// How long to wait, if it says so.
        retry_after: Option<Duration>,
    },
    /// It does not answer, or cannot now.
    #[error("Globus does not respond: {0}")]
    Away(String),
    /// An answer that the protocol does not have.
    #[error("unexpected response from Globus: {0}")]
    Odd(String),
}

impl GlobusError {
    /// The kind of error, for the answer to a caller.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::TokenRefused { .. } => ErrorKind::Unauthenticated,
            Self::Refused { .. } => ErrorKind::Refused,
            Self::TooOften { .. } => ErrorKind::Exhausted,
            Self::Away(_) => ErrorKind::Unavailable,
            Self::Odd(_) => ErrorKind::Internal,
        }
    }

    /// Whether it may be otherwise if asked again later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::TooOften { .. } | Self::Away(_))
    }

    pub(crate) fn away(error: reqwest::Error) -> Self {
        let error = error.without_url();
        let mut words = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            words = format!("{words}: {cause}");
            source = cause.source();
        }
        Self::Away(words)
    }

    #[expect(clippy::needless_pass_by_value, reason = "for map_err")]
    pub(crate) fn odd(error: serde_json::Error) -> Self {
        Self::Odd(error.to_string())
    }

    pub(crate) fn of_answer(
        status: StatusCode,
        body: &Value,
        retry_after: Option<Duration>,
    ) -> Self {
        if status == StatusCode::TOO_MANY_REQUESTS {
            return Self::TooOften { retry_after };
        }
        if status.is_server_error() {
            return Self::Away(format!("status {status}"));
        }
        let text = |key: &str| body.get(key).and_then(Value::as_str);
        Self::Refused {
            code: text("code").unwrap_or(status.as_str()).to_owned(),
            message: text("message").unwrap_or("no reason is given").to_owned(),
        }
    }
}
