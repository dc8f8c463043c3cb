//! Jobs: make, configure, look.

use axum::{
    Json,
    extract::{Path, State},
    response::Response,
};
use compute_db::{ChangeOutcome, JobPatch, NewJob, StoreError};
use compute_domain::{
    ids::{FolderId, JobId, UserId},
    job::Job,
};
use serde_json::{Map, Value};

use crate::{
    auth::{Authorized, ForChange, ForJob, ForJobChange, job_token},
    credentials::Login,
    error::GatewayError,
    globus_places,
    job_view::{EventView, JobView, LogView, folder_ids},
    limits::{FOLDER_LIMIT, MAP_LIMIT, SLURM_LIMIT, check_size, check_values},
    schema::{ChangeJob, CreateJob, TokenOnly, name_in},
    seen,
    state::AppState,
    submit::{self, Submitted},
};

/// Maintainer of a job that names none.
const DEFAULT_MAINTAINER: &str = "community_contribution";

/// Makes a job. On an HPC with private accounts, `user` and `password` are of the
/// caller's own account there, and are checked by logging in.
#[utoipa::path(post, path = "/job", request_body = CreateJob, tag = "job",
    responses((status = OK, body = JobView), (status = UNAUTHORIZED)))]
pub async fn create(
    State(state): State<AppState>,
    mut caller: Authorized<ForChange, CreateJob>,
) -> Result<Json<JobView>, GatewayError> {
    let named = |key: &str| caller.body.get(key).and_then(Value::as_str);
    let name = named("maintainer").unwrap_or(DEFAULT_MAINTAINER);
    let maintainer = state
        .site
        .maintainers
        .get(name)
        .ok_or(GatewayError::Unrecognized("maintainer"))?;
    let hpc = named("hpc").unwrap_or(&maintainer.default_hpc);
    let hpc = state
        .site
        .hpcs
        .get(hpc)
        .ok_or(GatewayError::Unrecognized("hpc"))?;
    if !hpc.admits(&caller.user.id) {
        return Err(GatewayError::NotAuthorizedForHpc);
    }
    let user = &caller.user.id;
    // Before a login is tried; it is counted again when the job is made.
    state.store.check_draft_limit(user).await?;
    let id = state.store.new_job_id();
    seen::is_about(&id);
    let account = if hpc.is_community_account {
        None
    } else {
        let login = Login::take(&mut caller.body, None, hpc)?;
        login.check_and_keep(&state, user, hpc, &id).await?;
        Some(login.account)
    };
    let wants_token = caller.body.get("jobToken") == Some(&Value::Bool(true));
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
        tracing::warn!(%error, "a login is kept until its time is over");
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
    Path(id): Path<String>,
    caller: Authorized<ForJobChange, ChangeJob>,
) -> Result<Json<JobView>, GatewayError> {
    let id = JobId::from_text(id);
    let user = &caller.user.id;
    let Some(job) = state.store.job_of(user, &id).await? else {
        return Err(GatewayError::NoSuchJobToChange(id));
    };
    let patch = patch(&state, user, caller.body).await?;
    globus_places::may_be_source(
        &state,
        user,
        patch.local_data_folder.as_ref(),
        caller.by_job_token,
    )?;
    if caller.by_job_token {
        only_own_folders(&job, &patch)?;
    }
    if patch == JobPatch::default() {
        return Err(GatewayError::Refused("nothing to update".to_owned()));
    }
    match state.store.change_job(user, &id, patch).await? {
        ChangeOutcome::Changed(job) => {
            Ok(Json(view(&state, *job).await?.with(Vec::new(), Vec::new())))
        }
        ChangeOutcome::NotFound => Err(GatewayError::NoSuchJobToChange(id)),
        ChangeOutcome::AlreadySubmitted => Err(GatewayError::Refused(
            "the job is submitted: nothing would read the change".to_owned(),
        )),
    }
}

/// One job with its events and logs.
#[utoipa::path(get, path = "/job/{id}", request_body = TokenOnly, tag = "job", params(("id" = String, Path)),
    responses((status = OK, body = JobView), (status = UNAUTHORIZED)))]
pub async fn show(
    State(state): State<AppState>,
    Path(id): Path<String>,
    caller: Authorized<ForJob, TokenOnly>,
) -> Result<Response, GatewayError> {
    let place = state.pages.take(&caller.user.id).await?;
    let job = own(&state, &caller.user.id, id, GatewayError::NoSuchJob).await?;
    let events = state.store.events_of(&job.id).await?;
    let logs = state.store.logs_of(&job.id).await?;
    let view = view(&state, job).await?.with(events, logs);
    Ok(place.until_sent(Json(view)))
}

/// Submits a job.
#[utoipa::path(post, path = "/job/{id}/submit", request_body = TokenOnly, tag = "job", params(("id" = String, Path)),
    responses((status = OK, body = JobView), (status = UNAUTHORIZED), (status = PAYMENT_REQUIRED)))]
