//! The `Connector` service: wire types stop here, and errors become statuses.

use std::sync::Arc;

use bytes::Bytes;
use compute_domain::{
    ids::JobId,
    job::{JobFile, Mark, SlurmJob},
};
use compute_proto::{
    MAX_READ_BYTES, MAX_WRITE_BYTES, job_file, status_of,
    wire::{
        self, UploadFolderRequest,
        connector_server::Connector,
        upload_folder_request::{Header, Part},
    },
};
use futures::{StreamExt as _, stream};
use secrecy::SecretString;
use tonic::{Request, Response, Status, Streaming};
use tracing::Span;

use crate::{
    account::Account, check, error::Error, files, job_files::JobFiles, paths::RemotePath,
    served::Directory, submit::checked,
};

/// Answers for the HPCs of this process.
#[derive(Clone)]
pub(crate) struct ConnectorService {
    directory: Arc<Directory>,
}

impl ConnectorService {
    /// A service for these HPCs.
    pub(crate) fn new(directory: Arc<Directory>) -> Self {
        Self { directory }
    }

    fn account(
        &self,
        hpc: &str,
        credential: Option<&wire::Credential>,
    ) -> Result<Arc<Account>, Status> {
        if let Some(credential) = credential {
            is_about(&credential.job_id);
        }
        self.directory.account(hpc, credential).map_err(status)
    }
}

