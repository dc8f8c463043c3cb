//! `/livez`, `/readyz` and `/metrics` over HTTP.

use std::{collections::BTreeMap, future::Future, net::SocketAddr, pin::Pin, sync::Arc};

use axum::{Json, Router, http::StatusCode, response::IntoResponse, routing::get};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use serde_json::{Value, json};

use crate::shutdown::Shutdown;

/// Looks at one part: `Ok`, or what is wrong with it.
pub type Probe =
    Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Result<(), String>> + Send>> + Send + Sync>;

/// What a process depends on, by name.
#[derive(Clone, Default)]
pub struct Parts(BTreeMap<&'static str, Probe>);

impl Parts {
    /// With one more part.
    #[must_use]
    pub fn with<F>(
        mut self,
        name: &'static str,
        probe: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        self.0.insert(name, Arc::new(move || Box::pin(probe())));
        self
    }

    async fn report(self) -> (StatusCode, Json<Value>) {
        let mut parts = serde_json::Map::new();
        let mut all = true;
        for (name, probe) in self.0 {
            let outcome = probe().await;
            all &= outcome.is_ok();
            let part = match outcome {
                Ok(()) => json!({"ok": true}),
                Err(detail) => json!({"ok": false, "detail": detail}),
            };
            parts.insert(name.to_owned(), part);
        }
        let status = if all {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        };
        (status, Json(json!({"ready": all, "parts": parts})))
    }
}

/// Starts collecting metrics; `None` if another part of this process has.
pub fn collect_metrics() -> Option<PrometheusHandle> {
    PrometheusBuilder::new().install_recorder().ok()
}

/// The routes. `/livez` says that the process answers, `/readyz` that everything
/// it depends on does.
pub fn router(parts: Parts, metrics: Option<PrometheusHandle>) -> Router {
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
pub async fn serve(address: SocketAddr, parts: Parts, shutdown: &Shutdown) -> anyhow::Result<()> {
    let listener = tokio::net::TcpListener::bind(address).await?;
    tracing::info!(address = %listener.local_addr()?, "health and metrics");
    let router = router(parts, collect_metrics());
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
