//! A stand-in for Globus' Auth and Transfer services, which cannot be installed
//! locally. It uses the same protocol over real HTTP, and copies files between
//! folders that stand for endpoints. Tests drive it with `globus-sdk`, the library of
//! Globus itself, to show that the protocol is the real one.

mod auth;
mod copy;
mod login;
mod transfer;

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Json, Router,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;

pub use transfer::Status;
use transfer::Task;

/// The client id that the fake knows.
pub const CLIENT_ID: &str = "5ad5c1b2-0000-4000-8000-000000000001";

/// A running fake; it ends with the process.
#[derive(Clone)]
pub struct GlobusFake {
    base: String,
    state: Shared,
}

type Shared = Arc<State>;

#[derive(Default)]
struct State {
    inner: Mutex<Inner>,
    changed: tokio::sync::Notify,
    copies: TaskTracker,
}

#[derive(Default)]
struct Inner {
    /// Folder of each endpoint.
    endpoints: BTreeMap<String, PathBuf>,
    /// PKCE challenge of each code that was issued.
    codes: HashMap<String, String>,
    refresh_tokens: Vec<String>,
    access_tokens: Vec<String>,
    submissions: HashMap<String, String>,
    tasks: BTreeMap<String, Task>,
    /// Whether transfers wait before they copy.
    is_held: bool,
    /// Error responses to send instead of the next results.
    faults: Vec<(u16, Option<u64>)>,
    questions: usize,
}

impl State {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A test that failed while it held the lock has failed anyway.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl GlobusFake {
    /// Starts it on a free port, with one folder for each endpoint.
    ///
    /// # Errors
    /// If no port is available.
    pub async fn start(endpoints: &[(&str, PathBuf)]) -> anyhow::Result<Self> {
        let state = Shared::default();
        let named = |(id, root): &(&str, PathBuf)| ((*id).to_owned(), root.clone());
        state.lock().endpoints = endpoints.iter().map(named).collect();
        let app = Router::new()
            .route("/v2/oauth2/authorize", get(auth::authorize))
            .route("/v2/oauth2/token", post(auth::token))
            .route("/v0.10/submission_id", get(transfer::submission_id))
            .route("/v0.10/transfer", post(transfer::submit))
            .route("/v0.10/task/{id}", get(transfer::task))
            .route("/v0.10/task/{id}/cancel", post(transfer::cancel))
            .with_state(Arc::clone(&state));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let base = format!("http://{}", listener.local_addr()?);
        let served = state.copies.clone();
        served.spawn(async move { axum::serve(listener, app).await });
        Ok(Self { base, state })
    }

    /// Base address of both services.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// `globus_client_id`, `globus` and `globus_collections` of `config.json`; the
    /// endpoints in `open` are open to all users.
    pub fn config(&self, open: &[&str]) -> Value {
        let open: Vec<_> = open.iter().map(|id| json!({"id": id})).collect();
        json!({"globus_collections": open, "globus_client_id": CLIENT_ID, "globus": {"auth_url": self.base,
            "transfer_url": format!("{}/v0.10", self.base), "poll_seconds": 1}})
    }

    /// Makes transfers that are requested from now on wait before they copy, or continue.
    pub fn hold(&self, is_held: bool) {
        self.state.lock().is_held = is_held;
        self.state.changed.notify_waiters();
    }

    /// Makes the next requests to the Transfer API fail with this status.
    pub fn fail(&self, status: u16, retry_after: Option<u64>, times: usize) {
        let faults = &mut self.state.lock().faults;
        faults.extend(std::iter::repeat_n((status, retry_after), times));
    }

    /// Invalidates all access tokens.
    pub fn expire_access(&self) {
        self.state.lock().access_tokens.clear();
    }

    /// Invalidates all refresh tokens.
    pub fn withdraw_consent(&self) {
        self.state.lock().refresh_tokens.clear();
    }

    /// A new refresh token, as a login returns one.
    pub fn refresh_token(&self) -> String {
        auth::new_refresh_token(&self.state)
    }

    /// The status of each transfer that was requested so far.
    pub fn transfers(&self) -> Vec<Status> {
        let tasks = &self.state.lock().tasks;
        tasks.values().map(|task| task.status).collect()
    }

    /// How many requests the Transfer API has received.
    pub fn questions(&self) -> usize {
        self.state.lock().questions
    }
}

/// An error in the format of the Transfer API.
fn refused(status: StatusCode, code: &str, message: &str) -> Response {
    let body = json!({"code": code, "message": message, "request_id": "fake", "resource": "/"});
    (status, Json(body)).into_response()
}
