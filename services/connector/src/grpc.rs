//! The `Connector` service. Wire types stop here, requests find their account, and
//! errors become statuses.
//!
//! The server drops the future of a call whose deadline has passed (`grpc-timeout`);
//! what has to be completed nevertheless runs in a task (`submit`, `remote`).

mod accounts;
mod files;
mod job_files;
mod jobs;
mod upload;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use compute_proto::{
    Targeted, status_of,
    wire::{self, Target, UploadFolderRequest, connector_server::Connector},
};
use tonic::{Request, Response, Status, Streaming};
use tracing::Span;

use crate::{account::Account, error::Error, fence::Fence, hpc_registry::HpcRegistry};

type RpcResult<T> = Result<Response<T>, Status>;

/// Serves the HPCs of this process.
#[derive(Clone)]
pub(crate) struct ConnectorService {
    registry: Arc<HpcRegistry>,
}

impl ConnectorService {
    /// A service for these HPCs.
    pub(crate) fn new(registry: Arc<HpcRegistry>) -> Self {
        Self { registry }
    }

    /// Runs `operation` on the account that the request is for.
    async fn on_account<M, R, F>(
        &self,
        request: Request<M>,
        operation: impl FnOnce(Arc<Account>, M) -> F,
    ) -> RpcResult<R>
    where
        M: Targeted,
        F: Future<Output = Result<R, Error>>,
    {
        self.on_target(request, async |target, message| {
            let account = self.registry.account(&target)?;
            operation(account, message).await
        })
        .await
    }

    /// Runs `operation`, which changes something for a job, on the account and with the fence
    /// of the request.
    async fn on_job<M, R, F>(
        &self,
        request: Request<M>,
        operation: impl FnOnce(Arc<Account>, Fence, M) -> F,
    ) -> RpcResult<R>
    where
        M: Targeted,
        F: Future<Output = Result<R, Error>>,
    {
        self.on_target(request, async |mut target, message| {
            let fence = target.fence.take();
            if let Some(fence) = &fence {
                record_job(&fence.job_id);
            }
            let account = self.registry.account(&target)?;
            let fence = Fence::of(fence, &account.place)?;
            operation(account, fence, message).await
        })
        .await
    }

    /// Runs `operation` for the target of the request.
    async fn on_target<M: Targeted, R>(
        &self,
        request: Request<M>,
        operation: impl AsyncFnOnce(Target, M) -> Result<R, Error>,
    ) -> RpcResult<R> {
        let mut message = request.into_inner();
        let target = message.take_target();
        if let Some(credential) = &target.credential {
            record_job(&credential.job_id);
        }
        let done = operation(target, message).await;
        done.map(Response::new).map_err(status)
    }
}

/// The one place where an error of this crate becomes a status.
fn status(error: Error) -> Status {
    status_of(error.kind(), &error.to_string())
}

/// Notes in the span of the call which job it is about.
fn record_job(job_id: &str) {
    Span::current().record("job.id", job_id);
}

#[tonic::async_trait]
impl Connector for ConnectorService {
    async fn check(&self, request: Request<wire::CheckRequest>) -> RpcResult<wire::CheckResponse> {
        self.on_target(request, async |target, _| {
            accounts::check(&self.registry, &target).await
        })
        .await
    }

    async fn check_login(
        &self,
        request: Request<wire::CheckLoginRequest>,
    ) -> RpcResult<wire::CheckLoginResponse> {
        self.on_target(request, async |target, message| {
            accounts::check_login(&self.registry, &target.hpc, message).await
        })
        .await
    }

    async fn make_folder(
        &self,
        request: Request<wire::MakeFolderRequest>,
    ) -> RpcResult<wire::MakeFolderResponse> {
        self.on_job(request, files::make_folder).await
    }

    async fn upload_folder(
        &self,
        request: Request<Streaming<UploadFolderRequest>>,
    ) -> RpcResult<wire::UploadFolderResponse> {
        let mut parts = request.into_inner();
        let header = Request::new(upload::header(&mut parts).await?);
        self.on_job(header, |account, fence, header| {
            upload::upload_folder(account, fence, header, parts)
        })
        .await
    }

