//! How the programs reach what they depend on: Redis, Globus, the mirrors of templates.

use std::path::PathBuf;

use secrecy::SecretString;

/// How Redis is reached.
#[derive(Debug, Clone)]
pub struct RedisOptions {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Password of the default user, if it has one.
    pub password: Option<SecretString>,
    /// Prefix of every key, so that deployments may share a Redis.
    pub prefix: String,
}

/// How Globus is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GlobusOptions {
    /// Client id of this deployment (a native app).
    pub client_id: String,
    /// Base of the Auth service, e.g. `https://auth.globus.org`.
    pub auth_url: String,
    /// Base of the Transfer API with its version, e.g.
    /// `https://transfer.api.globus.org/v0.10`.
    pub transfer_url: String,
}

/// How the mirrors of templates are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MirrorOptions {
    /// Folder of the mirrors.
    pub root: PathBuf,
    /// Folders below which local repositories may be.
    pub local_roots: Vec<PathBuf>,
    /// Largest mirror, and largest content of one commit, bytes.
    pub size_limit: u64,
}
