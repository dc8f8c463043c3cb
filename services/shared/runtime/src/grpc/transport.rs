//! How services of this deployment reach each other.

use std::{io, sync::Arc, time::Duration};

use compute_config::TlsFiles;
use compute_domain::Clock;
use http::Uri;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};
use tonic::transport::{Channel, Endpoint};
use tower::service_fn;

use crate::{
    shutdown::Shutdown,
    tls::{Credentials, IdentityError, Role},
};

const CONNECT: Duration = Duration::from_secs(5);
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Plainly, or with TLS by which both sides show what they are. Cheap to clone.
#[derive(Clone, Default)]
pub enum Transport {
    /// Whoever reaches a port may call.
    #[default]
    Plain,
    /// Only those whose certificate says so may call.
    Mutual(Credentials),
}

/// An address that leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{address:?} is not an address like {scheme}://host:port")]
pub struct AddressError {
    address: String,
    scheme: &'static str,
}

impl Transport {
    /// As the configuration says: with TLS if it names files for that.
    ///
    /// # Errors
    /// If the files cannot be used.
    pub fn load(files: Option<&TlsFiles>) -> Result<Self, IdentityError> {
        Ok(match files {
            None => Self::Plain,
            Some(files) => Self::Mutual(Credentials::load(files)?),
        })
    }

    /// Takes up new certificates, without a restart, as long as the process runs.
    pub fn keep_fresh(&self, clock: Arc<dyn Clock>, shutdown: &Shutdown) {
        if let Self::Mutual(credentials) = self {
            let credentials = credentials.clone();
            let stop = shutdown.token.clone();
            shutdown.tasks.spawn(credentials.keep_fresh(clock, stop));
        }
    }

    /// Scheme of the addresses at which services are reached.
    pub fn scheme(&self) -> &'static str {
        match self {
            Self::Plain => "http",
            Self::Mutual(_) => "https",
        }
    }

    /// A channel to the service of that role at `address`. It connects when first
    /// used, and again whenever the connection breaks.
    ///
    /// # Errors
    /// If `address` is invalid, or has the other scheme.
    pub fn channel(&self, address: &str, role: Role) -> Result<Channel, AddressError> {
        let wrong = || AddressError {
            address: address.to_owned(),
            scheme: self.scheme(),
        };
        let place = address
            .strip_prefix(self.scheme())
            .filter(|rest| rest.starts_with("://"))
            .ok_or_else(wrong)?;
        // The scheme of a connector of one's own: tonic itself adds no TLS to it.
        let endpoint = Endpoint::from_shared(format!("http{place}"))
            .map_err(|_| wrong())?
            .connect_timeout(CONNECT)
            .http2_keep_alive_interval(KEEP_ALIVE)
            .keep_alive_timeout(KEEP_ALIVE)
            .keep_alive_while_idle(true);
        Ok(match self {
            Self::Plain => endpoint.connect_lazy(),
            Self::Mutual(credentials) => {
                let credentials = credentials.clone();
                endpoint.connect_with_connector_lazy(service_fn(move |place: Uri| {
                    let credentials = credentials.clone();
                    async move { connect(place, role, &credentials).await.map(TokioIo::new) }
                }))
            }
        })
    }
}

async fn connect(
    place: Uri,
    role: Role,
    credentials: &Credentials,
) -> io::Result<TlsStream<TcpStream>> {
    let nowhere = || io::Error::from(io::ErrorKind::AddrNotAvailable);
    let authority = place.authority().ok_or_else(nowhere)?;
    let stream = TcpStream::connect(authority.as_str()).await?;
    stream.set_nodelay(true)?;
    let name = role.server_name().ok_or_else(nowhere)?;
    TlsConnector::from(credentials.identity().client.clone())
        .connect(name, stream)
        .await
}
