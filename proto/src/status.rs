//! The one table between kinds of errors and gRPC status codes, both ways.

use std::error::Error as _;

use compute_domain::ErrorKind;
use tonic::{Code, Status};

/// A status message travels in a header, where space is short.
const MAX_MESSAGE_CHARS: usize = 1500;

/// An error that another service answered, or the trouble of reaching it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RemoteError {
    /// What a caller may do about it.
    pub kind: ErrorKind,
    /// One sentence; for refusals in the scheduler's own words.
    pub message: String,
}

impl RemoteError {
    /// An error of this kind.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    /// What a caller may do about it.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl From<Status> for RemoteError {
    fn from(status: Status) -> Self {
        Self {
            kind: kind_of(&status),
            message: words_of(&status),
        }
    }
}

/// The status that carries an error of this kind.
pub fn status_of(kind: ErrorKind, message: &str) -> Status {
    let message: String = message.chars().take(MAX_MESSAGE_CHARS).collect();
    Status::new(code_of(kind), message)
}

fn code_of(kind: ErrorKind) -> Code {
    match kind {
        ErrorKind::InvalidArgument => Code::InvalidArgument,
        ErrorKind::Unauthenticated => Code::Unauthenticated,
        ErrorKind::PermissionDenied => Code::PermissionDenied,
        ErrorKind::NotFound => Code::NotFound,
        ErrorKind::Refused => Code::FailedPrecondition,
        ErrorKind::Uncertain => Code::Aborted,
        ErrorKind::Unavailable => Code::Unavailable,
        ErrorKind::Exhausted => Code::ResourceExhausted,
        ErrorKind::Internal => Code::Internal,
    }
}

/// The kind of error that a status carries.
///
/// A status with a source was made on this side, by a connection that broke or
/// a deadline that passed: the other side may have done what was asked, unless
/// the connection could not be made at all.
pub fn kind_of(status: &Status) -> ErrorKind {
    let made_here = status.source().is_some();
    match status.code() {
        Code::Unavailable => ErrorKind::Unavailable,
        Code::Aborted | Code::Cancelled | Code::DeadlineExceeded | Code::Unknown => {
            ErrorKind::Uncertain
        }
        Code::Internal if made_here => ErrorKind::Uncertain,
        Code::InvalidArgument => ErrorKind::InvalidArgument,
        Code::Unauthenticated => ErrorKind::Unauthenticated,
        Code::PermissionDenied => ErrorKind::PermissionDenied,
        Code::NotFound => ErrorKind::NotFound,
        Code::FailedPrecondition => ErrorKind::Refused,
        Code::ResourceExhausted => ErrorKind::Exhausted,
        Code::Ok
        | Code::AlreadyExists
        | Code::OutOfRange
        | Code::Unimplemented
        | Code::Internal
        | Code::DataLoss => ErrorKind::Internal,
    }
}

/// The message with what lies behind it: "transport error" alone helps nobody.
fn words_of(status: &Status) -> String {
    let mut words = status.message().to_owned();
    let mut cause = status.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !words.contains(&text) {
            words = format!("{words}: {text}");
        }
        cause = error.source();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [ErrorKind; 9] = [
        ErrorKind::InvalidArgument,
        ErrorKind::Unauthenticated,
        ErrorKind::PermissionDenied,
        ErrorKind::NotFound,
        ErrorKind::Refused,
        ErrorKind::Uncertain,
        ErrorKind::Unavailable,
        ErrorKind::Exhausted,
        ErrorKind::Internal,
    ];

    #[test]
    fn every_kind_travels_and_comes_back() {
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
    fn long_messages_are_cut() {
        let status = status_of(ErrorKind::Refused, &"x".repeat(100_000));
        assert_eq!(status.message().len(), MAX_MESSAGE_CHARS);
    }
}
