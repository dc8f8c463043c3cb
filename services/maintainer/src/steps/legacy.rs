//! Jobs that a maintainer of the version before has handed to Slurm: their logs and
//! their exit code are in `slurm_log/` of the result folder, not in the private place.

use compute_domain::{
    ErrorKind,
    job::{Job, JobFile},
};
use compute_proto::RemoteError;

use crate::hpc_handle::HpcHandle;

/// Whether `job` is one of those: of every other one Slurm makes the log in the private
/// place when it starts. One that has not started has no logs anywhere.
///
/// # Errors
/// If the HPC could not be asked.
pub async fn is_legacy(hpc: &HpcHandle, job: &Job) -> Result<bool, RemoteError> {
    let log = hpc.connector.read_job_file(&job.id, JobFile::Stdout, 1);
    match log.await {
        Ok(_) => Ok(false),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}
