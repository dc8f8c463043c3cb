//! Conversions of jobs in Slurm.

use compute_domain::{
    ids::JobId,
    job::{Mark, SlurmJob, Usage},
};

use crate::wire;

/// A job that the scheduler has accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    /// Slurm's id.
    pub slurm_id: String,
    /// Whether an earlier attempt had already submitted it.
    pub adopted: bool,
}

/// An active job in Slurm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveJob {
    /// Slurm's id.
    pub slurm_id: String,
    /// The job that its comment names.
    pub job: JobId,
}

impl From<Submitted> for wire::SubmitResponse {
    fn from(Submitted { slurm_id, adopted }: Submitted) -> Self {
        Self { slurm_id, adopted }
    }
}

impl From<wire::SubmitResponse> for Submitted {
    fn from(wire::SubmitResponse { slurm_id, adopted }: wire::SubmitResponse) -> Self {
        Self { slurm_id, adopted }
    }
}

impl From<LiveJob> for wire::deployment_jobs_response::Job {
    fn from(LiveJob { slurm_id, job }: LiveJob) -> Self {
        let job_id = job.to_string();
        Self { slurm_id, job_id }
    }
}

impl From<wire::deployment_jobs_response::Job> for LiveJob {
    fn from(wire: wire::deployment_jobs_response::Job) -> Self {
        let wire::deployment_jobs_response::Job { slurm_id, job_id } = wire;
        let job = JobId::from_text(job_id);
        Self { slurm_id, job }
    }
}

impl From<&SlurmJob> for wire::SlurmJob {
    fn from(SlurmJob { slurm_id, mark }: &SlurmJob) -> Self {
        Self {
            slurm_id: slurm_id.clone(),
            job_id: mark.job.to_string(),
            deployment: mark.deployment.clone(),
        }
    }
}

impl From<wire::SlurmJob> for SlurmJob {
    fn from(wire: wire::SlurmJob) -> Self {
        let wire::SlurmJob {
            slurm_id,
            job_id,
            deployment,
        } = wire;
        let job = JobId::from_text(job_id);
        Self {
            slurm_id,
            mark: Mark { deployment, job },
        }
    }
}

impl From<Usage> for wire::UsageResponse {
    fn from(
        Usage {
            nodes,
            cpus,
            cpu_time,
            memory,
            memory_usage,
            walltime,
        }: Usage,
    ) -> Self {
        Self {
            nodes,
            cpus,
            cpu_time_seconds: cpu_time,
            memory_kib: memory,
            memory_usage_kib: memory_usage,
            walltime_seconds: walltime,
        }
    }
}

impl From<wire::UsageResponse> for Usage {
    fn from(wire: wire::UsageResponse) -> Self {
        let wire::UsageResponse {
            nodes,
            cpus,
            cpu_time_seconds: cpu_time,
            memory_kib: memory,
            memory_usage_kib: memory_usage,
            walltime_seconds: walltime,
        } = wire;
        Self {
            nodes,
            cpus,
            cpu_time,
            memory,
            memory_usage,
            walltime,
        }
    }
}
