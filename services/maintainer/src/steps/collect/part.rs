//! One part of what a job has left: fetched, left out for its own sake, or in trouble.

use compute_domain::ErrorKind;
use compute_proto::RemoteError;

use crate::steps::StepError;

/// Tries of a part that meets trouble although other parts are answered: then the
/// trouble is of that part.
const TRIES: i32 = 3;

/// A part.
pub(super) enum Part<T> {
    /// Here it is.
    Fetched(T),
    /// It cannot be read, for this reason, however often it is tried.
    Unreadable(String),
    /// It could not be fetched now.
    Trouble(RemoteError),
}

impl<T: Default> Part<T> {
    /// What an answer of the connector means. What is not there is empty.
    pub(super) fn of(answer: Result<T, RemoteError>) -> Self {
        match answer {
            Ok(part) => Self::Fetched(part),
            Err(error) => match error.kind {
                ErrorKind::NotFound => Self::Fetched(T::default()),
                ErrorKind::Refused | ErrorKind::InvalidArgument | ErrorKind::PermissionDenied => {
                    Self::Unreadable(error.message)
                }
                ErrorKind::Unauthenticated
                | ErrorKind::Uncertain
                | ErrorKind::Unavailable
                | ErrorKind::Exhausted
                | ErrorKind::Fenced(_)
                | ErrorKind::Internal
                | ErrorKind::Unsupported => Self::Trouble(error),
            },
        }
    }

    /// Whether the HPC has said something about it.
    pub(super) fn is_answered(&self) -> bool {
        !matches!(self, Self::Trouble(_))
    }

    /// Whether to try again, after `attempts` in vain. A fault of ours (an answer that is
    /// too large, say) is tried a few times, whatever the other parts do.
    ///
    /// # Errors
    /// The trouble, if so.
    pub(super) fn trouble(&self, attempts: i32, others_answered: bool) -> Result<(), StepError> {
        let Self::Trouble(error) = self else {
            return Ok(());
        };
        let is_its_own = match error.kind {
            ErrorKind::Internal | ErrorKind::Unsupported => true,
            ErrorKind::Unauthenticated | ErrorKind::Fenced(_) => false,
            _ => others_answered,
        };
        if is_its_own && attempts + 1 >= TRIES {
            return Ok(());
        }
        Err(error.clone().into())
    }

    /// The part, empty if it was not fetched, and then why.
    pub(super) fn take(self) -> (T, Option<String>) {
        match self {
            Self::Fetched(part) => (part, None),
            Self::Unreadable(reason) => (T::default(), Some(reason)),
            Self::Trouble(error) => (T::default(), Some(error.message)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(kind: ErrorKind) -> Part<String> {
        Part::of(Err(RemoteError::new(kind, "words")))
    }

    #[test]
    fn trouble_of_one_part_is_not_trouble_of_the_hpc() {
        for (kind, attempts, others_answered, is_tried_again) in [
            (ErrorKind::Refused, 0, false, false),
            (ErrorKind::InvalidArgument, 0, false, false),
            (ErrorKind::NotFound, 0, false, false),
            (ErrorKind::Internal, 0, false, true),
            (ErrorKind::Internal, 2, false, false),
            (ErrorKind::Uncertain, 1, true, true),
            (ErrorKind::Uncertain, 2, true, false),
            (ErrorKind::Unavailable, 2, true, false),
            (ErrorKind::Unavailable, 1000, false, true),
            (ErrorKind::Unauthenticated, 1000, true, true),
        ] {
            let trouble = part(kind).trouble(attempts, others_answered);
            assert_eq!(trouble.is_err(), is_tried_again, "{kind:?} {attempts}");
        }
    }

    #[test]
    fn what_is_left_out_says_why() {
        assert_eq!(part(ErrorKind::NotFound).take(), (String::new(), None));
        for kind in [ErrorKind::Refused, ErrorKind::Internal] {
            let (_, note) = part(kind).take();
            assert_eq!(note.as_deref(), Some("words"));
        }
    }
}
