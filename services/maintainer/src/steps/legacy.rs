//! Jobs that a maintainer of the version before has handed to Slurm: their logs and
//! their exit code are in `slurm_log/` of the result folder, not in the private place.

use compute_domain::{
    ErrorKind,
    job::{Job, JobFile},
};
use compute_proto::RemoteError;

use crate::hpc_port::HpcPort;

/// Whether `job` is one of those: every other one has its script in the private place
/// before it is submitted.
///
/// # Errors
/// If the HPC could not be asked.
pub async fn is_legacy(port: &HpcPort, job: &Job) -> Result<bool, RemoteError> {
    let script = port
        .connector
        .read_job_file(port.hpc_name(), &job.id, JobFile::Script, 1);
    match script.await {
        Ok(_) => Ok(false),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}
