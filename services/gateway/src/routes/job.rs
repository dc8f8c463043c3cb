//! Jobs: create, configure, submit, read.

use axum::{Json, extract::State, response::Response};
use compute_db::{ChangeOutcome, JobPatch, NewJob, StoreError};
use compute_domain::{
    ids::{FolderId, UserId},
    job::Job,
};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{
    auth::{Authorized, OwnJob, OwnJobInTurn, TokenOnly},
    credentials::Login,
    error::{GatewayError, JobRejection},
    globus_places,
    idempotency::{KeyHeader, Once},
    job_view::{EventView, JobView, LogView, folder_ids},
    legacy::{
        job_token,
        route_groups::{ForAccount, ForJob, ForJobChange, ForJobEvents},
    },
    limits::{FOLDER_LIMIT, MAP_LIMIT, SLURM_LIMIT, check_name, check_size, check_values},
    request_log,
    state::AppState,
    submit::{self, Submitted},
};

/// The maintainer of a job whose body names none.
const DEFAULT_MAINTAINER: &str = "community_contribution";

/// `POST /job`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({"maintainer": "community_contribution", "hpc": "keeling_community"})))]
pub struct CreateJob {
    /// Key of GET /maintainer; `community_contribution` unless given.
    maintainer: Option<String>,
    /// Key of GET /hpc; the default of the maintainer unless given.
    hpc: Option<String>,
    /// Account on an HPC with private accounts.
    user: Option<String>,
    /// Its password.
    #[schema(value_type = Option<String>)]
    password: Option<SecretString>,
    /// Whether the answer shall hold a secretToken (deprecated).
    job_token: Option<bool>,
}

/// `PUT /job/:id`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({
    "localExecutableFolder": {"type": "git", "gitId": "hello_world"},
    "param": {"input_a": 50, "input_b": "foo"},
    "slurm": {"num_of_task": 2, "time": "00:10:00"}
})))]
pub struct ChangeJob {
    /// Parameters of the template, by name.
    #[schema(value_type = Option<Object>)]
    param: Option<Map<String, Value>>,
    /// Environment variables, by name.
    #[schema(value_type = Option<Object>)]
    env: Option<Map<String, Value>>,
    /// Slurm options, e.g. num_of_task, time, memory.
    #[schema(value_type = Option<Object>)]
    slurm: Option<Map<String, Value>>,
    /// The template: {type: git, gitId}.
    #[schema(value_type = Option<Object>)]
    local_executable_folder: Option<Map<String, Value>>,
    /// The data: {type: globus, endpoint, path}, {type: local, path} or {type: empty}.
    #[schema(value_type = Option<Object>)]
    local_data_folder: Option<Map<String, Value>>,
    /// Id of one of the caller's folders, with the data.
    remote_data_folder: Option<String>,
    /// Id of one of the caller's folders, with the program.
    remote_executable_folder: Option<String>,
    /// A name of at most 255 characters.
    name: Option<String>,
}

/// Makes a job. On an HPC with private accounts, `user` and `password` are of the
/// caller's own account there, and are checked by logging in.
#[utoipa::path(post, path = "/job", request_body = CreateJob, tag = "job", params(KeyHeader),
    responses((status = OK, body = JobView), (status = UNAUTHORIZED), (status = CONFLICT),
        (status = UNPROCESSABLE_ENTITY)))]
