//! TLS: one provider of cryptography for everything that speaks it, and what the
//! services of a deployment show each other.
//!
//! Each service has a certificate that says what it is (its [`Role`]), from an
//! authority of the deployment's own. Both sides of a connection show theirs; host
//! names do not matter, since replicas come and go.

mod credentials;
mod identity;
mod role;

pub use credentials::Credentials;
pub use identity::IdentityError;
pub use role::Role;

/// Makes ring the provider of this process: the first line of every `main`. A
/// second call changes nothing.
pub fn install_provider() {
    // An error means that there is one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
