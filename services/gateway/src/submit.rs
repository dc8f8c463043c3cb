//! The way of a job into the queue: checked, pinned, queued in the store, hinted
//! at in the stream.

use compute_config::Site;
use compute_db::{Checked, Pinned, SubmitOutcome, Template};
use compute_domain::{
    job::{Cause, DataSource, Job, root_of},
    manifest::{Manifest, ParamRules, SlurmInputRules},
    site::{Hpc, KindName},
    slurm::{
        Ceilings, OptionError, SlurmOptions, ValidationError, check_allowed, check_env,
        check_param, check_slurm,
    },
};
use compute_globus::Place;
use serde_json::Value;

use crate::{
    download::{self, Desk},
    error::GatewayError,
    globus_places,
    state::AppState,
};

/// A job that has been submitted.
#[derive(Debug)]
pub struct Submitted {
    /// The job.
    pub job: Job,
    /// What its owner should know of the way in which it is run.
    pub notice: Option<String>,
}

/// Submits `job`, which its owner has configured.
///
/// # Errors
/// What validation finds, with all reasons; [`GatewayError::AlreadySubmitted`] if
/// another submit was first.
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
    data_can_be_had(state, job, hpc).await?;
    let notice = pinned.notice.clone();
    let checked = Checked {
        job: job.clone(),
        template,
        keeps_read_only: hpc.keeps_read_only(),
    };
    let mut outcome = state.store.submit_job(&checked, pinned.clone()).await?;
    if let SubmitOutcome::Transferred(folder) = &outcome
        && download::is_over(state, &job.user_id, folder.clone()).await?
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
        SubmitOutcome::JobChanged => Err(GatewayError::Refused(
            "the job was changed while it was being submitted: submit it again".to_owned(),
        )),
        SubmitOutcome::TemplateChanged => Err(GatewayError::Refused(
            "the job's template was changed by the operator while it was being submitted: submit \
             it again"
                .to_owned(),
        )),
        SubmitOutcome::NoFolder(id) => Err(GatewayError::Refused(format!(
            "unknown folder with id {id}"
        ))),
        SubmitOutcome::FolderShared(other) => Err(GatewayError::Refused(
            Cause::folder_shared_with(&other).to_string(),
        )),
        SubmitOutcome::Transferred(id) => Err(GatewayError::Refused(format!(
            "Globus is transferring the folder {id}, which the job may write to: submit it again \
             once the transfer is over"
        ))),
    }
}

/// Hints at a queued job in the stream. The row is queued whatever happens here: a
/// maintainer's sweep finds it.
pub async fn publish(state: &AppState, job: &Job) {
    if let Err(error) = state.queue.publish(&job.hpc, &job.id).await {
        tracing::warn!(hpc = job.hpc, %error, "queued, but not in the stream yet");
    }
}

/// What is pinned of the job's template, and the template as it was looked up.
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
    let (approved, known) = approved.zip(known).ok_or_else(|| {
        GatewayError::Refused(format!(
            "template {id} is not available: see the list of templates"
        ))
    })?;
    let manifest = &known.manifest;
    // Of the commit that will run: a newer one may do what the approved one did not.
    if let Some(outside) = manifest.outside(hpc).filter(|_| !approved.is_raw_approved) {
        return Err(GatewayError::Refused(format!(
            "template {id} runs outside of a container ({outside}) and is not approved for that: ask \
             the operator to read it and to say `cybergis-compute template approve {id} --raw-sbatch`"
        )));
    }
    let options = check_values(job, hpc, &manifest.param_rules, &manifest.slurm_input_rules)?;
    check_container(manifest, hpc, &state.site)?;
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

fn template_id(job: &Job) -> Result<String, GatewayError> {
    let folder = job.local_executable_folder.as_ref();
    let of = |key: &str| folder.and_then(|f| f.get(key)).and_then(Value::as_str);
    match (of("type"), of("gitId")) {
        (Some("git"), Some(id)) => Ok(id.to_owned()),
        _ => Err(GatewayError::Refused(
            "the job names no template: set localExecutableFolder to \
             {\"type\": \"git\", \"gitId\": NAME}"
                .to_owned(),
        )),
    }
}

async fn data_can_be_had(state: &AppState, job: &Job, hpc: &Hpc) -> Result<(), GatewayError> {
    let source = DataSource::read(job.local_data_folder.as_ref()).map_err(GatewayError::Refused)?;
    let refuse = |words: String| Err(GatewayError::Refused(words));
    match source {
        None => Ok(()),
        Some(DataSource::Local { path }) => {
            match root_of(&state.site.server.local_data_roots, &path) {
                Ok(_) => Ok(()),
                Err(outside) => refuse(outside.to_string()),
            }
        }
        Some(DataSource::Globus { endpoint, path }) => {
            let from = Place { endpoint, path };
            globus_places::of_user(state, &job.user_id, &from).map_err(GatewayError::Refused)?;
            if job.remote_data_folder_id.is_some() {
                return refuse(
                    "data from Globus goes into a folder of its own: leave out remoteDataFolder, \
                     or localDataFolder"
                        .to_owned(),
                );
            }
            Desk::of(state, hpc).await?.map_err(GatewayError::Refused)?;
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
    let words = |errors: Vec<ValidationError>| errors.into_iter().map(|error| error.0);
    let mut wrong: Vec<String> = Vec::new();
    wrong.extend(
        check_param(params, &job.param)
            .err()
            .into_iter()
            .flat_map(words),
    );
    wrong.extend(check_env(&job.env).err().into_iter().flat_map(words));
    let options = SlurmOptions::parse(&job.slurm);
    match &options {
        Err(errors) => wrong.extend(errors.iter().map(OptionError::to_string)),
        Ok(options) => {
            let over = Ceilings::of(hpc).check(&job.slurm, options);
            wrong.extend(over.err().map(|error| error.0));
            let ruled = check_slurm(slurm, &hpc.slurm_input_rules, &job.slurm, options);
            wrong.extend(ruled.err().into_iter().flat_map(words));
            wrong.extend(check_allowed(hpc, options).err().map(|error| error.0));
        }
    }
    match options {
        Ok(options) if wrong.is_empty() => Ok(options),
        _ => Err(GatewayError::Invalid(wrong)),
    }
}

fn check_container(manifest: &Manifest, hpc: &Hpc, site: &Site) -> Result<(), GatewayError> {
    let software = manifest.software(hpc, &site.containers, &site.kernels);
    software.map_err(|error| GatewayError::Refused(error.to_string()))?;
    Ok(())
}
