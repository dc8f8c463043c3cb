//! Submission of a job: validate it, pin its template, queue it in the store, publish a hint
//! in the stream.

use compute_db::{Checked, Pinned, SubmitOutcome, Template};
use compute_domain::{
    job::{DataSource, Job, root_of},
    manifest::{ParamRules, SlurmInputRules},
    site::{Hpc, KindName},
    slurm::{Ceilings, SlurmOptions, check_allowed, check_env, check_param, check_slurm},
};
use compute_globus::Place;
use serde_json::Value;

use crate::{
    download,
    error::{GatewayError, JobRejection},
    globus_places,
    globus_session::GlobusSession,
    state::AppState,
};

/// A job that has been submitted.
#[derive(Debug)]
pub struct Submitted {
    /// The job.
    pub job: Job,
    /// A message for its owner about how it is run.
    pub notice: Option<String>,
}

/// Validates `job` and queues it.
///
/// # Errors
/// All reasons that validation finds; [`GatewayError::AlreadySubmitted`] if another submit
/// was first.
pub async fn submit(state: &AppState, job: &Job) -> Result<Submitted, GatewayError> {
    let site = &state.site;
    let hpc = site
        .hpcs
        .get(&job.hpc)
        .ok_or(GatewayError::Unrecognized("hpc"))?;
    let maintainer = site
        .maintainers
        .get(&job.maintainer)
        .ok_or(GatewayError::Unrecognized("maintainer"))?;
    if !hpc.admits(&job.user_id) {
        return Err(GatewayError::NotAuthorizedForHpc);
    }
    let (pinned, template) = match maintainer.kind {
        KindName::CommunityContribution => pin_template(state, job, hpc).await?,
        KindName::HelloWorldSingularity => {
            check_values(job, hpc, &ParamRules::new(), &SlurmInputRules::new())?;
            (Pinned::default(), None)
        }
    };
    check_data(state, job, hpc).await?;
    let notice = pinned.notice.clone();
    let checked = Checked {
        job: job.clone(),
        template,
        keeps_read_only: hpc.keeps_read_only(),
    };
    let mut outcome = state.store.submit_job(&checked, pinned.clone()).await?;
    if let SubmitOutcome::Transferred(folder) = &outcome
        && download::is_over(state, &job.user_id, folder).await?
    {
        outcome = state.store.submit_job(&checked, pinned).await?;
    }
    match outcome {
        SubmitOutcome::Queued(job) => {
            publish(state, &job).await;
            Ok(Submitted { job: *job, notice })
        }
        SubmitOutcome::AlreadySubmitted => Err(GatewayError::AlreadySubmitted),
        SubmitOutcome::NotFound => Err(GatewayError::NoSuchJob(job.id.clone())),
        SubmitOutcome::JobChanged => Err(JobRejection::JobChanged.into()),
        SubmitOutcome::TemplateChanged => Err(JobRejection::TemplateChanged.into()),
        SubmitOutcome::NoFolder(id) => Err(JobRejection::UnknownFolder(id).into()),
        SubmitOutcome::FolderShared(other) => Err(JobRejection::FolderInUse(other).into()),
        SubmitOutcome::Transferred(id) => Err(JobRejection::FolderInTransfer(id).into()),
    }
}

/// Publishes a hint at a queued job in the stream. If that fails, a maintainer's sweep finds
/// the row.
pub async fn publish(state: &AppState, job: &Job) {
    if let Err(error) = state.queue.publish(&job.hpc, &job.id).await {
        tracing::warn!(hpc = job.hpc, %error, "queued, but not in the stream yet");
    }
}

