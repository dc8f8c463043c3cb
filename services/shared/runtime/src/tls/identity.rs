//! A service's certificate and key, and the authority that it believes.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use compute_domain::Timestamp;
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    pki_types::{
        CertificateDer, PrivateKeyDer,
        pem::{self, PemObject as _},
    },
    server::{VerifierBuilderError, WebPkiClientVerifier},
    version::TLS13,
};

use compute_config::TlsFiles;

/// What is spoken over these connections (RFC 7540, 3.1).
const HTTP2: &[u8] = b"h2";

/// Why there is no identity.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// A file is not there, or not for this account.
    #[error("{} cannot be read: {source}", path.display())]
    Unreadable {
        /// Of the file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file does not hold what it should.
    #[error("{} contains no {what} in PEM: {source}", path.display())]
    NotPem {
        /// Of the file.
        path: PathBuf,
        /// What was looked for.
        what: &'static str,
        /// What was found.
        source: pem::Error,
    },
    /// Certificate and key do not belong together, or one of them is unusable.
    #[error("{} and its key cannot be used: {source}", path.display())]
    Unfit {
        /// Of the certificate.
        path: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// No certificate could be checked with the authority's.
    #[error("{} cannot be used as an authority: {source}", path.display())]
    Authority {
        /// Of the authority's certificates.
        path: PathBuf,
        /// Why.
        source: VerifierBuilderError,
    },
    /// The certificate does not say until when it is good.
    #[error("{} is not an X.509 certificate", path.display())]
    NotX509 {
        /// Of the certificate.
        path: PathBuf,
    },
}

/// The files as they were read.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Pems {
    authority: Vec<u8>,
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl Pems {
    pub(super) fn read(files: &TlsFiles) -> Result<Self, IdentityError> {
        let read = |path: &Path| {
            fs::read(path).map_err(|source| IdentityError::Unreadable {
                path: path.to_owned(),
                source,
            })
        };
        Ok(Self {
            authority: read(&files.authority)?,
            certificate: read(&files.certificate)?,
            key: read(&files.key)?,
        })
    }
}

/// What a service shows to others, and by what it judges what they show.
pub(crate) struct Identity {
    pub(crate) client: Arc<ClientConfig>,
    pub(crate) server: Arc<ServerConfig>,
    pub(crate) expires: Timestamp,
}

impl Identity {
    pub(super) fn of(pems: &Pems, files: &TlsFiles) -> Result<Self, IdentityError> {
        let authority = Arc::new(authority(pems, files)?);
        let chain = certificates(&pems.certificate, &files.certificate)?;
        let key =
            PrivateKeyDer::from_pem_slice(&pems.key).map_err(not_pem(&files.key, "private key"))?;
        let expires = chain.first().and_then(expiry);
        let expires = expires.ok_or_else(|| IdentityError::NotX509 {
            path: files.certificate.clone(),
        })?;
        let unfit = |source| IdentityError::Unfit {
            path: files.certificate.clone(),
            source,
        };
        let callers = WebPkiClientVerifier::builder(Arc::clone(&authority)).build();
        let callers = callers.map_err(|source| IdentityError::Authority {
            path: files.authority.clone(),
            source,
        })?;
        let mut server = ServerConfig::builder_with_protocol_versions(&[&TLS13])
            .with_client_cert_verifier(callers)
            .with_single_cert(chain.clone(), key.clone_key())
            .map_err(unfit)?;
        server.alpn_protocols = vec![HTTP2.to_vec()];
        let mut client = ClientConfig::builder_with_protocol_versions(&[&TLS13])
            .with_root_certificates(authority)
            .with_client_auth_cert(chain, key)
            .map_err(unfit)?;
        client.alpn_protocols = vec![HTTP2.to_vec()];
        Ok(Self {
            client: Arc::new(client),
            server: Arc::new(server),
            expires,
        })
    }
}

fn authority(pems: &Pems, files: &TlsFiles) -> Result<RootCertStore, IdentityError> {
    let mut store = RootCertStore::empty();
    for certificate in certificates(&pems.authority, &files.authority)? {
        store
            .add(certificate)
            .map_err(|source| IdentityError::Unfit {
                path: files.authority.clone(),
                source,
            })?;
    }
    Ok(store)
}

fn certificates(pem: &[u8], path: &Path) -> Result<Vec<CertificateDer<'static>>, IdentityError> {
    let not_pem = not_pem(path, "certificate");
    let found = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(&not_pem)?;
    if found.is_empty() {
        return Err(not_pem(pem::Error::NoItemsFound));
    }
    Ok(found)
}

fn not_pem(path: &Path, what: &'static str) -> impl Fn(pem::Error) -> IdentityError {
    move |source| IdentityError::NotPem {
        path: path.to_owned(),
        what,
        source,
    }
}

/// `notAfter` (RFC 5280, 4.1.2.5).
fn expiry(certificate: &CertificateDer<'_>) -> Option<Timestamp> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).ok()?;
    let seconds = parsed.validity().not_after.timestamp();
    Some(Timestamp::from_millis(seconds.saturating_mul(1000)))
}
