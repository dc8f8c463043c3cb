//! `create result folder`. The logs come into it when the job is over.

use compute_db::Progress;
use compute_domain::job::Job;

use super::{StepError, StepOutcome};
use crate::{hpc_handle::HpcHandle, launcher::Folders};

pub(super) async fn run(hpc: &HpcHandle, job: &Job) -> Result<StepOutcome, StepError> {
    let result = Folders::of(job, &hpc.config).result;
    hpc.connector.make_folder(&result).await?;
    Ok(Progress::default())
}
