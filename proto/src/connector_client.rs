//! Client of the connector. Each call has a deadline, and none is tried again
//! here: the caller decides that, once.

use std::time::Duration;

use compute_domain::{
    ErrorKind,
    ids::JobId,
    job::{JobFile, JobObservation, Mark, SlurmJob, Usage},
};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::{io::AsyncRead, sync::mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, transport::Channel};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use crate::{
    MAX_MESSAGE_BYTES,
    convert::{FilePart, Finding, Listing, LiveJob, Submitted},
    ids,
    status::RemoteError,
    upload::{FeedError, feed},
    wire::{self, connector_client::ConnectorClient as Generated, upload_folder_request::Header},
};

/// Largest part of a file that one call reads.
pub const MAX_READ_BYTES: u32 = 1024 * 1024;

/// Largest file that one call writes.
pub const MAX_WRITE_BYTES: usize = 1024 * 1024;

/// For a sign of life.
const PING: Duration = Duration::from_secs(1);
/// For what takes a moment, logging in included.
const BRIEF: Duration = Duration::from_secs(30);
/// For logging in alone; someone waits for the answer.
const LOGIN: Duration = Duration::from_secs(20);
/// For one look at scheduler and accounting, both of which may be slow.
const LOOK: Duration = Duration::from_secs(60);
/// For a submission; the connector goes on with it after the deadline.
const SUBMIT: Duration = Duration::from_secs(90);
/// For removing or copying a folder of many files.
const REMOVE: Duration = Duration::from_secs(600);
/// For an upload; a dead connection is noticed long before.
const UPLOAD: Duration = Duration::from_secs(3600);

const CHUNKS_IN_FLIGHT: usize = 4;

/// The connector, as other services see it. Cheap to clone. Paths are absolute,
/// below the root path of the HPC.
///
/// Errors are of the kinds that the connector answers; of kind
/// [`ErrorKind::Unavailable`] if it cannot be reached, and
/// [`ErrorKind::Uncertain`] if the answer did not come.
#[derive(Debug, Clone)]
pub struct ConnectorClient {
    inner: Generated<Channel>,
    channel: Channel,
    /// Goes with every call.
    credential: Option<wire::Credential>,
}

impl ConnectorClient {
    /// A client over a channel of the caller's.
    pub fn new(channel: Channel) -> Self {
        let inner = Generated::new(channel.clone())
            .max_decoding_message_size(MAX_MESSAGE_BYTES)
            .max_encoding_message_size(MAX_MESSAGE_BYTES);
        Self {
            inner,
            channel,
            credential: None,
        }
    }

    /// The same connector, with the login of a private account for all calls:
    /// `sealed` for `job` by [`check_login`](Self::check_login).
    #[must_use]
    pub fn with_credential(&self, job: &JobId, sealed: &str) -> Self {
        Self {
            inner: self.inner.clone(),
            channel: self.channel.clone(),
            credential: Some(wire::Credential {
                job_id: job.as_str().to_owned(),
                sealed: sealed.to_owned(),
            }),
        }
    }

    /// Logs in once as `user`, and gives what was given sealed for `job`.
    ///
    /// # Errors
    /// [`ErrorKind::Unauthenticated`] if the HPC refuses it,
    /// [`ErrorKind::Unavailable`] and others if it could not be asked.
    pub async fn check_login(
        &self,
        hpc: &str,
        job: &JobId,
        user: &str,
        password: &SecretString,
    ) -> Result<String, RemoteError> {
        let request = wire::CheckLoginRequest {
            hpc: hpc.to_owned(),
            job_id: job.as_str().to_owned(),
            user: user.to_owned(),
            password: password.expose_secret().to_owned(),
        };
        Ok(self
            .client()
            .check_login(within(LOGIN, request))
            .await?
            .into_inner()
            .sealed)
    }

    /// Whether the connector answers at all (grpc.health.v1); nothing is asked of an
    /// HPC.
    pub async fn ping(&self) -> Result<(), RemoteError> {
        let everything = HealthCheckRequest::default();
        HealthClient::new(self.channel.clone())
            .check(within(PING, everything))
            .await?;
        Ok(())
    }

