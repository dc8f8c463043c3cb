//! What went wrong, in the few kinds that a caller treats differently. Each
//! service's errors name their kind; this table and the one in `compute-proto`
//! turn it into a status, and nothing else does.

/// Kind of an error, independent of how it travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The request itself is wrong; asking again changes nothing.
    InvalidArgument,
    /// Who asks is not known.
    Unauthenticated,
    /// Who asks is known and may not do this.
    PermissionDenied,
    /// There is no such thing, or none that the caller may know of.
    NotFound,
    /// The thing is in a state that does not allow this; includes refusals by
    /// the scheduler, in its own words.
    Refused,
    /// It is not known whether it was done. Ask again: every operation of ours
    /// may be repeated.
    Uncertain,
    /// A part that is needed does not answer now. Try later.
    Unavailable,
    /// Too much was asked for at once.
    Exhausted,
    /// A fault of ours.
    Internal,
    /// The other service does not know the call: it is of the version before.
    Unsupported,
    /// The caller no longer holds the lease of the job: a call with this newer fence came
    /// before it.
    Fenced(i64),
}

impl ErrorKind {
    /// HTTP status (RFC 9110) for answers that no legacy client depends on.
    pub fn http_status(self) -> u16 {
        match self {
            Self::InvalidArgument => 400,
            Self::Unauthenticated => 401,
            Self::PermissionDenied => 403,
            Self::NotFound => 404,
            Self::Refused | Self::Fenced(_) => 409,
            Self::Uncertain | Self::Unavailable => 503,
            Self::Exhausted => 429,
            Self::Internal => 500,
            Self::Unsupported => 501,
        }
    }

    /// Whether the same call may well succeed later without anyone changing it.
    pub fn is_transient(self) -> bool {
        match self {
            Self::Uncertain | Self::Unavailable | Self::Exhausted => true,
            Self::InvalidArgument
            | Self::Unauthenticated
            | Self::PermissionDenied
            | Self::NotFound
            | Self::Refused
            | Self::Fenced(_)
            | Self::Internal
            | Self::Unsupported => false,
        }
    }
}