    async fn write_file(
        &self,
        request: Request<wire::WriteFileRequest>,
    ) -> RpcResult<wire::WriteFileResponse> {
        self.on_job(request, files::write_file).await
    }

    async fn copy_folder(
        &self,
        request: Request<wire::CopyFolderRequest>,
    ) -> RpcResult<wire::CopyFolderResponse> {
        self.on_job(request, files::copy_folder).await
    }

    async fn write_job_file(
        &self,
        request: Request<wire::WriteJobFileRequest>,
    ) -> RpcResult<wire::WriteJobFileResponse> {
        self.on_job(request, job_files::write).await
    }

    async fn read_job_file(
        &self,
        request: Request<wire::ReadJobFileRequest>,
    ) -> RpcResult<wire::ReadFileResponse> {
        self.on_account(request, job_files::read).await
    }

    async fn store_logs(
        &self,
        request: Request<wire::StoreLogsRequest>,
    ) -> RpcResult<wire::StoreLogsResponse> {
        self.on_job(request, job_files::store_logs).await
    }

    async fn remove_job(
        &self,
        request: Request<wire::RemoveJobRequest>,
    ) -> RpcResult<wire::RemoveJobResponse> {
        self.on_account(request, job_files::remove).await
    }

    async fn raise_fence(
        &self,
        request: Request<wire::RaiseFenceRequest>,
    ) -> RpcResult<wire::RaiseFenceResponse> {
        self.on_job(request, job_files::raise_fence).await
    }

    async fn submit(
        &self,
        request: Request<wire::SubmitRequest>,
    ) -> RpcResult<wire::SubmitResponse> {
        self.on_job(request, jobs::submit).await
    }

    async fn find_submission(
        &self,
        request: Request<wire::FindSubmissionRequest>,
    ) -> RpcResult<wire::FindSubmissionResponse> {
        self.on_job(request, jobs::find_submission).await
    }

    async fn job_states(
        &self,
        request: Request<wire::JobStatesRequest>,
    ) -> RpcResult<wire::JobStatesResponse> {
        self.on_account(request, jobs::states).await
    }

    async fn deployment_jobs(
        &self,
        request: Request<wire::DeploymentJobsRequest>,
    ) -> RpcResult<wire::DeploymentJobsResponse> {
        self.on_account(request, jobs::of_deployment).await
    }

    async fn cancel(
        &self,
        request: Request<wire::CancelRequest>,
    ) -> RpcResult<wire::CancelResponse> {
        self.on_job(request, jobs::cancel).await
    }

    async fn suspend(
        &self,
        request: Request<wire::SuspendRequest>,
    ) -> RpcResult<wire::SuspendResponse> {
        self.on_job(request, jobs::suspend).await
    }

    async fn resume(
        &self,
        request: Request<wire::ResumeRequest>,
    ) -> RpcResult<wire::ResumeResponse> {
        self.on_job(request, jobs::resume).await
    }

    async fn usage(&self, request: Request<wire::UsageRequest>) -> RpcResult<wire::UsageResponse> {
        self.on_account(request, jobs::usage).await
    }

    async fn read_file(
        &self,
        request: Request<wire::ReadFileRequest>,
    ) -> RpcResult<wire::ReadFileResponse> {
        self.on_account(request, files::read_file).await
    }

    async fn list_folder(
        &self,
        request: Request<wire::ListFolderRequest>,
    ) -> RpcResult<wire::ListFolderResponse> {
        self.on_account(request, files::list_folder).await
    }

    async fn remove_folder(
        &self,
        request: Request<wire::RemoveFolderRequest>,
    ) -> RpcResult<wire::RemoveFolderResponse> {
        self.on_account(request, files::remove_folder).await
    }

    async fn check_folder(
        &self,
        request: Request<wire::CheckFolderRequest>,
    ) -> RpcResult<wire::CheckFolderResponse> {
        self.on_account(request, files::check_folder).await
    }
}
