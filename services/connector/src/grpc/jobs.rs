//! Calls about jobs in Slurm.

use std::sync::Arc;

use compute_domain::{
    ids::JobId,
    job::{Mark, SlurmJob},
};
use compute_proto::wire::{
    self, CancelRequest, CancelResponse, DeploymentJobsRequest, DeploymentJobsResponse,
    FindSubmissionRequest, FindSubmissionResponse, JobStatesRequest, JobStatesResponse,
    ResumeRequest, ResumeResponse, SubmitRequest, SubmitResponse, SuspendRequest, SuspendResponse,
    UsageRequest, UsageResponse,
};

use super::record_job;
use crate::{
    account::Account, error::Error, fence::Fence, paths::RemotePath, scheduler::Submission,
    submit::check_mark,
};

pub(super) async fn submit(
    account: Arc<Account>,
    fence: Fence,
    request: SubmitRequest,
) -> Result<SubmitResponse, Error> {
    record_job(&request.job_id);
    if request.deployment.is_empty() {
        return Err(version_mismatch());
    }
    let legacy = legacy_folder(&account, &request.legacy_folder)?;
    let mark = mark(request.deployment, request.job_id);
    let submission = Submission {
        mark,
        legacy,
        is_fresh: request.is_fresh,
        fence,
    };
    let submitted = account.submissions.submit(submission).await?;
    tracing::info!(
        hpc = account.hpc.name,
        slurm.id = submitted.slurm_id,
        adopted = submitted.adopted,
        "submitted"
    );
    Ok(submitted.into())
}

pub(super) async fn find_submission(
    account: Arc<Account>,
    fence: Fence,
    request: FindSubmissionRequest,
) -> Result<FindSubmissionResponse, Error> {
    record_job(&request.job_id);
    let legacy = legacy_folder(&account, &request.legacy_folder)?;
    let mark = mark(request.deployment, request.job_id);
    let submission = Submission {
        mark,
        legacy,
        is_fresh: false,
        fence,
    };
    let slurm_id = account.submissions.find(&submission).await?;
    Ok(FindSubmissionResponse { slurm_id })
}

pub(super) async fn states(
    account: Arc<Account>,
    request: JobStatesRequest,
) -> Result<JobStatesResponse, Error> {
    let jobs = request.jobs.into_iter().map(|job| slurm_job(Some(job)));
    let jobs: Vec<_> = jobs.collect::<Result<_, _>>()?;
    let observed = account.states.observe(&jobs).await?;
    let jobs = observed.into_iter().map(Into::into).collect();
    Ok(JobStatesResponse { jobs })
}

pub(super) async fn of_deployment(
    account: Arc<Account>,
    request: DeploymentJobsRequest,
) -> Result<DeploymentJobsResponse, Error> {
    let jobs = account.states.of_deployment(&request.deployment).await?;
    let jobs = jobs.into_iter().map(Into::into).collect();
    Ok(DeploymentJobsResponse { jobs })
}

pub(super) async fn cancel(
    account: Arc<Account>,
    fence: Fence,
    request: CancelRequest,
) -> Result<CancelResponse, Error> {
    let job = slurm_job(request.job)?;
    account.scheduler.cancel(&fence, &job).await?;
    Ok(CancelResponse {})
}

pub(super) async fn suspend(
    account: Arc<Account>,
    fence: Fence,
    request: SuspendRequest,
) -> Result<SuspendResponse, Error> {
    let job = slurm_job(request.job)?;
    account.scheduler.suspend(&fence, &job).await?;
    Ok(SuspendResponse {})
}

pub(super) async fn resume(
    account: Arc<Account>,
    fence: Fence,
    request: ResumeRequest,
) -> Result<ResumeResponse, Error> {
    let job = slurm_job(request.job)?;
    account.scheduler.resume(&fence, &job).await?;
    Ok(ResumeResponse {})
}

pub(super) async fn usage(
    account: Arc<Account>,
    request: UsageRequest,
) -> Result<UsageResponse, Error> {
    let usage = account.scheduler.usage(&slurm_job(request.job)?).await?;
    Ok(usage.into())
}

fn mark(deployment: String, job_id: String) -> Mark {
    Mark {
        deployment,
        job: JobId::from_text(job_id),
    }
}

/// The folder in which the version before may have left its markers, if one is named.
fn legacy_folder(account: &Account, folder: &str) -> Result<Option<RemotePath>, Error> {
    match folder {
        "" => Ok(None),
        folder => account.path(folder).map(Some),
    }
}

/// A job whose id, name and comment are safe to pass to Slurm.
fn slurm_job(job: Option<wire::SlurmJob>) -> Result<SlurmJob, Error> {
    let job = SlurmJob::from(job.ok_or_else(version_mismatch)?);
    let id = &job.slurm_id;
    if !(1..=20).contains(&id.len()) || !id.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Error::Argument(format!("{id:?} is not a Slurm id")));
    }
    check_mark(&job.mark)?;
    Ok(job)
}

/// A request of a service two versions before. It repeats the call, and is soon
/// replaced itself.
fn version_mismatch() -> Error {
    Error::Trouble(
        "the request is from a service of another version: all services must have the same \
         version"
            .to_owned(),
    )
}
