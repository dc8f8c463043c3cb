//! `create result folder`, with `slurm_log/` in it: Slurm opens the log files
//! before the script runs, and does not make folders.

use compute_db::Progress;
use compute_domain::job::Job;

use super::{StepError, StepOutcome};
use crate::{hpc_port::HpcPort, launcher::Folders};

pub(super) async fn run(port: &HpcPort, job: &Job) -> Result<StepOutcome, StepError> {
    let result = Folders::of(job, &port.hpc).result;
    port.connector
        .make_folder(port.hpc_name(), &format!("{result}/slurm_log"))
        .await?;
    Ok(Progress::default())
}
