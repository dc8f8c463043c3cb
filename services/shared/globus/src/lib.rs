//! Globus: bringing data to an HPC and results away from it.
//!
//! The Auth service gives access tokens for a refresh token (RFC 6749, 6), the
//! Transfer API (version 0.10) takes transfers and tells how they go. A transfer is
//! asked for with a submission id that is kept before: asking again with the same
//! one is the same transfer.
//!
//! Refresh tokens come in opened and are never shown or logged.

mod access;
mod error;
mod folder;
pub mod login;
mod retry;
mod task;
mod transfer;

pub use compute_domain::site::GlobusOptions;
pub use error::GlobusError;
pub use folder::{OutOfFolder, folder_below};
pub use task::{Task, TaskStatus};
pub use transfer::{Place, Transfer};

use std::{sync::Arc, time::Duration};

use compute_domain::Clock;
use reqwest::{Method, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use crate::{access::AccessTokens, retry::Retries, task::TaskAnswer};

/// Time limit of one request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);

/// Somebody at Globus in whose name is transferred.
#[derive(Debug, Clone)]
pub struct Identity {
    /// As in `hpc.json`, e.g. `tester@example.org`.
    pub name: String,
    /// What access tokens are got for.
    pub refresh_token: SecretString,
}

/// Client of both services. Clones share connections and access tokens.
#[derive(Debug, Clone)]
pub struct Globus {
    http: reqwest::Client,
    options: Arc<GlobusOptions>,
    access: AccessTokens,
}

impl Globus {
    /// A client. Nothing is asked yet.
    ///
    /// # Errors
    /// If the HTTP client cannot be made.
    pub fn new(options: GlobusOptions, clock: Arc<dyn Clock>) -> Result<Self, GlobusError> {
        let http = http_client()?;
        let options = Arc::new(options);
        Ok(Self {
            access: AccessTokens::new(http.clone(), Arc::clone(&options), clock),
            http,
            options,
        })
    }

    /// A new submission id.
    ///
    /// # Errors
    /// [`GlobusError`].
    pub async fn submission_id(&self, who: &Identity) -> Result<String, GlobusError> {
        let answer = self.call(who, Method::GET, "/submission_id", None).await?;
        text(&answer, "value")
    }

    /// Asks for a transfer, and returns its task id. With the submission id of an
    /// earlier one, it is that one's.
    ///
    /// # Errors
    /// [`GlobusError`]. If the answer was lost, ask again.
    pub async fn submit(&self, who: &Identity, transfer: &Transfer) -> Result<String, GlobusError> {
        let document = transfer.document();
        let answer = self
            .call(who, Method::POST, "/transfer", Some(document))
            .await?;
        text(&answer, "task_id")
    }

    /// How a transfer goes.
    ///
    /// # Errors
    /// [`GlobusError`].
    pub async fn task(&self, who: &Identity, task_id: &str) -> Result<Task, GlobusError> {
        let answer = self
            .call(who, Method::GET, &task_path(task_id, ""), None)
            .await?;
        let answer: TaskAnswer = serde_json::from_value(answer).map_err(GlobusError::odd)?;
        answer.try_into()
    }

    /// Ends a transfer. Ending one that is over succeeds.
    ///
    /// # Errors
    /// [`GlobusError`].
    pub async fn cancel(&self, who: &Identity, task_id: &str) -> Result<(), GlobusError> {
        let path = task_path(task_id, "/cancel");
        match self.call(who, Method::POST, &path, Some(json!({}))).await {
            Err(GlobusError::Refused { code, .. }) if code == "TaskComplete" => Ok(()),
            answer => answer.map(|_| ()),
        }
    }

    /// One question to the Transfer API, asked again if it may help. All of them
    /// may be: a submission id makes a transfer one.
    async fn call(
        &self,
        who: &Identity,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Value, GlobusError> {
        let mut retries = Retries::default();
        loop {
            let asked = self.ask(who, method.clone(), path, body.as_ref()).await;
            let Err(error) = asked else { return asked };
            if matches!(error, GlobusError::TokenRefused { .. }) && retries.first_rejected_token() {
                // The access token may have been withdrawn before its time.
                self.access.forget(who).await;
                continue;
            }
            let Some(delay) = retries.delay_after(&error) else {
                return Err(error);
            };
            tracing::debug!(path, %error, delay_ms = delay.as_millis(), "repeating a request to Globus");
            tokio::time::sleep(delay).await;
        }
    }

    async fn ask(
        &self,
        who: &Identity,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, GlobusError> {
        let access = self.access.token(who).await?;
        let url = format!("{}{path}", self.options.transfer_url);
        let mut request = self
            .http
            .request(method, url)
            .bearer_auth(access.expose_secret());
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.map_err(GlobusError::away)?;
        let status = answer.status();
        let retry_after = retry::retry_after(answer.headers());
        let body: Value = match answer.json().await {
            Ok(body) => body,
            Err(_) if !status.is_success() => Value::Null,
            Err(error) => return Err(GlobusError::away(error)),
        };
        match status {
            status if status.is_success() => Ok(body),
            StatusCode::UNAUTHORIZED => Err(GlobusError::TokenRefused {
                identity: who.name.clone(),
            }),
            status => Err(GlobusError::of_answer(status, &body, retry_after)),
        }
    }
}

pub(crate) fn http_client() -> Result<reqwest::Client, GlobusError> {
    reqwest::Client::builder()
        .timeout(REQUEST_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(GlobusError::away)
}

/// Ids come from Globus, and from our own store: never a path of somebody's choice.
fn task_path(task_id: &str, rest: &str) -> String {
    let id: String = form_urlencoded::byte_serialize(task_id.as_bytes()).collect();
    format!("/task/{id}{rest}")
}

fn text(answer: &Value, key: &str) -> Result<String, GlobusError> {
    let value = answer.get(key).and_then(Value::as_str);
    value
        .map(str::to_owned)
        .ok_or_else(|| GlobusError::Odd(format!("the answer lacks {key}")))
}
