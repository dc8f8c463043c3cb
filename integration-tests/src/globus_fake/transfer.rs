//! The Transfer API: submission ids, transfers, tasks.

use std::{path::PathBuf, sync::Arc};

use axum::{
    Json,
    extract::{FromRequestParts, Path, State},
    http::{StatusCode, header::RETRY_AFTER, request::Parts},
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Shared, copy, refused};

/// The status of a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// In progress, or held.
    Active,
    /// Done.
    Succeeded,
    /// Failed or cancelled.
    Failed,
}

impl Status {
    fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
        }
    }
}

/// A transfer.
#[derive(Debug, Clone)]
pub(super) struct Task {
    pub(super) status: Status,
    label: String,
    detail: String,
    bytes: u64,
    files: u64,
}

/// A request with a valid access token, for which no error is scheduled.
pub(super) struct Admitted;

impl FromRequestParts<Shared> for Admitted {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Result<Self, Response> {
        let mut inner = state.lock();
        inner.questions += 1;
        if let Some((status, retry_after)) = inner.faults.pop() {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
            let answer = refused(status, "ServiceUnavailable", "a fault of the test's");
            return Err(match retry_after {
                Some(seconds) => ([(RETRY_AFTER, seconds.to_string())], answer).into_response(),
                None => answer,
            });
        }
        let header = parts.headers.get("authorization");
        let token = header
            .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "))
            .unwrap_or_default();
        if inner.access_tokens.iter().any(|good| good == token) {
            return Ok(Self);
        }
        let words = "Token is not active";
        Err(refused(
            StatusCode::UNAUTHORIZED,
            "AuthenticationFailed",
            words,
        ))
    }
}

#[derive(Deserialize)]
pub(super) struct Document {
    #[serde(rename = "DATA_TYPE")]
    data_type: String,
    submission_id: String,
    #[serde(default)]
    label: Option<String>,
    source_endpoint: String,
    destination_endpoint: String,
    #[serde(rename = "DATA")]
    items: Vec<Item>,
}

#[derive(Deserialize)]
pub(super) struct Item {
    source_path: String,
    destination_path: String,
    #[serde(default)]
    recursive: Option<bool>,
}

pub(super) async fn submission_id(_: Admitted) -> Json<Value> {
    let value = uuid::Uuid::new_v4().to_string();
    Json(json!({"DATA_TYPE": "submission_id", "value": value}))
}

pub(super) async fn submit(
    _: Admitted,
    State(state): State<Shared>,
    Json(document): Json<Value>,
) -> Response {
    let document: Document = match serde_json::from_value(document) {
        Ok(document) => document,
        Err(error) => {
            let words = error.to_string();
            return refused(StatusCode::BAD_REQUEST, "BadRequest", &words);
        }
    };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || " _-,".contains(c);
    let label = document.label.unwrap_or_default();
    if document.data_type != "transfer" || !label.chars().all(is_plain) {
        return refused(StatusCode::BAD_REQUEST, "BadRequest", "wrong type or label");
    }
    let mut inner = state.lock();
    if let Some(task_id) = inner.submissions.get(&document.submission_id) {
        return accepted(task_id, &document.submission_id, "Duplicate");
    }
    let root = |id: &String| inner.endpoints.get(id).cloned();
    let (from, to) = (
        root(&document.source_endpoint),
        root(&document.destination_endpoint),
    );
    let (Some(from), Some(to)) = (from, to) else {
        let code = "EndpointNotFound";
        return refused(StatusCode::NOT_FOUND, code, "No such endpoint");
    };
    let task_id = uuid::Uuid::new_v4().to_string();
    inner
        .submissions
        .insert(document.submission_id.clone(), task_id.clone());
    let task = Task {
        status: Status::Active,
        label,
        detail: "Queued".to_owned(),
        bytes: 0,
        files: 0,
    };
    inner.tasks.insert(task_id.clone(), task);
    drop(inner);
    let items = document.items;
    let running = copy_all(Arc::clone(&state), task_id.clone(), from, to, items);
    state.copies.spawn(running);
    accepted(&task_id, &document.submission_id, "Accepted")
}

fn accepted(task_id: &str, submission_id: &str, code: &str) -> Response {
    let body = json!({"DATA_TYPE": "transfer_result", "code": code, "message": code,
        "request_id": "fake", "resource": "/transfer", "submission_id": submission_id,
        "task_id": task_id});
    (StatusCode::ACCEPTED, Json(body)).into_response()
}

async fn copy_all(state: Shared, id: String, from: PathBuf, to: PathBuf, items: Vec<Item>) {
    loop {
        let changed = state.changed.notified();
        if !state.lock().is_held {
            break;
        }
        changed.await;
    }
    let is_active = |state: &Shared| {
        let inner = state.lock();
        inner
            .tasks
            .get(&id)
            .is_some_and(|task| task.status == Status::Active)
    };
    if !is_active(&state) {
        return;
    }
    let work = move || {
        let each = items.iter().map(|item| {
            let is_folder = item.recursive.unwrap_or(false);
            copy::copy(
                &from,
                &item.source_path,
                &to,
                &item.destination_path,
                is_folder,
            )
        });
        each.collect::<std::io::Result<Vec<_>>>()
    };
    let copied = tokio::task::spawn_blocking(work).await;
    let mut inner = state.lock();
    let Some(task) = inner
        .tasks
        .get_mut(&id)
        .filter(|task| task.status == Status::Active)
    else {
        return;
    };
    match copied
        .map_err(std::io::Error::other)
        .and_then(|copied| copied)
    {
        Ok(copied) => {
            task.status = Status::Succeeded;
            task.detail = "OK".to_owned();
            task.files = copied.iter().map(|copied| copied.files).sum();
            task.bytes = copied.iter().map(|copied| copied.bytes).sum();
        }
        Err(error) => {
            task.status = Status::Failed;
            task.detail = error.to_string();
        }
    }
}

pub(super) async fn task(
    _: Admitted,
    State(state): State<Shared>,
    Path(id): Path<String>,
) -> Response {
    let inner = state.lock();
    let Some(task) = inner.tasks.get(&id) else {
        return no_task();
    };
    let fatal = (task.status == Status::Failed)
        .then(|| json!({"code": "ENDPOINT_ERROR", "description": task.detail}));
    Json(
        json!({"DATA_TYPE": "task", "task_id": id, "type": "TRANSFER", "label": task.label,
        "status": task.status.as_str(), "nice_status": null,
        "nice_status_details": null, "nice_status_short_description": task.detail,
        "fatal_error": fatal, "files": task.files, "files_transferred": task.files,
        "bytes_transferred": task.bytes, "sync_level": 3}),
    )
    .into_response()
}

pub(super) async fn cancel(
    _: Admitted,
    State(state): State<Shared>,
    Path(id): Path<String>,
) -> Response {
    let mut inner = state.lock();
    let Some(task) = inner.tasks.get_mut(&id) else {
        return no_task();
    };
    let code = if task.status == Status::Active {
        task.status = Status::Failed;
        task.detail = "canceled by user".to_owned();
        "Canceled"
    } else {
        "TaskComplete"
    };
    Json(
        json!({"DATA_TYPE": "result", "code": code, "message": code, "request_id": "fake",
        "resource": format!("/task/{id}/cancel")}),
    )
    .into_response()
}

fn no_task() -> Response {
    let code = "ClientError.NotFound";
    refused(StatusCode::NOT_FOUND, code, "No such task")
}
