//! The table between error kinds and gRPC status codes, in both directions.

use std::error::Error as _;

use compute_domain::ErrorKind;
use tonic::{Code, Status};

/// Header of a status that rejects an older fence: the newest one.
const FENCE_HEADER: &str = "cybergis-fence";

/// Maximum length of a status message: it is sent in a header of limited size.
const MAX_MESSAGE_CHARS: usize = 1500;

/// An error of another service, or of the connection to it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RemoteError {
    /// What a caller can do about it.
    pub kind: ErrorKind,
    /// One sentence; for [`ErrorKind::Refused`] the message of the scheduler.
    pub message: String,
}

impl RemoteError {
    /// An error of `kind`.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl From<Status> for RemoteError {
    fn from(status: Status) -> Self {
        Self {
            kind: kind_of(&status),
            message: message_of(&status),
        }
    }
}

/// The status for an error of `kind`.
pub fn status_of(kind: ErrorKind, message: &str) -> Status {
    let message: String = message.chars().take(MAX_MESSAGE_CHARS).collect();
    let mut status = Status::new(code_of(kind), message);
    if let ErrorKind::Fenced(newest) = kind {
        status.metadata_mut().insert(FENCE_HEADER, newest.into());
    }
    status
}

/// The newest fence, if the status rejects an older one.
fn newest_fence(status: &Status) -> Option<i64> {
    status
        .metadata()
        .get(FENCE_HEADER)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

fn code_of(kind: ErrorKind) -> Code {
    match kind {
        ErrorKind::InvalidArgument => Code::InvalidArgument,
        ErrorKind::Unauthenticated => Code::Unauthenticated,
        ErrorKind::PermissionDenied => Code::PermissionDenied,
        ErrorKind::NotFound => Code::NotFound,
        ErrorKind::Refused => Code::FailedPrecondition,
        // To a maintainer of the version before, which sends no fence, this is uncertain.
        ErrorKind::Uncertain | ErrorKind::Fenced(_) => Code::Aborted,
        ErrorKind::Unavailable => Code::Unavailable,
        ErrorKind::Exhausted => Code::ResourceExhausted,
        ErrorKind::Internal => Code::Internal,
        ErrorKind::Unsupported => Code::Unimplemented,
    }
}

/// The error kind for a status.
///
/// A status with a source was created on this side, because the connection broke or the
/// deadline passed: then the other side may have completed the call, unless there was no
/// connection at all.
pub fn kind_of(status: &Status) -> ErrorKind {
    let created_here = status.source().is_some();
    if let Some(newest) = newest_fence(status) {
        return ErrorKind::Fenced(newest);
    }
    match status.code() {
        Code::Unavailable => ErrorKind::Unavailable,
        Code::Aborted | Code::Cancelled | Code::DeadlineExceeded | Code::Unknown => {
            ErrorKind::Uncertain
        }
        Code::Internal if created_here => ErrorKind::Uncertain,
        Code::InvalidArgument => ErrorKind::InvalidArgument,
        Code::Unauthenticated => ErrorKind::Unauthenticated,
        Code::PermissionDenied => ErrorKind::PermissionDenied,
        Code::NotFound => ErrorKind::NotFound,
        Code::FailedPrecondition => ErrorKind::Refused,
        Code::ResourceExhausted => ErrorKind::Exhausted,
        Code::Unimplemented => ErrorKind::Unsupported,
        Code::Ok | Code::AlreadyExists | Code::OutOfRange | Code::Internal | Code::DataLoss => {
            ErrorKind::Internal
        }
    }
}

/// The message with those of its sources: "transport error" alone is not helpful.
fn message_of(status: &Status) -> String {
    let mut message = status.message().to_owned();
    let mut cause = status.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !message.contains(&text) {
            message = format!("{message}: {text}");
        }
        cause = error.source();
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [ErrorKind; 11] = [
        ErrorKind::InvalidArgument,
        ErrorKind::Unauthenticated,
        ErrorKind::PermissionDenied,
        ErrorKind::NotFound,
        ErrorKind::Refused,
        ErrorKind::Uncertain,
        ErrorKind::Unavailable,
        ErrorKind::Exhausted,
        ErrorKind::Internal,
        ErrorKind::Unsupported,
        ErrorKind::Fenced(i64::MAX),
    ];

    #[test]
    fn every_kind_survives_the_wire() {
        for kind in KINDS {
            let back = RemoteError::from(status_of(kind, "sbatch: error: no"));
            assert_eq!(back, RemoteError::new(kind, "sbatch: error: no"));
        }
    }

    #[test]
    fn a_connection_that_broke_leaves_uncertainty() {
        let broken = std::io::Error::from(std::io::ErrorKind::BrokenPipe);
        let status = Status::from_error(Box::new(broken));
        let error = RemoteError::from(status);
        assert_eq!(error.kind(), ErrorKind::Uncertain);
        assert!(error.message.contains("broken pipe"), "{error}");
    }

    #[test]
    fn long_messages_are_truncated() {
        let status = status_of(ErrorKind::Refused, &"x".repeat(100_000));
        assert_eq!(status.message().len(), MAX_MESSAGE_CHARS);
    }
}
