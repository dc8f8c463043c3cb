//! What can go wrong, and what a caller may do about it.

use compute_domain::ErrorKind;

/// An error of the connector. All words are for people: of the site's operator,
/// or of the job's owner where the scheduler says no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// `hpc.json` has no such HPC.
    #[error("there is no HPC {0:?}")]
    UnknownHpc(String),
    /// The HPC has no shared account, so that there is nobody to log in as.
    #[error("HPC {0} has no community account: each user's own login is needed there")]
    NoLogin(String),
    /// The HPC refuses the login of a private account, or what was kept of it is
    /// of no use: only its owner can go on, with the right password.
    #[error("{0}")]
    Password(String),
    /// A path that is not below the root path of the HPC, or no path at all.
    #[error("{0}")]
    Path(#[from] crate::paths::PathError),
    /// Something else in the request is wrong.
    #[error("{0}")]
    Argument(String),
    /// There is no such file or folder.
    #[error("there is no {0} on the HPC")]
    Missing(String),
    /// A path that leads out of its folder by a link.
    #[error("{0} leads out of its folder")]
    Outside(String),
    /// The login node cannot be logged in to now.
    #[error("cannot log in to {node}: {reason}")]
    Login {
        /// `user@host:port`.
        node: String,
        /// What `ssh` says, and what to do about it.
        reason: String,
    },
    /// More is asked for at once than the sessions on that login node allow.
    #[error("all sessions on the login node of {0:?} are in use")]
    Busy(String),
    /// The connection broke, or the command took too long, or was killed: it may
    /// or may not have done its work.
    #[error("{what} on the login node was cut: {reason}")]
    Cut {
        /// Kind of the command.
        what: &'static str,
        /// How it was cut.
        reason: String,
    },
    /// It is not known whether it was done.
    #[error("{0}")]
    Uncertain(String),
    /// The scheduler, or the file system, says no, in its own words.
    #[error("{0}")]
    Refused(String),
    /// The HPC is in trouble; nothing is wrong with the request.
    #[error("{0}")]
    Trouble(String),
    /// A fault of ours.
    #[error("{0}")]
    Internal(String),
}

impl Error {
    /// What a caller may do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::UnknownHpc(_) | Self::Missing(_) => ErrorKind::NotFound,
            Self::Path(_) | Self::Argument(_) => ErrorKind::InvalidArgument,
            Self::NoLogin(_) | Self::Outside(_) | Self::Refused(_) => ErrorKind::Refused,
            Self::Password(_) => ErrorKind::Unauthenticated,
            Self::Login { .. } | Self::Trouble(_) => ErrorKind::Unavailable,
            Self::Busy(_) => ErrorKind::Exhausted,
            Self::Cut { .. } | Self::Uncertain(_) => ErrorKind::Uncertain,
            Self::Internal(_) => ErrorKind::Internal,
        }
    }
}
