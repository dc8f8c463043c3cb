//! The `Connector` service: wire types stop here, and errors become statuses.

use std::sync::Arc;

use bytes::Bytes;
use compute_proto::{
    MAX_READ_BYTES, MAX_WRITE_BYTES, status_of,
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

use crate::{account::Account, check, error::Error, files, served::Directory};

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
        files::upload_folder(&account.remote, &path, chunks.boxed())
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
        if content.len() > MAX_WRITE_BYTES {
            let message = format!("{} bytes are too many for one file", content.len());
            return Err(status(Error::Argument(message)));
        }
        files::write_file(&account.remote, &path, content)
            .await
            .map_err(status)?;
        Ok(Response::new(wire::WriteFileResponse {}))
    }

    async fn submit(&self, request: Request<wire::SubmitRequest>) -> Answer<wire::SubmitResponse> {
        let wire::SubmitRequest {
            hpc,
            job_id,
            folder,
            credential,
        } = request.into_inner();
        is_about(&job_id);
        let account = self.account(&hpc, credential.as_ref())?;
        let folder = account.path(&folder).map_err(status)?;
        let submitted = account
            .submissions
            .submit(&job_id, folder)
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
            folder,
            credential,
        } = request.into_inner();
        is_about(&job_id);
        let account = self.account(&hpc, credential.as_ref())?;
        let folder = account.path(&folder).map_err(status)?;
        let found = account.submissions.find(&job_id, &folder).await;
        let slurm_id = found.map_err(status)?;
        Ok(Response::new(wire::FindSubmissionResponse { slurm_id }))
    }

    async fn job_states(
        &self,
        request: Request<wire::JobStatesRequest>,
    ) -> Answer<wire::JobStatesResponse> {
        let wire::JobStatesRequest {
            hpc,
            slurm_ids,
            credential,
        } = request.into_inner();
        let account = self.account(&hpc, credential.as_ref())?;
        slurm_ids
            .iter()
            .try_for_each(|id| slurm_id(id))
            .map_err(status)?;
        let jobs = account.states.observe(&slurm_ids).await.map_err(status)?;
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
            slurm_id: id,
            credential,
        } = request.into_inner();
        let account = self.account(&hpc, credential.as_ref())?;
        slurm_id(&id).map_err(status)?;
        account.scheduler.cancel(&id).await.map_err(status)?;
        Ok(Response::new(wire::CancelResponse {}))
    }

    async fn suspend(
        &self,
        request: Request<wire::SuspendRequest>,
    ) -> Answer<wire::SuspendResponse> {
        let wire::SuspendRequest {
            hpc,
            slurm_id: id,
            credential,
        } = request.into_inner();
        let account = self.account(&hpc, credential.as_ref())?;
        slurm_id(&id).map_err(status)?;
        account.scheduler.suspend(&id).await.map_err(status)?;
        Ok(Response::new(wire::SuspendResponse {}))
    }

    async fn resume(&self, request: Request<wire::ResumeRequest>) -> Answer<wire::ResumeResponse> {
        let wire::ResumeRequest {
            hpc,
            slurm_id: id,
            credential,
        } = request.into_inner();
        let account = self.account(&hpc, credential.as_ref())?;
        slurm_id(&id).map_err(status)?;
        account.scheduler.resume(&id).await.map_err(status)?;
        Ok(Response::new(wire::ResumeResponse {}))
    }

    async fn usage(&self, request: Request<wire::UsageRequest>) -> Answer<wire::UsageResponse> {
        let wire::UsageRequest {
            hpc,
            slurm_id: id,
            credential,
        } = request.into_inner();
        let account = self.account(&hpc, credential.as_ref())?;
        slurm_id(&id).map_err(status)?;
        let usage = account.scheduler.usage(&id).await.map_err(status)?;
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
        let max = if max_bytes == 0 {
            MAX_READ_BYTES
        } else {
            max_bytes.min(MAX_READ_BYTES)
        };
        let part = files::read_file(&account.remote, &path, offset, max)
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
        let from = account.path(&from).map_err(status)?;
        let to = account.path(&to).map_err(status)?;
        files::copy_folder(&account.remote, &from, &to)
            .await
            .map_err(status)?;
        Ok(Response::new(wire::CopyFolderResponse {}))
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
}

/// The one place where an error of ours becomes a status.
fn status(error: Error) -> Status {
    status_of(error.kind(), &error.to_string())
}

fn cut() -> Error {
    Error::Argument("the upload was cut before its end".to_owned())
}

fn slurm_id(text: &str) -> Result<(), Error> {
    let is_id = (1..=20).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    is_id
        .then_some(())
        .ok_or_else(|| Error::Argument(format!("{text:?} is no Slurm id")))
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
