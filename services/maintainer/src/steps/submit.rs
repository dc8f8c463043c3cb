//! `submit`: hand the job to the scheduler. The connector does so once, however
//! often it is asked.

use compute_db::Progress;
use compute_domain::job::{Change, Job, NewEvent};

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
    Ok(Progress {
        change: Some(Change::Accept),
        events: vec![
            NewEvent::submitted(&submitted.slurm_id),
            NewEvent::init(&job.id),
        ],
        slurm_id: Some(submitted.slurm_id),
        ..Progress::default()
    })
}