pub async fn create(
    State(state): State<AppState>,
    once: Once,
    caller: Authorized<ForAccount, CreateJob>,
) -> Result<Json<JobView>, GatewayError> {
    let state = once.bind(state);
    let Authorized { user, body, .. } = caller;
    let user = &user.id;
    if let Some(view) = made_before(&state, user, &once).await? {
        return Ok(Json(view));
    }
    let name = body.maintainer.as_deref().unwrap_or(DEFAULT_MAINTAINER);
    let maintainer = state
        .site
        .maintainers
        .get(name)
        .ok_or(GatewayError::Unrecognized("maintainer"))?;
    let hpc = body.hpc.as_deref().unwrap_or(&maintainer.default_hpc);
    let hpc = state
        .site
        .hpcs
        .get(hpc)
        .ok_or(GatewayError::Unrecognized("hpc"))?;
    if !hpc.admits(user) {
        return Err(GatewayError::NotAuthorizedForHpc);
    }
    // Before a login is tried; it is counted again when the job is made.
    state.store.check_draft_limit(user).await?;
    let reserved = once.job_id().cloned();
    let id = reserved.unwrap_or_else(|| state.store.new_job_id());
    request_log::is_about(&id);
    let account = if hpc.is_community_account {
        None
    } else {
        let login = Login::new(body.user, body.password, None, hpc)?;
        login.check_and_keep(&state, user, hpc, &id).await?;
        Some(login.account)
    };
    let wants_token = body.job_token == Some(true);
    let secret = (wants_token && state.site.server.job_tokens).then(job_token::new_secret);
    let sealed = secret
        .as_ref()
        .map(|secret| state.seal.seal(secret, &job_token::purpose(&id)));
    let new = NewJob {
        id,
        user_id: user.clone(),
        maintainer: maintainer.name.clone(),
        hpc: hpc.name.clone(),
        account,
        secret_token: sealed.transpose()?,
    };
    let kept = new.account.is_some().then(|| new.id.clone());
    let created = state.store.create_job(new).await;
    if let (Err(StoreError::Limit(_)), Some(id)) = (&created, kept)
        && let Err(error) = state.queue.remove_credential(&hpc.name, &id).await
    {
        tracing::warn!(%error, "a login is kept until it expires");
    }
    let job = created?;
    tracing::info!(user.id = %job.user_id, hpc = job.hpc, "job made");
    Ok(Json(view(&state, job).await?.with_secret(secret)))
}

/// Configures a job that is not submitted yet.
#[utoipa::path(put, path = "/job/{id}", request_body = ChangeJob, tag = "job", params(("id" = String, Path)),
    responses((status = OK, body = JobView), (status = PAYMENT_REQUIRED)))]
pub async fn change(
    State(state): State<AppState>,
    own: OwnJob<ForJobChange, ChangeJob>,
) -> Result<Json<JobView>, GatewayError> {
    let (user, job) = (&own.user.id, own.job);
    let patch = patch(&state, user, own.body).await?;
    let data = patch.local_data_folder.as_ref();
    globus_places::may_be_source(&state, user, data, own.by_job_token)?;
    if own.by_job_token {
        check_own_folders(&job, &patch)?;
    }
    if patch == JobPatch::default() {
        return Err(JobRejection::NothingToUpdate.into());
    }
    match state.store.change_job(user, &job.id, patch).await? {
        ChangeOutcome::Changed(job) => {
            Ok(Json(view(&state, *job).await?.with(Vec::new(), Vec::new())))
        }
        ChangeOutcome::NotFound => Err(GatewayError::NoSuchJobToChange(job.id)),
        ChangeOutcome::AlreadySubmitted => Err(JobRejection::IsSubmitted.into()),
    }
}

/// One job with its events and logs.
#[utoipa::path(get, path = "/job/{id}", request_body = TokenOnly, tag = "job", params(("id" = String, Path)),
    responses((status = OK, body = JobView), (status = UNAUTHORIZED)))]
pub async fn show(
    State(state): State<AppState>,
    OwnJobInTurn { job, slot, .. }: OwnJobInTurn<TokenOnly>,
) -> Result<Response, GatewayError> {
    let events = state.store.events_of(&job.id).await?;
    let logs = state.store.logs_of(&job.id).await?;
    let view = view(&state, job).await?.with(events, logs);
    Ok(slot.until_sent(Json(view)))
}

/// Submits a job.
#[utoipa::path(post, path = "/job/{id}/submit", request_body = TokenOnly, tag = "job",
    params(("id" = String, Path), KeyHeader),
    responses((status = OK, body = JobView), (status = UNAUTHORIZED), (status = PAYMENT_REQUIRED),
        (status = CONFLICT), (status = UNPROCESSABLE_ENTITY)))]
pub async fn submit(
    State(state): State<AppState>,
    once: Once,
    OwnJob { job, .. }: OwnJob<ForJob, TokenOnly>,
) -> Result<Json<JobView>, GatewayError> {
    let state = once.bind(state);
    if once.is_done() {
        submit::publish(&state, &job).await;
        let view = view(&state, job).await?.with(Vec::new(), Vec::new());
        return Ok(Json(view));
    }
    if job.submitted_at.is_some() {
        return Err(GatewayError::AlreadySubmitted);
    }
    let Submitted { job, notice } = submit::submit(&state, &job).await?;
    tracing::info!(hpc = job.hpc, "job queued");
    let view = view(&state, job).await?.with(Vec::new(), Vec::new());
    Ok(Json(view.with_messages(notice)))
}

/// A job's events, oldest first.
#[utoipa::path(get, path = "/job/{id}/events", request_body = TokenOnly, tag = "job", params(("id" = String, Path)),
    responses((status = OK, body = Vec<EventView>), (status = UNAUTHORIZED)))]