    /// Logs in and looks for what jobs need there.
    pub async fn check(&self, hpc: &str) -> Result<Vec<Finding>, RemoteError> {
        let request = wire::CheckRequest {
            hpc: hpc.to_owned(),
            credential: self.credential.clone(),
        };
        let response = self
            .client()
            .check(within(LOOK, request))
            .await?
            .into_inner();
        Ok(response.findings.into_iter().map(Finding::from).collect())
    }

    /// Makes a folder and its parents.
    pub async fn make_folder(&self, hpc: &str, path: &str) -> Result<(), RemoteError> {
        let request = wire::MakeFolderRequest {
            hpc: hpc.to_owned(),
            path: path.to_owned(),
            credential: self.credential.clone(),
        };
        self.client().make_folder(within(BRIEF, request)).await?;
        Ok(())
    }

    /// Unpacks a tar stream into a folder, which is made if it is not there.
    /// Returns the length of the stream in bytes.
    pub async fn upload_folder(
        &self,
        hpc: &str,
        path: &str,
        tar: impl AsyncRead + Send + Unpin + 'static,
    ) -> Result<u64, RemoteError> {
        let (sender, receiver) = mpsc::channel(CHUNKS_IN_FLIGHT);
        let mut client = self.client();
        let call = client.upload_folder(within(UPLOAD, ReceiverStream::new(receiver)));
        let header = Header {
            hpc: hpc.to_owned(),
            path: path.to_owned(),
            credential: self.credential.clone(),
        };
        let feeding = feed(header, tar, sender);
        tokio::pin!(call, feeding);
        let fed = tokio::select! {
            response = &mut call => return Ok(response?.into_inner().bytes),
            fed = &mut feeding => fed,
        };
        match fed {
            Ok(()) | Err(FeedError::Closed) => Ok(call.await?.into_inner().bytes),
            Err(error @ FeedError::Read(_)) => {
                Err(RemoteError::new(ErrorKind::Unavailable, error.to_string()))
            }
        }
    }

    /// Writes a file of at most [`MAX_WRITE_BYTES`], whole or not at all.
    pub async fn write_file(
        &self,
        hpc: &str,
        path: &str,
        content: Vec<u8>,
    ) -> Result<(), RemoteError> {
        let request = wire::WriteFileRequest {
            hpc: hpc.to_owned(),
            path: path.to_owned(),
            content: content.into(),
            credential: self.credential.clone(),
        };
        self.client().write_file(within(BRIEF, request)).await?;
        Ok(())
    }

    /// Copies a folder into another one, which is replaced if it is there.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if there is nothing to copy.
    pub async fn copy_folder(&self, hpc: &str, from: &str, to: &str) -> Result<(), RemoteError> {
        let request = wire::CopyFolderRequest {
            hpc: hpc.to_owned(),
            from: from.to_owned(),
            to: to.to_owned(),
            credential: self.credential.clone(),
        };
        self.client().copy_folder(within(UPLOAD, request)).await?;
        Ok(())
    }

    /// Writes the script or the variables of `job`, at most [`MAX_WRITE_BYTES`], whole
    /// or not at all, where no program sees them.
    pub async fn write_job_file(
        &self,
        hpc: &str,
        job: &JobId,
        file: JobFile,
        content: Vec<u8>,
    ) -> Result<(), RemoteError> {
        let request = wire::WriteJobFileRequest {
            hpc: hpc.to_owned(),
            job_id: job.as_str().to_owned(),
            file: wire::JobFile::from(file).into(),
            content: content.into(),
            credential: self.credential.clone(),
        };
        self.client().write_job_file(within(BRIEF, request)).await?;
        Ok(())
    }

    /// Reads at most `max_bytes` (0: [`MAX_READ_BYTES`]) of a file of `job` from its
    /// beginning.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if there is no such file.
    pub async fn read_job_file(
        &self,
        hpc: &str,
        job: &JobId,
        file: JobFile,
        max_bytes: u32,
    ) -> Result<FilePart, RemoteError> {
        let request = wire::ReadJobFileRequest {
            hpc: hpc.to_owned(),
            job_id: job.as_str().to_owned(),
            file: wire::JobFile::from(file).into(),
            offset: 0,
            max_bytes,
            credential: self.credential.clone(),
        };
        Ok(self
            .client()
            .read_job_file(within(BRIEF, request))
            .await?
            .into_inner()
            .into())
    }

