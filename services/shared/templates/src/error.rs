//! What can be wrong with a template.

use compute_domain::ErrorKind;

/// Why a template cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// Its name cannot be a folder's name.
    #[error("{0:?} is not a template name: use letters, digits, _, . and -")]
    Id(String),
    /// Its address is of no allowed form.
    #[error("address {address:?} is not allowed: {reason}")]
    Address {
        /// As given, without what may be a password.
        address: String,
        /// What would be allowed.
        reason: String,
    },
    /// The repository cannot be fetched now.
    #[error("template {id} cannot be fetched: {reason}")]
    Fetch {
        /// The template.
        id: String,
        /// What git said.
        reason: String,
    },
    /// The repository, or what one commit unpacks to, is larger than allowed.
    #[error("template {id} is larger than {limit_mib} MiB")]
    TooLarge {
        /// The template.
        id: String,
        /// The limit.
        limit_mib: u64,
    },
    /// One commit holds more files and folders than allowed.
    #[error("template {id} holds more than {limit} files and folders")]
    TooManyFiles {
        /// The template.
        id: String,
        /// The limit.
        limit: u64,
    },
    /// The repository has no such commit.
    #[error("template {id} has no commit {sha}")]
    NoCommit {
        /// The template.
        id: String,
        /// The commit.
        sha: String,
    },
    /// There is no manifest, or it is no JSON.
    #[error("template {id}: manifest.json {reason}")]
    Manifest {
        /// The template.
        id: String,
        /// What is wrong.
        reason: String,
    },
    /// A path or a symbolic link leaves the template.
    #[error("template {id}: {path} leads out of the template")]
    Outside {
        /// The template.
        id: String,
        /// The path.
        path: String,
    },
    /// The commit was refused before, for this reason; it is not looked at again.
    #[error("{reason}")]
    RefusedBefore {
        /// What was said of it.
        reason: String,
    },
    /// The mirror's folder cannot be used, or git cannot be run.
    #[error("the mirror of template {id} cannot be used: {source}")]
    Mirror {
        /// The template.
        id: String,
        /// What the system said.
        source: std::io::Error,
    },
}

impl TemplateError {
    /// The kind of error, for whoever has to answer for it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Id(_) | Self::Address { .. } => ErrorKind::InvalidArgument,
            Self::NoCommit { .. } => ErrorKind::NotFound,
            Self::TooLarge { .. }
            | Self::TooManyFiles { .. }
            | Self::Manifest { .. }
            | Self::Outside { .. }
            | Self::RefusedBefore { .. } => ErrorKind::Refused,
            Self::Fetch { .. } | Self::Mirror { .. } => ErrorKind::Unavailable,
        }
    }
}