pub async fn events(
    State(state): State<AppState>,
    OwnJob { job, .. }: OwnJob<ForJobEvents, TokenOnly>,
) -> Result<Json<Vec<EventView>>, GatewayError> {
    let events = state.store.events_of(&job.id).await?;
    Ok(Json(events.into_iter().map(EventView::from).collect()))
}

/// A job's logs, oldest first.
#[utoipa::path(get, path = "/job/{id}/logs", request_body = TokenOnly, tag = "job", params(("id" = String, Path)),
    responses((status = OK, body = Vec<LogView>), (status = UNAUTHORIZED)))]
pub async fn logs(
    State(state): State<AppState>,
    OwnJobInTurn { job, slot, .. }: OwnJobInTurn<TokenOnly>,
) -> Result<Response, GatewayError> {
    let logs = state.store.logs_of(&job.id).await?;
    let logs: Vec<_> = logs.into_iter().map(LogView::from).collect();
    Ok(slot.until_sent(Json(logs)))
}

/// Directories below a job's result folder; empty until it is over.
#[utoipa::path(get, path = "/job/{id}/result-folder-content", request_body = TokenOnly, tag = "job",
    params(("id" = String, Path)),
    responses((status = OK, body = Vec<String>), (status = UNAUTHORIZED)))]
pub async fn result_folder_content(own: OwnJobInTurn<TokenOnly>) -> Response {
    let OwnJobInTurn { job, slot, .. } = own;
    slot.until_sent(Json(job.result_listing.unwrap_or_default()))
}

/// The job that an earlier request with the same key has made.
async fn made_before(
    state: &AppState,
    user: &UserId,
    once: &Once,
) -> Result<Option<JobView>, GatewayError> {
    let Some(id) = once.job_id().filter(|_| once.is_done()) else {
        return Ok(None);
    };
    let Some(job) = state.store.job_of(user, id).await? else {
        return Ok(None);
    };
    let sealed = job.secret_token.as_deref();
    let secret = sealed.map(|sealed| state.seal.open(sealed, &job_token::purpose(&job.id)));
    let secret = secret.transpose()?;
    Ok(Some(view(state, job).await?.with_secret(secret)))
}

async fn view(state: &AppState, job: Job) -> Result<JobView, GatewayError> {
    let folders = state.store.folders(&folder_ids(&job)).await?;
    Ok(JobView::new(job, &folders))
}

/// The change that `body` asks for, whose values may be kept and whose folders are the
/// user's.
async fn patch(state: &AppState, user: &UserId, body: ChangeJob) -> Result<JobPatch, GatewayError> {
    check_name(body.name.as_deref())?;
    for (field, values, limit) in [
        ("param", &body.param, MAP_LIMIT),
        ("env", &body.env, MAP_LIMIT),
        ("slurm", &body.slurm, SLURM_LIMIT),
    ] {
        check_values(field, values.as_ref().unwrap_or(&Map::new()), limit)?;
    }
    let (executable, data) = (body.local_executable_folder, body.local_data_folder);
    check_size("localExecutableFolder", executable.as_ref(), FOLDER_LIMIT)?;
    check_size("localDataFolder", data.as_ref(), FOLDER_LIMIT)?;
    Ok(JobPatch {
        name: body.name,
        param: body.param,
        env: body.env,
        slurm: body.slurm,
        local_executable_folder: executable.map(Value::Object),
        local_data_folder: data.map(Value::Object),
        remote_data_folder_id: own_folder(state, user, body.remote_data_folder).await?,
        remote_executable_folder_id: own_folder(state, user, body.remote_executable_folder).await?,
    })
}

/// A job's token opens no folder that is not the job's own already.
fn check_own_folders(job: &Job, patch: &JobPatch) -> Result<(), JobRejection> {
    let own = folder_ids(job);
    let named = [
        &patch.remote_data_folder_id,
        &patch.remote_executable_folder_id,
    ];
    match named.into_iter().flatten().find(|id| !own.contains(id)) {
        None => Ok(()),
        Some(id) => Err(JobRejection::UnknownFolder(id.clone())),
    }
}

async fn own_folder(
    state: &AppState,
    user: &UserId,
    id: Option<String>,
) -> Result<Option<FolderId>, GatewayError> {
    let Some(id) = id.map(FolderId::from_text) else {
        return Ok(None);
    };
    match state.store.folder_of(user, &id).await? {
        Some(folder) => Ok(Some(folder.id)),
        None => Err(JobRejection::UnknownFolder(id).into()),
    }
}
