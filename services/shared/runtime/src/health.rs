//! `/livez`, `/readyz` and `/metrics` over HTTP.

mod checks;

use std::net::SocketAddr;

use axum::{Json, Router, http::StatusCode, response::IntoResponse, routing::get};
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::json;

pub use checks::{CheckResult, HealthChecks};

use crate::{meters, shutdown::Shutdown};

/// The routes. `/livez` says that the process answers, `/readyz` that everything
/// it depends on does.
pub fn router(parts: HealthChecks, metrics: Option<PrometheusHandle>) -> Router {
    Router::new()
        .route("/livez", get(async || Json(json!({"live": true}))))
        .route("/readyz", get(move || parts.clone().report()))
        .route(
            "/metrics",
            get(async move || match &metrics {
                Some(handle) => handle.render().into_response(),
                None => StatusCode::NOT_FOUND.into_response(),
            }),
        )
}

/// Serves the routes on an address of their own until the process stops.
///
/// # Errors
/// If the address is taken.
pub async fn serve(
    address: SocketAddr,
    parts: HealthChecks,
    shutdown: &Shutdown,
) -> anyhow::Result<()> {
    let listener = tokio::net::TcpListener::bind(address).await?;
    tracing::info!(address = %listener.local_addr()?, "health and metrics");
    let router = router(parts, meters::collect(shutdown));
    let stop = shutdown.token.clone().cancelled_owned();
    shutdown.tasks.spawn(async move {
        if let Err(error) = axum::serve(listener, router)
            .with_graceful_shutdown(stop)
            .await
        {
            tracing::error!(%error, "health service ended");
        }
    });
    Ok(())
}