/// The call that is being answered is about that job.
fn is_about(job_id: &str) {
    Span::current().record("job.id", job_id);
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl Connector for ConnectorService {
    async fn check(&self, request: Request<wire::CheckRequest>) -> Answer<wire::CheckResponse> {
        let wire::CheckRequest { hpc, credential } = request.into_inner();
        let findings = if credential.is_none() && self.directory.is_private(&hpc) {
            check::private()
        } else {
            let account = self.account(&hpc, credential.as_ref())?;
            check::check(&account.remote, &account.hpc).await
        };
        let findings = findings.into_iter().map(Into::into).collect();
        Ok(Response::new(wire::CheckResponse { findings }))
    }

    async fn check_login(
        &self,
        request: Request<wire::CheckLoginRequest>,
    ) -> Answer<wire::CheckLoginResponse> {
        let wire::CheckLoginRequest {
            hpc,
            job_id,
            user,
            password,
        } = request.into_inner();
        is_about(&job_id);
        let sealed = self
            .directory
            .check_login(&hpc, &job_id, &user, SecretString::from(password))
            .await
            .map_err(status)?;
        tracing::info!(hpc, account = user, "login checked");
        Ok(Response::new(wire::CheckLoginResponse { sealed }))
    }

    async fn make_folder(
        &self,
        request: Request<wire::MakeFolderRequest>,
    ) -> Answer<wire::MakeFolderResponse> {
        let wire::MakeFolderRequest {
            hpc,
            path,
            credential,
        } = request.into_inner();
        let account = self.account(&hpc, credential.as_ref())?;
        let path = account.path(&path).map_err(status)?;
        files::make_folder(&account.remote, &path)
            .await
            .map_err(status)?;
        Ok(Response::new(wire::MakeFolderResponse {}))
    }

    async fn upload_folder(
        &self,
        request: Request<Streaming<UploadFolderRequest>>,
    ) -> Answer<wire::UploadFolderResponse> {
        let mut parts = request.into_inner();
        let Some(UploadFolderRequest {
            part:
                Some(Part::Header(Header {
                    hpc,
                    path,
                    credential,
                })),
        }) = parts.message().await?
        else {
            return Err(status(Error::Argument(
                "an upload begins with its header".to_owned(),
            )));
        };
        let account = self.account(&hpc, credential.as_ref())?;
        let path = account.path(&path).map_err(status)?;
        let (chunks, total) = chunks(parts);
        files::upload_folder(&account.remote, &account.place, &path, chunks.boxed())
            .await
            .map_err(status)?;
        // A folder that ended well although its stream did not come to its end was cut.
        let bytes = total.await.map_err(|_| status(cut()))?;
        Ok(Response::new(wire::UploadFolderResponse { bytes }))
    }

    async fn write_file(
        &self,
        request: Request<wire::WriteFileRequest>,
    ) -> Answer<wire::WriteFileResponse> {
        let wire::WriteFileRequest {
            hpc,
            path,
            content,
            credential,
        } = request.into_inner();
        let account = self.account(&hpc, credential.as_ref())?;
        let path = account.path(&path).map_err(status)?;
        small_enough(&content).map_err(status)?;
        files::write_file(&account.remote, &account.place, &path, content)
            .await
            .map_err(status)?;
        Ok(Response::new(wire::WriteFileResponse {}))
    }

    async fn copy_folder(
        &self,
        request: Request<wire::CopyFolderRequest>,
    ) -> Answer<wire::CopyFolderResponse> {
        let wire::CopyFolderRequest {
            hpc,
            from,
            to,
            credential,
        } = request.into_inner();
        let account = self.account(&hpc, credential.as_ref())?;
        let (from, to) = (account.path(&from), account.path(&to));
        let (from, to) = (from.map_err(status)?, to.map_err(status)?);
        files::copy_folder(&account.remote, &account.place, &from, &to)
            .await
            .map_err(status)?;
        Ok(Response::new(wire::CopyFolderResponse {}))
    }

    async fn write_job_file(
        &self,
        request: Request<wire::WriteJobFileRequest>,
    ) -> Answer<wire::WriteJobFileResponse> {
        let request = request.into_inner();
        let file = match job_file(request.file()) {
            Some(file @ (JobFile::Script | JobFile::Environment)) => file,
            _ => {
                return Err(status(Error::Argument(
                    "no file to write is named".to_owned(),
                )));
            }
        };
        let account = self.account(&request.hpc, request.credential.as_ref())?;
        small_enough(&request.content).map_err(status)?;
        let files = JobFiles::of(&account.remote, &account.place, &request.job_id);
        let files = files.map_err(status)?;
        files
            .write(file, request.content.clone())
            .await
            .map_err(status)?;
        Ok(Response::new(wire::WriteJobFileResponse {}))
    }

    async fn read_job_file(
        &self,
        request: Request<wire::ReadJobFileRequest>,
    ) -> Answer<wire::ReadFileResponse> {
        let request = request.into_inner();
        let Some(file) = job_file(request.file()) else {
            return Err(status(Error::Argument("no file is named".to_owned())));
        };
        let account = self.account(&request.hpc, request.credential.as_ref())?;
        let files = JobFiles::of(&account.remote, &account.place, &request.job_id);
        let files = files.map_err(status)?;
        let part = files.read(file, request.offset, at_most(request.max_bytes));
        Ok(Response::new(part.await.map_err(status)?.into()))
    }

    async fn store_logs(
        &self,
        request: Request<wire::StoreLogsRequest>,
    ) -> Answer<wire::StoreLogsResponse> {
        let wire::StoreLogsRequest {
            hpc,
            job_id,
            folder,
            credential,
        } = request.into_inner();
        let account = self.account(&hpc, credential.as_ref())?;
        let folder = account.path(&folder).map_err(status)?;
        let files = JobFiles::of(&account.remote, &account.place, &job_id).map_err(status)?;
        files.store_logs(&folder).await.map_err(status)?;
        Ok(Response::new(wire::StoreLogsResponse {}))
    }

    async fn remove_job(
        &self,
        request: Request<wire::RemoveJobRequest>,
    ) -> Answer<wire::RemoveJobResponse> {
        let wire::RemoveJobRequest {
            hpc,
            job_id,
            credential,
        } = request.into_inner();
        let account = self.account(&hpc, credential.as_ref())?;
        let files = JobFiles::of(&account.remote, &account.place, &job_id).map_err(status)?;
        files.remove().await.map_err(status)?;
        Ok(Response::new(wire::RemoveJobResponse {}))
    }

    async fn submit(&self, request: Request<wire::SubmitRequest>) -> Answer<wire::SubmitResponse> {
        let wire::SubmitRequest {
            hpc,
            job_id,
            legacy_folder,
            deployment,
            credential,
        } = request.into_inner();
        is_about(&job_id);
        if deployment.is_empty() {
            return Err(status(older_caller()));
        }
        let account = self.account(&hpc, credential.as_ref())?;
        let legacy = legacy(&account, &legacy_folder).map_err(status)?;
        let job = JobId::from_text(job_id);
        let submitted = account
            .submissions
            .submit(Mark { deployment, job }, legacy)
            .await
            .map_err(status)?;
        tracing::info!(
            hpc,
            slurm.id = submitted.slurm_id,
            adopted = submitted.adopted,
            "submitted"
        );
        Ok(Response::new(submitted.into()))
    }

    async fn find_submission(
        &self,
        request: Request<wire::FindSubmissionRequest>,
    ) -> Answer<wire::FindSubmissionResponse> {
        let wire::FindSubmissionRequest {
            hpc,
            job_id,
            legacy_folder,
            deployment,
            credential,
        } = request.into_inner();
        is_about(&job_id);
        let account = self.account(&hpc, credential.as_ref())?;
        let legacy = legacy(&account, &legacy_folder).map_err(status)?;
        let job = JobId::from_text(job_id);
        let mark = Mark { deployment, job };
        let found = account.submissions.find(&mark, legacy.as_ref()).await;
        let slurm_id = found.map_err(status)?;
        Ok(Response::new(wire::FindSubmissionResponse { slurm_id }))
    }

    async fn job_states(
        &self,
        request: Request<wire::JobStatesRequest>,
    ) -> Answer<wire::JobStatesResponse> {
        let wire::JobStatesRequest {
            hpc,
            jobs,
            credential,
        } = request.into_inner();
        let account = self.account(&hpc, credential.as_ref())?;
        let jobs: Vec<SlurmJob> = jobs
            .into_iter()
            .map(|job| slurm_job(Some(job)))
            .collect::<Result<_, _>>()
            .map_err(status)?;
        let jobs = account.states.observe(&jobs).await.map_err(status)?;
        let jobs = jobs.into_iter().map(Into::into).collect();
        Ok(Response::new(wire::JobStatesResponse { jobs }))
    }

    async fn deployment_jobs(
        &self,
        request: Request<wire::DeploymentJobsRequest>,
    ) -> Answer<wire::DeploymentJobsResponse> {
        let wire::DeploymentJobsRequest { hpc, deployment } = request.into_inner();
        let account = self.account(&hpc, None)?;
        let jobs = account.states.of_deployment(&deployment).await;
        let jobs = jobs.map_err(status)?.into_iter().map(Into::into).collect();
        Ok(Response::new(wire::DeploymentJobsResponse { jobs }))
    }

    async fn cancel(&self, request: Request<wire::CancelRequest>) -> Answer<wire::CancelResponse> {
        let wire::CancelRequest {
            hpc,
            job,
            credential,
        } = request.into_inner();
        let account = self.account(&hpc, credential.as_ref())?;
        let job = slurm_job(job).map_err(status)?;
        account.scheduler.cancel(&job).await.map_err(status)?;
        Ok(Response::new(wire::CancelResponse {}))
    }

    async fn suspend(
        &self,
        request: Request<wire::SuspendRequest>,
    ) -> Answer<wire::SuspendResponse> {
        let wire::SuspendRequest {
            hpc,
            job,
            credential,
        } = request.into_inner();
        let account = self.account(&hpc, credential.as_ref())?;
        let job = slurm_job(job).map_err(status)?;
        account.scheduler.suspend(&job).await.map_err(status)?;
        Ok(Response::new(wire::SuspendResponse {}))
    }

    async fn resume(&self, request: Request<wire::ResumeRequest>) -> Answer<wire::ResumeResponse> {
        let wire::ResumeRequest {
            hpc,
            job,
            credential,
        } = request.into_inner();
        let account = self.account(&hpc, credential.as_ref())?;
        let job = slurm_job(job).map_err(status)?;
        account.scheduler.resume(&job).await.map_err(status)?;
        Ok(Response::new(wire::ResumeResponse {}))
    }

    async fn usage(&self, request: Request<wire::UsageRequest>) -> Answer<wire::UsageResponse> {
        let wire::UsageRequest {
            hpc,
            job,
            credential,
        } = request.into_inner();
        let account = self.account(&hpc, credential.as_ref())?;
        let job = slurm_job(job).map_err(status)?;
        let usage = account.scheduler.usage(&job).await.map_err(status)?;
        Ok(Response::new(usage.into()))
    }

    async fn read_file(
        &self,
        request: Request<wire::ReadFileRequest>,
    ) -> Answer<wire::ReadFileResponse> {
        let wire::ReadFileRequest {
            hpc,
            path,
            offset,
            max_bytes,
            credential,
        } = request.into_inner();
        let account = self.account(&hpc, credential.as_ref())?;
        let path = account.path(&path).map_err(status)?;
        let part = files::read_file(&account.remote, &path, offset, at_most(max_bytes))
            .await
            .map_err(status)?;
        Ok(Response::new(part.into()))
    }

    async fn list_folder(
        &self,
        request: Request<wire::ListFolderRequest>,
    ) -> Answer<wire::ListFolderResponse> {
        let wire::ListFolderRequest {
            hpc,
            path,
            credential,
        } = request.into_inner();
        let account = self.account(&hpc, credential.as_ref())?;
        let path = account.path(&path).map_err(status)?;
        let listing = files::list_folder(&account.remote, &path)
            .await
            .map_err(status)?;
        Ok(Response::new(wire::ListFolderResponse {
            directories: listing.folders,
            is_cut: listing.is_cut,
        }))
    }

    async fn remove_folder(
        &self,
        request: Request<wire::RemoveFolderRequest>,
    ) -> Answer<wire::RemoveFolderResponse> {
        let wire::RemoveFolderRequest {
            hpc,
            path,
            credential,
        } = request.into_inner();
        let account = self.account(&hpc, credential.as_ref())?;
        let path = account.path(&path).map_err(status)?;
        files::remove_folder(&account.remote, &path)
            .await
            .map_err(status)?;
        Ok(Response::new(wire::RemoveFolderResponse {}))
    }

    async fn check_folder(
        &self,
        request: Request<wire::CheckFolderRequest>,
    ) -> Answer<wire::CheckFolderResponse> {
        let wire::CheckFolderRequest {
            hpc,
            path,
            credential,
        } = request.into_inner();
        let account = self.account(&hpc, credential.as_ref())?;
        let path = account.path(&path).map_err(status)?;
        files::check_folder(&account.remote, &path)
            .await
            .map_err(status)?;
        Ok(Response::new(wire::CheckFolderResponse {}))
    }
}

/// The one place where an error of ours becomes a status.
fn status(error: Error) -> Status {
    status_of(error.kind(), &error.to_string())
}

fn cut() -> Error {
    Error::Argument("the upload was cut before its end".to_owned())
}

/// A service of the version before, while the others are being replaced: it asks
/// again, and is replaced itself.
fn older_caller() -> Error {
    Error::Trouble(
        "a service of another version asks: services have to be of one version".to_owned(),
    )
}

/// The folder in which the version before may have left marks, if one is named.
fn legacy(account: &Account, folder: &str) -> Result<Option<RemotePath>, Error> {
    match folder {
        "" => Ok(None),
        folder => account.path(folder).map(Some),
    }
}

/// A job whose id, name and comment may be given to Slurm.
fn slurm_job(job: Option<wire::SlurmJob>) -> Result<SlurmJob, Error> {
    let job = SlurmJob::from(job.ok_or_else(older_caller)?);
    let id = &job.slurm_id;
    if !(1..=20).contains(&id.len()) || !id.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Error::Argument(format!("{id:?} is no Slurm id")));
    }
    checked(&job.mark)?;
    Ok(job)
}

