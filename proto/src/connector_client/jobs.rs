//! Calls about jobs in Slurm.

use compute_domain::job::{JobObservation, Mark, SlurmJob, Usage};

use super::ConnectorClient;
use crate::{
    pb_conversions::{LiveJob, Submitted},
    status::RemoteError,
    wire::{
        CancelRequest, DeploymentJobsRequest, FindSubmissionRequest, JobStatesRequest,
        RaiseFenceRequest, ResumeRequest, SubmitRequest, SuspendRequest, UsageRequest,
    },
};

impl ConnectorClient {
    /// Stores the fence of this client at the HPC: calls with an older one change nothing
    /// from now on.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`](compute_domain::ErrorKind::Unsupported), or with TLS
    /// [`ErrorKind::PermissionDenied`](compute_domain::ErrorKind::PermissionDenied), also if the
    /// connector is of the version before, which knows no fences.
    pub async fn raise_fence(&self) -> Result<(), RemoteError> {
        self.call(RaiseFenceRequest::default()).await.map(drop)
    }

    /// Submits the script of the job in `mark` exactly once. If the version before may
    /// have submitted it, its markers are in `legacy_folder`. Slurm is searched for the job
    /// first, unless it `is_fresh`: nobody can have submitted it before.
    pub async fn submit(
        &self,
        mark: &Mark,
        legacy_folder: Option<&str>,
        is_fresh: bool,
    ) -> Result<Submitted, RemoteError> {
        let request = SubmitRequest {
            job_id: mark.job.to_string(),
            legacy_folder: legacy_folder.unwrap_or_default().to_owned(),
            deployment: mark.deployment.clone(),
            is_fresh,
            ..Default::default()
        };
        Ok(self.call(request).await?.into())
    }

    /// Searches for a job whose submission received no response; `None` if Slurm does
    /// not have it. The version before may have left its markers in `legacy_folder`.
    ///
    /// # Errors
    /// [`ErrorKind::Uncertain`](compute_domain::ErrorKind::Uncertain) as long as Slurm may
    /// still show the job later.
    pub async fn find_submission(
        &self,
        mark: &Mark,
        legacy_folder: &str,
    ) -> Result<Option<Submitted>, RemoteError> {
        let request = FindSubmissionRequest {
            job_id: mark.job.to_string(),
            legacy_folder: legacy_folder.to_owned(),
            deployment: mark.deployment.clone(),
            ..Default::default()
        };
        let slurm_id = self.call(request).await?.slurm_id;
        Ok(slurm_id.map(|slurm_id| Submitted {
            slurm_id,
            adopted: true,
        }))
    }

    /// States of many jobs, one for each; callers within one poll interval share one
    /// query of the scheduler.
    ///
    /// # Errors
    /// If the scheduler could not be queried: then nothing is known about any job.
    pub async fn job_states(&self, jobs: &[SlurmJob]) -> Result<Vec<JobObservation>, RemoteError> {
        let request = JobStatesRequest {
            jobs: jobs.iter().map(Into::into).collect(),
            ..Default::default()
        };
        let observed = self.call(request).await?.jobs;
        observed.into_iter().map(JobObservation::try_from).collect()
    }

    /// Active jobs of `deployment`; not for private accounts.
    ///
    /// # Errors
    /// If the scheduler could not be queried.
    pub async fn deployment_jobs(&self, deployment: &str) -> Result<Vec<LiveJob>, RemoteError> {
        let request = DeploymentJobsRequest {
            deployment: deployment.to_owned(),
            ..Default::default()
        };
        let jobs = self.call(request).await?.jobs;
        Ok(jobs.into_iter().map(LiveJob::from).collect())
    }

    /// Cancels a job. Succeeds if the job has ended.
    pub async fn cancel(&self, job: &SlurmJob) -> Result<(), RemoteError> {
        let request = CancelRequest {
            job: Some(job.into()),
            ..Default::default()
        };
        self.call(request).await.map(drop)
    }

    /// Suspends a running job, holds a pending one.
    pub async fn suspend(&self, job: &SlurmJob) -> Result<(), RemoteError> {
        let request = SuspendRequest {
            job: Some(job.into()),
            ..Default::default()
        };
        self.call(request).await.map(drop)
    }

    /// Resumes a suspended job, releases a held one.
    pub async fn resume(&self, job: &SlurmJob) -> Result<(), RemoteError> {
        let request = ResumeRequest {
            job: Some(job.into()),
            ..Default::default()
        };
        self.call(request).await.map(drop)
    }

    /// What an ended job used. Fields that the site does not know are absent; all of them
    /// are where it keeps no accounting. Fails with
    /// [`Uncertain`](compute_domain::ErrorKind::Uncertain) as long as accounting does not
    /// have the end of the job.
    pub async fn usage(&self, job: &SlurmJob) -> Result<Usage, RemoteError> {
        let request = UsageRequest {
            job: Some(job.into()),
            ..Default::default()
        };
        Ok(self.call(request).await?.into())
    }
}