    /// Puts stdout and stderr of `job` into `slurm_log/` of the result folder.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if the job has no files in the private place, or the
    /// folder is not there.
    pub async fn store_logs(
        &self,
        hpc: &str,
        job: &JobId,
        folder: &str,
    ) -> Result<(), RemoteError> {
        let request = wire::StoreLogsRequest {
            hpc: hpc.to_owned(),
            job_id: job.as_str().to_owned(),
            folder: folder.to_owned(),
            credential: self.credential.clone(),
        };
        self.client().store_logs(within(BRIEF, request)).await?;
        Ok(())
    }

    /// Removes what is kept of `job` in the private place.
    pub async fn remove_job(&self, hpc: &str, job: &JobId) -> Result<(), RemoteError> {
        let request = wire::RemoveJobRequest {
            hpc: hpc.to_owned(),
            job_id: job.as_str().to_owned(),
            credential: self.credential.clone(),
        };
        self.client().remove_job(within(REMOVE, request)).await?;
        Ok(())
    }

    /// Submits the script of the job in `mark`, once and only once. The version before
    /// may have done so, with its marks in `legacy_folder`.
    pub async fn submit(
        &self,
        hpc: &str,
        mark: &Mark,
        legacy_folder: Option<&str>,
    ) -> Result<Submitted, RemoteError> {
        let request = wire::SubmitRequest {
            hpc: hpc.to_owned(),
            job_id: mark.job.to_string(),
            legacy_folder: legacy_folder.unwrap_or_default().to_owned(),
            deployment: mark.deployment.clone(),
            credential: self.credential.clone(),
        };
        Ok(self
            .client()
            .submit(within(SUBMIT, request))
            .await?
            .into_inner()
            .into())
    }

    /// Looks for a job whose submission was tried and not answered; `None` if Slurm does
    /// not have it. The version before may have left its marks in `legacy_folder`.
    ///
    /// # Errors
    /// [`ErrorKind::Uncertain`] as long as Slurm may still show it later.
    pub async fn find_submission(
        &self,
        hpc: &str,
        mark: &Mark,
        legacy_folder: &str,
    ) -> Result<Option<Submitted>, RemoteError> {
        let request = wire::FindSubmissionRequest {
            hpc: hpc.to_owned(),
            job_id: mark.job.to_string(),
            legacy_folder: legacy_folder.to_owned(),
            deployment: mark.deployment.clone(),
            credential: self.credential.clone(),
        };
        let client = &mut self.client();
        let found = client.find_submission(within(SUBMIT, request)).await?;
        let slurm_id = found.into_inner().slurm_id;
        Ok(slurm_id.map(|slurm_id| Submitted {
            slurm_id,
            adopted: true,
        }))
    }

    /// States of many jobs, one for each; all callers of a tick share one look.
    ///
    /// # Errors
    /// Also if the scheduler could not be asked: nothing is known about any job then.
    pub async fn job_states(
        &self,
        hpc: &str,
        jobs: &[SlurmJob],
    ) -> Result<Vec<JobObservation>, RemoteError> {
        let request = wire::JobStatesRequest {
            hpc: hpc.to_owned(),
            jobs: jobs.iter().map(Into::into).collect(),
            credential: self.credential.clone(),
        };
        let response = self
            .client()
            .job_states(within(LOOK, request))
            .await?
            .into_inner();
        response
            .jobs
            .into_iter()
            .map(JobObservation::try_from)
            .collect()
    }

    /// Jobs of `deployment` that the scheduler has and that are not over; not for
    /// private accounts.
    ///
    /// # Errors
    /// Also if the scheduler could not be asked.
    pub async fn deployment_jobs(
        &self,
        hpc: &str,
        deployment: &str,
    ) -> Result<Vec<LiveJob>, RemoteError> {
        let request = wire::DeploymentJobsRequest {
            hpc: hpc.to_owned(),
            deployment: deployment.to_owned(),
        };
        let response = self
            .client()
            .deployment_jobs(within(LOOK, request))
            .await?
            .into_inner();
        Ok(response.jobs.into_iter().map(LiveJob::from).collect())
    }

    /// Ends a job; one that has ended already is well.
    pub async fn cancel(&self, hpc: &str, job: &SlurmJob) -> Result<(), RemoteError> {
        let request = wire::CancelRequest {
            hpc: hpc.to_owned(),
            job: Some(job.into()),
            credential: self.credential.clone(),
        };
        self.client().cancel(within(BRIEF, request)).await?;
        Ok(())
    }

