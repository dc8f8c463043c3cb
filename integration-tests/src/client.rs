//! A REST client for the scenarios that need more than the Python client shows.

use std::time::Duration;

use anyhow::Context as _;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use reqwest::Method;
use serde_json::{Value, json};

/// A client that is logged in as one user of the hub.
#[derive(Debug, Clone)]
pub struct Client {
    base: String,
    token: String,
    request_id: Option<String>,
    http: reqwest::Client,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Its JSON.
    pub body: Value,
}

impl Client {
    /// A client of the gateway at `base` with the hub token of a user.
    pub fn new(base: &str, hub: &str, token: &str) -> Self {
        let token = BASE64_STANDARD.encode(format!("{hub}@{token}"));
        Self {
            base: base.to_owned(),
            token,
            request_id: None,
            http: reqwest::Client::new(),
        }
    }

    /// The same client, which sends this request id with all requests.
    #[must_use]
    pub fn with_request_id(&self, id: &str) -> Self {
        Self {
            request_id: Some(id.to_owned()),
            ..self.clone()
        }
    }

    /// A client of the same gateway, with any `token` in the body.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self {
            token: token.to_owned(),
            ..self.clone()
        }
    }

    /// The token, encoded for a body or a header.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Sends any request, with the token in the body as the Python client does.
    ///
    /// # Errors
    /// If there is no response, or if it is not JSON.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        mut body: Value,
    ) -> anyhow::Result<Answer> {
        if let Some(body) = body.as_object_mut() {
            body.insert("jupyterhubApiToken".to_owned(), json!(self.token));
        }
        let url = format!("{}{path}", self.base);
        let mut request = self.http.request(method, url).json(&body);
        if let Some(id) = &self.request_id {
            request = request.header("x-request-id", id);
        }
        let answer = request.send().await?;
        let status = answer.status().as_u16();
        let text = answer.text().await?;
        let body = serde_json::from_str(&text).with_context(|| format!("no JSON: {text}"))?;
        Ok(Answer { status, body })
    }

    /// `GET`.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        self.call(Method::GET, path, json!({})).await
    }

    /// `PUT`.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub async fn put(&self, path: &str, body: Value) -> anyhow::Result<Answer> {
        self.call(Method::PUT, path, body).await
    }

    /// `POST`.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub async fn post(&self, path: &str, body: Value) -> anyhow::Result<Answer> {
        self.call(Method::POST, path, body).await
    }

    /// Creates and configures a job of `template`; `settings` as `POST /job` and `PUT
    /// /job/:id` have them.
    ///
    /// # Errors
    /// If the gateway rejects a request.
    pub async fn prepare(&self, template: &str, settings: Value) -> anyhow::Result<String> {
        let login = ["hpc", "user", "password"];
        let given = |key: &str| settings.get(key).cloned().unwrap_or_default();
        let made_with = login.map(|key| (key.to_owned(), given(key)));
        let created = self
            .post("/job", Value::Object(made_with.into_iter().collect()))
            .await?;
        anyhow::ensure!(created.status == 200, "create: {created:?}");
        let id = created
            .body
            .get("id")
            .and_then(Value::as_str)
            .context("no id")?
            .to_owned();
        let mut body = settings;
        if let Some(body) = body.as_object_mut() {
            body.retain(|key, _| !login.contains(&key.as_str()));
            let folder = json!({"type": "git", "gitId": template});
            body.insert("localExecutableFolder".to_owned(), folder);
        }
        let changed = self.put(&format!("/job/{id}"), body).await?;
        anyhow::ensure!(changed.status == 200, "configure: {changed:?}");
        Ok(id)
    }

    /// Creates, configures and submits a job.
    ///
    /// # Errors
    /// If the gateway rejects a request.
    pub async fn submit(&self, template: &str, settings: Value) -> anyhow::Result<String> {
        let id = self.prepare(template, settings).await?;
        let submitted = self.post(&format!("/job/{id}/submit"), json!({})).await?;
        anyhow::ensure!(submitted.status == 200, "submit: {submitted:?}");
        Ok(id)
    }

    /// The job with its events and logs.
    ///
    /// # Errors
    /// If the gateway rejects a request.
    pub async fn job(&self, id: &str) -> anyhow::Result<Value> {
        let answer = self.get(&format!("/job/{id}")).await?;
        anyhow::ensure!(answer.status == 200, "{answer:?}");
        Ok(answer.body)
    }

    /// Waits until the job is in one of `states`.
    ///
    /// # Errors
    /// If it is not within `limit`.
    pub async fn until(&self, id: &str, states: &[&str], limit: Duration) -> anyhow::Result<Value> {
        crate::eventually(&format!("job {id} in {states:?}"), limit, async || {
            let job = self.job(id).await?;
            let there = job
                .get("state")
                .and_then(Value::as_str)
                .is_some_and(|state| states.contains(&state));
            Ok(there.then_some(job))
        })
        .await
    }

    /// Waits until the job has ended, failed or been cancelled.
    ///
    /// # Errors
    /// If it is not within `limit`.
    pub async fn over(&self, id: &str, limit: Duration) -> anyhow::Result<Value> {
        self.until(id, &["ended", "failed", "cancelled"], limit)
            .await
    }
}

/// Types of a job's events, in order.
pub fn event_types(job: &Value) -> Vec<String> {
    let events = job["events"].as_array().cloned().unwrap_or_default();
    events
        .iter()
        .filter_map(|event| Some(event["type"].as_str()?.to_owned()))
        .collect()
}

/// All logs of a job in one text.
pub fn log_text(job: &Value) -> String {
    let logs = job["logs"].as_array().cloned().unwrap_or_default();
    logs.iter()
        .filter_map(|log| log["message"].as_str().map(str::to_owned))
        .collect()
}