pub async fn submit(
    State(state): State<AppState>,
    Path(id): Path<String>,
    caller: Authorized<ForJob, TokenOnly>,
) -> Result<Json<JobView>, GatewayError> {
    let job = own(&state, &caller.user.id, id, GatewayError::NoSuchJob).await?;
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
    Path(id): Path<String>,
    caller: Authorized<ForJob, TokenOnly>,
) -> Result<Json<Vec<EventView>>, GatewayError> {
    let job = own(&state, &caller.user.id, id, GatewayError::NoSuchJobEvents).await?;
    let events = state.store.events_of(&job.id).await?;
    Ok(Json(events.into_iter().map(EventView::from).collect()))
}

/// A job's logs, oldest first.
#[utoipa::path(get, path = "/job/{id}/logs", request_body = TokenOnly, tag = "job", params(("id" = String, Path)),
    responses((status = OK, body = Vec<LogView>), (status = UNAUTHORIZED)))]
pub async fn logs(
    State(state): State<AppState>,
    Path(id): Path<String>,
    caller: Authorized<ForJob, TokenOnly>,
) -> Result<Response, GatewayError> {
    let place = state.pages.take(&caller.user.id).await?;
    let job = own(&state, &caller.user.id, id, GatewayError::NoSuchJob).await?;
    let logs = state.store.logs_of(&job.id).await?;
    let logs: Vec<_> = logs.into_iter().map(LogView::from).collect();
    Ok(place.until_sent(Json(logs)))
}

/// Directories below a job's result folder; empty until it is over.
#[utoipa::path(get, path = "/job/{id}/result-folder-content", request_body = TokenOnly, tag = "job",
    params(("id" = String, Path)),
    responses((status = OK, body = Vec<String>), (status = UNAUTHORIZED)))]
pub async fn result_folder_content(
    State(state): State<AppState>,
    Path(id): Path<String>,
    caller: Authorized<ForJob, TokenOnly>,
) -> Result<Response, GatewayError> {
    let place = state.pages.take(&caller.user.id).await?;
    let job = own(&state, &caller.user.id, id, GatewayError::NoSuchJob).await?;
    Ok(place.until_sent(Json(job.result_listing.unwrap_or_default())))
}

async fn own(
    state: &AppState,
    user: &UserId,
    id: String,
    missing: impl FnOnce(JobId) -> GatewayError,
) -> Result<Job, GatewayError> {
    let id = JobId::from_text(id);
    state
        .store
        .job_of(user, &id)
        .await?
        .ok_or_else(|| missing(id))
}

async fn view(state: &AppState, job: Job) -> Result<JobView, GatewayError> {
    let folders = state.store.folders(&folder_ids(&job)).await?;
    Ok(JobView::new(job, &folders))
}

async fn patch(
    state: &AppState,
    user: &UserId,
    mut body: Map<String, Value>,
) -> Result<JobPatch, GatewayError> {
    let name = name_in(&body)?;
    let mut object = |key: &str| match body.remove(key) {
        Some(Value::Object(object)) => Some(object),
        _ => None,
    };
    let (param, env, slurm) = (object("param"), object("env"), object("slurm"));
    let fields = [
        ("param", &param, MAP_LIMIT),
        ("env", &env, MAP_LIMIT),
        ("slurm", &slurm, SLURM_LIMIT),
    ];
    for (field, values, limit) in fields {
        check_values(field, values.as_ref().unwrap_or(&Map::new()), limit)?;
    }
    let mut folder = |field: &str| {
        let folder = object(field).map(Value::Object);
        check_size(field, folder.as_ref(), FOLDER_LIMIT)?;
        Ok::<_, GatewayError>(folder)
    };
    let local_executable_folder = folder("localExecutableFolder")?;
    let local_data_folder = folder("localDataFolder")?;
    let mut text = |key: &str| match body.remove(key) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    let (data, executable) = (text("remoteDataFolder"), text("remoteExecutableFolder"));
    Ok(JobPatch {
        name,
        param,
        env,
        slurm,
        local_executable_folder,
        local_data_folder,
        remote_data_folder_id: own_folder(state, user, data).await?,
        remote_executable_folder_id: own_folder(state, user, executable).await?,
    })
}

/// A job's token opens no folder that is not the job's own already.
fn only_own_folders(job: &Job, patch: &JobPatch) -> Result<(), GatewayError> {
    let own = folder_ids(job);
    let wanted = [
        &patch.remote_data_folder_id,
        &patch.remote_executable_folder_id,
    ];
    match wanted.into_iter().flatten().find(|id| !own.contains(id)) {
        None => Ok(()),
        Some(id) => Err(GatewayError::Refused(format!(
            "unknown folder with id {id}"
        ))),
    }
}

/// A folder that is not the caller's is as good as none.
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
        None => Err(GatewayError::Refused(format!(
            "unknown folder with id {id}"
        ))),
    }
}