    /// Suspends a running job, holds a pending one.
    pub async fn suspend(&self, hpc: &str, job: &SlurmJob) -> Result<(), RemoteError> {
        let request = wire::SuspendRequest {
            hpc: hpc.to_owned(),
            job: Some(job.into()),
            credential: self.credential.clone(),
        };
        self.client().suspend(within(BRIEF, request)).await?;
        Ok(())
    }

    /// Resumes a suspended job, releases a held one.
    pub async fn resume(&self, hpc: &str, job: &SlurmJob) -> Result<(), RemoteError> {
        let request = wire::ResumeRequest {
            hpc: hpc.to_owned(),
            job: Some(job.into()),
            credential: self.credential.clone(),
        };
        self.client().resume(within(BRIEF, request)).await?;
        Ok(())
    }

    /// What an ended job used; empty where the site does not know (yet).
    pub async fn usage(&self, hpc: &str, job: &SlurmJob) -> Result<Usage, RemoteError> {
        let request = wire::UsageRequest {
            hpc: hpc.to_owned(),
            job: Some(job.into()),
            credential: self.credential.clone(),
        };
        Ok(self
            .client()
            .usage(within(LOOK, request))
            .await?
            .into_inner()
            .into())
    }

    /// Reads at most `max_bytes` (0: [`MAX_READ_BYTES`]) of a file from `offset` on.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if there is no such file.
    pub async fn read_file(
        &self,
        hpc: &str,
        path: &str,
        offset: u64,
        max_bytes: u32,
    ) -> Result<FilePart, RemoteError> {
        let request = wire::ReadFileRequest {
            hpc: hpc.to_owned(),
            path: path.to_owned(),
            offset,
            max_bytes,
            credential: self.credential.clone(),
        };
        Ok(self
            .client()
            .read_file(within(BRIEF, request))
            .await?
            .into_inner()
            .into())
    }

    /// Directories below a folder, as many as can be named.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if there is no such folder.
    pub async fn list_folder(&self, hpc: &str, path: &str) -> Result<Listing, RemoteError> {
        let request = wire::ListFolderRequest {
            hpc: hpc.to_owned(),
            path: path.to_owned(),
            credential: self.credential.clone(),
        };
        let client = &mut self.client();
        let listed = client.list_folder(within(LOOK, request)).await?;
        let wire::ListFolderResponse {
            directories,
            is_cut,
        } = listed.into_inner();
        Ok(Listing {
            folders: directories,
            is_cut,
        })
    }

    /// Removes a folder and everything in it; one that is not there is well.
    pub async fn remove_folder(&self, hpc: &str, path: &str) -> Result<(), RemoteError> {
        let request = wire::RemoveFolderRequest {
            hpc: hpc.to_owned(),
            path: path.to_owned(),
            credential: self.credential.clone(),
        };
        self.client().remove_folder(within(REMOVE, request)).await?;
        Ok(())
    }

    /// Looks whether a folder is there and no link is on the way to it.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if there is no such folder, [`ErrorKind::Refused`] if it
    /// is none or a link is on the way.
    pub async fn check_folder(&self, hpc: &str, path: &str) -> Result<(), RemoteError> {
        let request = wire::CheckFolderRequest {
            hpc: hpc.to_owned(),
            path: path.to_owned(),
            credential: self.credential.clone(),
        };
        self.client().check_folder(within(BRIEF, request)).await?;
        Ok(())
    }

    /// The generated client wants `&mut`; a clone of it shares the connection.
    fn client(&self) -> Generated<Channel> {
        self.inner.clone()
    }
}

fn within<T>(deadline: Duration, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(deadline);
    ids::attach(&mut request);
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_connector_that_is_away_is_unavailable() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let endpoint = tonic::transport::Endpoint::from_shared(address).unwrap();
        let client = ConnectorClient::new(endpoint.connect_lazy());
        let error = client.check("local").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        assert_eq!(
            client.ping().await.unwrap_err().kind(),
            ErrorKind::Unavailable
        );
        let uploaded = client
            .upload_folder("local", "/scratch/1", &b"tar"[..])
            .await;
        assert_eq!(uploaded.unwrap_err().kind(), ErrorKind::Unavailable);
    }
}
