//! What can go wrong with the queue.

use std::time::Duration;

use compute_domain::ErrorKind;
use redis::{RedisError, ServerErrorKind};

/// Why the queue did not do it.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// Redis does not answer, or not now.
    #[error("Redis does not respond: {0}")]
    Unavailable(#[source] RedisError),
    /// The answer did not come in time. What was asked for may still be done
    /// later, e.g. an entry be published: asking again does no harm.
    #[error("Redis did not respond in time")]
    TimedOut,
    /// A blocking read hung: its connection was given up.
    #[error("Redis sent nothing for {0:?}")]
    Silent(Duration),
    /// Redis has answered that it will not: a wrong password, no permission.
    #[error("Redis error: {0}")]
    Refused(#[source] RedisError),
}

impl QueueError {
    /// The kind of error, for the answer to a caller.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Unavailable(_) | Self::Silent(_) => ErrorKind::Unavailable,
            Self::TimedOut => ErrorKind::Uncertain,
            Self::Refused(_) => ErrorKind::Internal,
        }
    }
}

impl From<RedisError> for QueueError {
    fn from(error: RedisError) -> Self {
        if error.is_timeout() {
            return Self::TimedOut;
        }
        match error.kind() {
            // To the library a wrong password is a connection that cannot be made.
            redis::ErrorKind::AuthenticationFailed => Self::Refused(error),
            redis::ErrorKind::Io
            | redis::ErrorKind::Server(
                ServerErrorKind::BusyLoading
                | ServerErrorKind::TryAgain
                | ServerErrorKind::ClusterDown
                | ServerErrorKind::MasterDown
                | ServerErrorKind::ReadOnly,
            ) => Self::Unavailable(error),
            _ if error.is_unrecoverable_error() => Self::Unavailable(error),
            // Full, cannot save, or its replicas are away: for as long as that lasts.
            _ if matches!(error.code(), Some("OOM" | "MISCONF" | "NOREPLICAS")) => {
                Self::Unavailable(error)
            }
            _ => Self::Refused(error),
        }
    }
}
