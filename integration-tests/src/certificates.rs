//! Certificates of a world's services, created as an operator does, and the
//! settings of each service for them.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::ensure;
use compute_config::TlsFiles;
use compute_runtime::{grpc::Transport, tls::Role};

/// The certificates of a world's services.
#[derive(Debug)]
pub struct Certificates {
    /// `None` if the services do not use TLS.
    folder: Option<PathBuf>,
}

impl Certificates {
    /// Creates the certificates of the world in that folder.
    ///
    /// # Errors
    /// If `deploy/certificates` fails.
    pub(crate) fn of(world: &Path, wanted: bool) -> anyhow::Result<Self> {
        let certificates = Self {
            folder: wanted.then(|| world.join("tls")),
        };
        certificates.run(&[])?;
        Ok(certificates)
    }

    /// Creates new certificates for all roles; services load them by themselves.
    ///
    /// # Errors
    /// If `deploy/certificates` fails.
    pub fn renew(&self) -> anyhow::Result<()> {
        self.run(&["--renew"])
    }

    fn run(&self, options: &[&str]) -> anyhow::Result<()> {
        let Some(folder) = &self.folder else {
            return Ok(());
        };
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/certificates");
        let made = Command::new(script)
            .arg(folder)
            .args(options)
            .env("CERTIFICATE_OWNER", "0:0")
            .output()?;
        ensure!(made.status.success(), "deploy/certificates: {made:?}");
        Ok(())
    }

    fn files(&self, role: Role) -> Option<TlsFiles> {
        let folder = self.folder.as_ref()?.join(role.name());
        Some(TlsFiles {
            authority: folder.join("ca.crt"),
            certificate: folder.join("service.crt"),
            key: folder.join("service.key"),
        })
    }

    /// The TLS settings of a client with that role.
    ///
    /// # Errors
    /// If its files cannot be used.
    pub fn transport(&self, role: Role) -> anyhow::Result<Transport> {
        Ok(Transport::load(self.files(role).as_ref())?)
    }

    /// The variables of a service of that role, with the `ip:port` of the connector.
    pub(crate) fn envs(&self, role: Role, connector: Option<&str>) -> Vec<(String, String)> {
        let files = self.files(role);
        let scheme = if files.is_some() { "https" } else { "http" };
        let connector = connector.map(|at| ("CONNECTOR_ADDRESS", format!("{scheme}://{at}")));
        let files = files.into_iter().flat_map(|files| {
            [
                ("TLS__CA_FILE", files.authority),
                ("TLS__CERTIFICATE_FILE", files.certificate),
                ("TLS__KEY_FILE", files.key),
            ]
            .map(|(key, path)| (key, path.display().to_string()))
        });
        // Without a connector, the address only sets the scheme.
        connector
            .into_iter()
            .chain(files)
            .map(|(key, value)| (format!("CYBERGIS__{key}"), value))
            .collect()
    }
}