/// The job's template at the commit that will run, and its row as it was read.
async fn pin_template(
    state: &AppState,
    job: &Job,
    hpc: &Hpc,
) -> Result<(Pinned, Option<Template>), GatewayError> {
    let id = template_id(job)?;
    let approved = state.store.template(&id).await?;
    let approved = approved.filter(|template| template.is_approved);
    let known = match &approved {
        Some(template) => state.templates.get_or_fetch(template).await,
        None => None,
    };
    let (approved, known) = approved
        .zip(known)
        .ok_or_else(|| JobRejection::TemplateUnavailable(id.clone()))?;
    let manifest = &known.manifest;
    // The commit that will run counts: it may do what an earlier one did not.
    if let Some(stage) = manifest.outside(hpc).filter(|_| !approved.is_raw_approved) {
        return Err(JobRejection::NotApprovedForRawStages { id, stage }.into());
    }
    let options = check_values(job, hpc, &manifest.param_rules, &manifest.slurm_input_rules)?;
    let site = &state.site;
    manifest
        .software(hpc, &site.containers, &site.kernels)
        .map_err(JobRejection::from)?;
    let is_mpi_approved = approved.is_mpi_approved;
    let alone = manifest.is_contained(hpc) && !is_mpi_approved;
    let tasks = options.num_of_task.filter(|&tasks| tasks > 1 && alone);
    let pinned = Pinned {
        template_sha: Some(known.sha.clone()),
        template_address: Some(approved.address.clone()),
        manifest: Some(known.raw.clone()),
        is_mpi_approved,
        notice: tasks.map(|tasks| {
            format!(
                "its {tasks} tasks are started as independent programs, since template {id} is not \
                 approved for MPI: if they are meant to work together, ask the operator to read it and \
                 to say `cybergis-compute template approve {id} --mpi`"
            )
        }),
        template_id: Some(id),
    };
    Ok((pinned, Some(approved)))
}

fn template_id(job: &Job) -> Result<String, JobRejection> {
    let folder = job.local_executable_folder.as_ref();
    let of = |key: &str| folder.and_then(|f| f.get(key)).and_then(Value::as_str);
    match (of("type"), of("gitId")) {
        (Some("git"), Some(id)) => Ok(id.to_owned()),
        _ => Err(JobRejection::NoTemplate),
    }
}

async fn check_data(state: &AppState, job: &Job, hpc: &Hpc) -> Result<(), GatewayError> {
    let source = DataSource::read(job.local_data_folder.as_ref())
        .map_err(JobRejection::InvalidDataFolder)?;
    match source {
        None => Ok(()),
        Some(DataSource::Local { path }) => {
            let roots = &state.site.server.local_data_roots;
            root_of(roots, &path).map_err(JobRejection::from)?;
            Ok(())
        }
        Some(DataSource::Globus { endpoint, path }) => {
            let from = Place { endpoint, path };
            globus_places::of_user(state, &job.user_id, &from).map_err(JobRejection::from)?;
            if job.remote_data_folder_id.is_some() {
                return Err(JobRejection::TwoDataFolders.into());
            }
            GlobusSession::open(state, hpc)
                .await?
                .map_err(JobRejection::from)?;
            Ok(())
        }
    }
}

fn check_values(
    job: &Job,
    hpc: &Hpc,
    params: &ParamRules,
    slurm: &SlurmInputRules,
) -> Result<SlurmOptions, GatewayError> {
    let texts = |checked: Result<(), Vec<_>>| checked.err().into_iter().flatten().map(to_text);
    let mut wrong: Vec<String> = Vec::new();
    wrong.extend(texts(check_param(params, &job.param)));
    wrong.extend(texts(check_env(&job.env)));
    let options = SlurmOptions::parse(&job.slurm);
    match &options {
        Err(errors) => wrong.extend(errors.iter().map(to_text)),
        Ok(options) => {
            let over = Ceilings::of(hpc).check(&job.slurm, options);
            wrong.extend(over.err().map(to_text));
            let ruled = check_slurm(slurm, &hpc.slurm_input_rules, &job.slurm, options);
            wrong.extend(texts(ruled));
            wrong.extend(check_allowed(hpc, options).err().map(to_text));
        }
    }
    match options {
        Ok(options) if wrong.is_empty() => Ok(options),
        _ => Err(GatewayError::InvalidValues(wrong)),
    }
}

fn to_text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
