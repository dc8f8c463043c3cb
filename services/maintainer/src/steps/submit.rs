//! `submit`: hands the job to the scheduler. The connector does so once, however
//! often it is called.

use compute_db::Progress;
use compute_domain::{
    ErrorKind,
    ids::JobId,
    job::{Change, NewEvent},
};
use compute_proto::Submitted;

use super::{StepError, StepInput, StepOutcome, write_script};
use crate::{hpc_handle::HpcHandle, launcher::Folders};

pub(super) async fn run(hpc: &HpcHandle, input: &StepInput<'_>) -> Result<StepOutcome, StepError> {
    let (job, mark) = (input.job, hpc.mark(input.job));
    // Marks of the version before may lie there: it may have submitted the job.
    let folder = Folders::of(job, &hpc.config).executable;
    let submitted = match hpc
        .connector
        .submit(&mark, Some(&folder), input.is_fresh)
        .await
    {
        Err(error) if error.kind == ErrorKind::NotFound => {
            // The version before has written its script elsewhere.
            write_script::run(hpc, input).await?;
            let again = hpc.connector.submit(&mark, Some(&folder), false);
            again.await?
        }
        submitted => submitted?,
    };
    tracing::info!(
        hpc = hpc.name(),
        slurm.id = submitted.slurm_id,
        adopted = submitted.adopted,
        "accepted by the scheduler"
    );
    Ok(accepted(&job.id, submitted))
}

/// What is written when the scheduler has accepted the job.
pub fn accepted(id: &JobId, submitted: Submitted) -> Progress {
    Progress {
        change: Some(Change::Accept),
        events: vec![NewEvent::submitted(&submitted.slurm_id), NewEvent::init(id)],
        slurm_id: Some(submitted.slurm_id),
        ..Progress::default()
    }
}
