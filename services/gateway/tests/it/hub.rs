//! A hub that speaks the protocol of JupyterHub's REST API, as far as the gateway asks.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode, header::AUTHORIZATION},
    response::{IntoResponse as _, Response},
    routing::get,
};
use serde_json::json;

/// The token of the user `name` on the hub.
pub(crate) fn token_of(name: &str) -> String {
    format!("token-of-{name}")
}

#[derive(Clone, Default)]
pub(crate) struct Hub {
    pub(crate) host: String,
    asked: Arc<AtomicUsize>,
    is_away: Arc<AtomicBool>,
}

impl Hub {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let hub = Self {
            host: listener.local_addr().unwrap().to_string(),
            ..Self::default()
        };
        let app = Router::new()
            .route("/hub/api/user", get(user))
            .with_state(hub.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        hub
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// From now on it answers as a proxy does whose hub is stopped.
    pub(crate) fn go_away(&self) {
        self.is_away.store(true, Ordering::SeqCst);
    }
}

/// `GET /hub/api/user`: the model of the user whose token is in `Authorization`.
async fn user(State(hub): State<Hub>, headers: HeaderMap) -> Response {
    hub.asked.fetch_add(1, Ordering::SeqCst);
    if hub.is_away.load(Ordering::SeqCst) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let value = headers.get(AUTHORIZATION).and_then(|v| v.to_str().ok());
    let token = value.and_then(|value| {
        let token = value.strip_prefix("token ");
        token.or_else(|| value.strip_prefix("Bearer "))
    });
    match token.and_then(|token| token.strip_prefix("token-of-")) {
        Some(name) => Json(json!({
            "name": name, "kind": "user", "admin": false, "roles": ["user"], "groups": [],
            "server": null, "pending": null, "servers": {}, "auth_state": null,
            "created": "2026-11-01T00:00:00.000000Z",
            "last_activity": "2026-11-26T00:00:00.000000Z",
        }))
        .into_response(),
        None => {
            let body = json!({"status": 403, "message": "Forbidden"});
            (StatusCode::FORBIDDEN, Json(body)).into_response()
        }
    }
}
