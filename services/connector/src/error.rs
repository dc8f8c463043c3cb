//! Errors of the connector, and what a caller can do about them.

use compute_domain::ErrorKind;

/// An error of the connector. Messages are written for the operator; those of
/// [`Refused`](Self::Refused) also for the owner of the job.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// `hpc.json` has no such HPC.
    #[error("there is no HPC {0:?}")]
    UnknownHpc(String),
    /// The HPC has no community account, and the request carries no credential.
    #[error("HPC {0} has no community account: it needs the user's own login")]
    NoLogin(String),
    /// The HPC rejects the login of a private account, or its sealed credential cannot be
    /// opened. The owner must give the password again.
    #[error("{0}")]
    Password(String),
    /// A path that is not below the root path of the HPC, or not a path.
    #[error("{0}")]
    Path(#[from] crate::paths::PathError),
    /// Another argument of the request is invalid.
    #[error("{0}")]
    Argument(String),
    /// The file or folder does not exist.
    #[error("there is no {0} on the HPC")]
    Missing(String),
    /// The path leads out of its folder through a link.
    #[error("{0} leads out of its folder")]
    Outside(String),
    /// Logging in to the login node fails.
    #[error("cannot log in to {node}: {reason}")]
    Login {
        /// `user@host:port`.
        node: String,
        /// What `ssh` reports, and how to correct it.
        reason: String,
    },
    /// All sessions on the login node stayed in use.
    #[error("all sessions on the login node of {0:?} are in use")]
    Busy(String),
    /// The connection broke, or the command took too long or was killed. It is unknown
    /// whether it did its work.
    #[error("{what} on the login node was cut: {reason}")]
    Cut {
        /// Name of the command.
        what: &'static str,
        /// Why it was cut.
        reason: String,
    },
    /// It is unknown whether the operation was done.
    #[error("{0}")]
    Uncertain(String),
    /// The scheduler or the file system rejects the operation; the message is theirs.
    #[error("{0}")]
    Refused(String),
    /// The caller no longer holds the lease of the job.
    #[error("{subject} is left as it is: the job has another holder by now, with fence {newest}")]
    Fenced {
        /// What was to be changed.
        subject: String,
        /// The newest fence that the HPC knows.
        newest: i64,
    },
    /// The HPC does not work properly; the request is valid.
    #[error("{0}")]
    Trouble(String),
    /// A fault of the connector.
    #[error("{0}")]
    Internal(String),
}

impl Error {
    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::UnknownHpc(_) | Self::Missing(_) => ErrorKind::NotFound,
            Self::Path(_) | Self::Argument(_) => ErrorKind::InvalidArgument,
            Self::NoLogin(_) | Self::Outside(_) | Self::Refused(_) => ErrorKind::Refused,
            Self::Password(_) => ErrorKind::Unauthenticated,
            Self::Login { .. } | Self::Trouble(_) => ErrorKind::Unavailable,
            Self::Busy(_) => ErrorKind::Exhausted,
            Self::Cut { .. } | Self::Uncertain(_) => ErrorKind::Uncertain,
            Self::Fenced { newest, .. } => ErrorKind::Fenced(*newest),
            Self::Internal(_) => ErrorKind::Internal,
        }
    }
}
