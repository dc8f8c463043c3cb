//! Serving gRPC: a service with health and reflection beside it.

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

/// Answers on `listener` until `stop`, then lets the calls at hand end.
///
/// # Errors
/// If the descriptors are none, or the listener fails.
pub async fn serve<S>(
    listener: TcpListener,
    service: S,
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
    Server::builder()
        .http2_keepalive_interval(Some(std::time::Duration::from_secs(15)))
        .add_service(health_service)
        .add_service(reflection)
        .add_service(service)
        .serve_with_incoming_shutdown(
            // Small answers must not wait for the acknowledgement of the one before.
            TcpIncoming::from(listener).with_nodelay(Some(true)),
            stopping,
        )
        .await
        .context("gRPC service")
}
