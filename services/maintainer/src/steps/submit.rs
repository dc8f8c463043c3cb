//! `submit`: hand the job to the scheduler. The connector does so once, however
//! often it is asked.

use compute_db::Progress;
use compute_domain::{
    ErrorKind,
    ids::JobId,
    job::{Change, Job, NewEvent},
};
use compute_proto::Submitted;

use super::{StepError, StepOutcome, write_script};
use crate::{hpc_port::HpcPort, kinds::Definition, launcher::Folders};

pub(super) async fn run(
    port: &HpcPort,
    job: &Job,
    definition: &Definition,
) -> Result<StepOutcome, StepError> {
    let mark = port.mark(job);
    // Marks of the version before may lie there: it may have submitted the job.
    let folder = Folders::of(job, &port.hpc).executable;
    let submitted = match port.connector.submit(&mark, Some(&folder)).await {
        Err(error) if error.kind == ErrorKind::NotFound => {
            // The version before has written its script elsewhere.
            write_script::run(port, job, definition).await?;
            port.connector.submit(&mark, Some(&folder)).await?
        }
        submitted => submitted?,
    };
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
