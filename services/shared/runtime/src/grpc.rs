//! gRPC between services: serving one with health and reflection beside it, and
//! reaching one; plainly, or with TLS by which each shows what it is.

mod callers;
mod incoming;
mod observed;
mod transport;

use std::convert::Infallible;

use anyhow::Context as _;
use http::{Request, Response};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::{
    body::Body,
    server::NamedService,
    transport::{Server, server::TcpIncoming},
};
use tower::Service;

pub use callers::{Callers, Method};
pub use transport::{AddressError, Transport};

use callers::Guarded;
use observed::Observed;

/// Answers on `listener` until `stop`, then lets the calls at hand end. Over TLS
/// each method is for its `callers` only.
///
/// # Errors
/// If the descriptors are none, or the listener fails.
pub async fn serve<S>(
    listener: TcpListener,
    transport: Transport,
    service: S,
    callers: Callers,
    descriptors: &'static [u8],
    stop: CancellationToken,
) -> anyhow::Result<()>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>
        + NamedService
        + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send + 'static,
{
    let (health, health_service) = tonic_health::server::health_reporter();
    health.set_serving::<S>().await;
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(descriptors)
        .build_v1()
        .context("descriptors")?;
    let stopping = async move {
        stop.cancelled().await;
        health.set_not_serving::<S>().await;
    };
    let server = Server::builder()
        .http2_keepalive_interval(Some(std::time::Duration::from_secs(15)))
        .add_service(health_service)
        .add_service(reflection);
    let served = match transport {
        Transport::Plain => {
            // Small answers must not wait for the acknowledgement of the one before.
            let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
            server
                .add_service(Observed(service))
                .serve_with_incoming_shutdown(incoming, stopping)
                .await
        }
        Transport::Mutual(credentials) => {
            let incoming = incoming::handshaken(listener, credentials);
            server
                .add_service(Observed(Guarded::new(service, callers)))
                .serve_with_incoming_shutdown(incoming, stopping)
                .await
        }
    };
    served.context("gRPC service")
}