fn small_enough(content: &[u8]) -> Result<(), Error> {
    if content.len() > MAX_WRITE_BYTES {
        let message = format!("{} bytes are too many for one file", content.len());
        return Err(Error::Argument(message));
    }
    Ok(())
}

/// Bytes that are read at once: 0 means as many as there may be.
fn at_most(bytes: u32) -> u32 {
    if bytes == 0 {
        MAX_READ_BYTES
    } else {
        bytes.min(MAX_READ_BYTES)
    }
}

/// The chunks of an upload up to its end, whose total is told apart. A stream
/// that ends without one, or does not add up, ends with an error.
fn chunks(
    parts: Streaming<UploadFolderRequest>,
) -> (
    impl stream::Stream<Item = Result<Bytes, Error>> + Send + 'static,
    tokio::sync::oneshot::Receiver<u64>,
) {
    let (sender, total) = tokio::sync::oneshot::channel();
    let chunks = stream::try_unfold((parts, 0_u64, sender), async |(mut parts, sum, sender)| {
        let message = parts.message().await.map_err(|_| cut())?;
        match message.and_then(|message| message.part) {
            Some(Part::Chunk(chunk)) => {
                let sum = sum + chunk.len() as u64;
                Ok(Some((chunk, (parts, sum, sender))))
            }
            Some(Part::End(end)) if end.bytes == sum => {
                // Nobody waits for it any more if tar has failed.
                let _ = sender.send(sum);
                Ok(None)
            }
            Some(Part::End(_) | Part::Header(_)) | None => Err(cut()),
        }
    });
    (chunks, total)
}
