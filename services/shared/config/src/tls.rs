//! `tls` of `config.json`: with it, services speak TLS to each other and each
//! shows what it is.

use std::path::PathBuf;

use super::{Place, reader::Reader};

/// The files of one service, PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// Certificates of the authorities that are believed.
    pub authority: PathBuf,
    /// The service's own certificate, with what lies between it and the authority.
    pub certificate: PathBuf,
    /// The key of that certificate.
    pub key: PathBuf,
}

pub(super) fn read(r: &mut Reader<'_>, place: &Place<'_>) -> Option<TlsFiles> {
    r.get("tls")?;
    r.inside("tls", |r| {
        let files = (
            r.needed_text("ca_file"),
            r.needed_text("certificate_file"),
            r.needed_text("key_file"),
        );
        Some(TlsFiles {
            authority: place.path(&files.0?),
            certificate: place.path(&files.1?),
            key: place.path(&files.2?),
        })
    })
}
