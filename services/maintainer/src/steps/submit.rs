//! `submit`: hand the job to the scheduler. The connector does so once, however
//! often it is asked.

use compute_db::Progress;
use compute_domain::{
    ids::JobId,
    job::{Change, Job, NewEvent},
};
use compute_proto::Submitted;

use super::{StepError, StepOutcome};
use crate::{hpc_port::HpcPort, launcher::Folders};

pub(super) async fn run(port: &HpcPort, job: &Job) -> Result<StepOutcome, StepError> {
    let folder = Folders::of(job, &port.hpc).executable;
    let submitted = port
        .connector
        .submit(port.hpc_name(), &job.id, &folder)
        .await?;
    tracing::info!(
        hpc = port.hpc_name(),
        slurm.id = submitted.slurm_id,
        adopted = submitted.adopted,
        "accepted by the scheduler"
    );
    Ok(accepted(&job.id, submitted))
}

/// What it means that the scheduler has the job.
pub fn accepted(id: &JobId, submitted: Submitted) -> Progress {
    Progress {
        change: Some(Change::Accept),
        events: vec![NewEvent::submitted(&submitted.slurm_id), NewEvent::init(id)],
        slurm_id: Some(submitted.slurm_id),
        ..Progress::default()
    }
}
