//! Calls about the files of a job that no program can see.

use compute_domain::{ids::JobId, job::JobFile};

use super::ConnectorClient;
use crate::{
    pb_conversions::FilePart,
    status::RemoteError,
    wire::{self, ReadJobFileRequest, RemoveJobRequest, StoreLogsRequest, WriteJobFileRequest},
};

impl ConnectorClient {
    /// Writes the script or the environment of `job`, at most
    /// [`MAX_WRITE_BYTES`](crate::MAX_WRITE_BYTES), completely or not at all.
    pub async fn write_job_file(
        &self,
        job: &JobId,
        file: JobFile,
        content: Vec<u8>,
    ) -> Result<(), RemoteError> {
        let request = WriteJobFileRequest {
            job_id: job.to_string(),
            file: wire::JobFile::from(file).into(),
            content: content.into(),
            ..Default::default()
        };
        self.call(request).await.map(drop)
    }

    /// Reads at most `max_bytes` (0: [`MAX_READ_BYTES`](crate::MAX_READ_BYTES)) from the
    /// beginning of a file of `job`.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](compute_domain::ErrorKind::NotFound) if the file does not
    /// exist.
    pub async fn read_job_file(
        &self,
        job: &JobId,
        file: JobFile,
        max_bytes: u32,
    ) -> Result<FilePart, RemoteError> {
        let request = ReadJobFileRequest {
            job_id: job.to_string(),
            file: wire::JobFile::from(file).into(),
            max_bytes,
            ..Default::default()
        };
        Ok(self.call(request).await?.into())
    }

    /// Copies stdout and stderr of `job` to `slurm_log/` of the result folder.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](compute_domain::ErrorKind::NotFound) if the job has no files
    /// in the private folder, or `folder` does not exist.
    pub async fn store_logs(&self, job: &JobId, folder: &str) -> Result<(), RemoteError> {
        let request = StoreLogsRequest {
            job_id: job.to_string(),
            folder: folder.to_owned(),
            ..Default::default()
        };
        self.call(request).await.map(drop)
    }

    /// Removes the files of `job` from the private folder.
    pub async fn remove_job(&self, job: &JobId) -> Result<(), RemoteError> {
        let request = RemoveJobRequest {
            job_id: job.to_string(),
            ..Default::default()
        };
        self.call(request).await.map(drop)
    }
}
