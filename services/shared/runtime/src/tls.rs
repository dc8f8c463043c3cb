//! One provider of cryptography for everything that speaks TLS.

/// Makes ring the provider of this process: the first line of every `main`. A
/// second call changes nothing.
pub fn install_provider() {
    // An error means that there is one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
