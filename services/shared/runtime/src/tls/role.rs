//! What a service is, as its certificate says.

use rustls::{
    client::verify_server_name,
    pki_types::{CertificateDer, DnsName, ServerName},
    server::ParsedCertificate,
};

/// A part of the deployment. Its name stands in its certificate as a DNS name
/// (RFC 5280, 4.2.1.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Answers clients.
    Gateway,
    /// Carries jobs.
    Maintainer,
    /// Reaches the HPCs.
    Connector,
    /// The operator's command.
    Operator,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Gateway,
        Self::Maintainer,
        Self::Connector,
        Self::Operator,
    ];

    /// The name in its certificate.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Maintainer => "maintainer",
            Self::Connector => "connector",
            Self::Operator => "operator",
        }
    }

    /// The name that a caller expects in the certificate of who answers.
    pub(crate) fn server_name(self) -> Option<ServerName<'static>> {
        DnsName::try_from(self.name()).ok().map(ServerName::DnsName)
    }

    /// Whether `certificate`, which has been verified, says this role.
    pub(crate) fn is_in(self, certificate: &CertificateDer<'_>) -> bool {
        let parsed = ParsedCertificate::try_from(certificate).ok();
        let name = self.server_name();
        parsed
            .zip(name)
            .is_some_and(|(parsed, name)| verify_server_name(&parsed, &name).is_ok())
    }
}
