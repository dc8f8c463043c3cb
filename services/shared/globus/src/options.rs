//! Where the services are, and who we are to them.

/// How Globus is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GlobusOptions {
    /// Client id of this deployment (a native app).
    pub client_id: String,
    /// Base of the Auth service, e.g. `https://auth.globus.org`.
    pub auth_url: String,
    /// Base of the Transfer API, e.g. `https://transfer.api.globus.org/v0.10`.
    pub transfer_url: String,
}
