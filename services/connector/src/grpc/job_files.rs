//! Calls about the files of a job that no program can see.

use std::sync::Arc;

use compute_domain::job::JobFile;
use compute_proto::{
    job_file,
    wire::{
        RaiseFenceRequest, RaiseFenceResponse, ReadFileResponse, ReadJobFileRequest,
        RemoveJobRequest, RemoveJobResponse, StoreLogsRequest, StoreLogsResponse,
        WriteJobFileRequest, WriteJobFileResponse,
    },
};

use super::files::{check_size, read_limit};
use crate::{
    account::Account,
    error::Error,
    fence::Fence,
    job_files::{self, JobFiles},
};

pub(super) async fn write(
    account: Arc<Account>,
    fence: Fence,
    request: WriteJobFileRequest,
) -> Result<WriteJobFileResponse, Error> {
    let Some(file @ (JobFile::Script | JobFile::Environment)) = job_file(request.file()) else {
        let message = "only script and environment of a job can be written";
        return Err(Error::Argument(message.to_owned()));
    };
    check_size(&request.content)?;
    let remote = account.remote.fenced(&fence);
    let files = JobFiles::of(&remote, &account.place, &request.job_id)?;
    files.write(file, request.content).await?;
    Ok(WriteJobFileResponse {})
}

pub(super) async fn read(
    account: Arc<Account>,
    request: ReadJobFileRequest,
) -> Result<ReadFileResponse, Error> {
    let Some(file) = job_file(request.file()) else {
        let message = "the request names no file of the job";
        return Err(Error::Argument(message.to_owned()));
    };
    let files = of(&account, &request.job_id)?;
    let limit = read_limit(request.max_bytes);
    Ok(files.read(file, request.offset, limit).await?.into())
}

pub(super) async fn store_logs(
    account: Arc<Account>,
    fence: Fence,
    request: StoreLogsRequest,
) -> Result<StoreLogsResponse, Error> {
    let folder = account.path(&request.folder)?;
    let remote = account.remote.fenced(&fence);
    let files = JobFiles::of(&remote, &account.place, &request.job_id)?;
    files.store_logs(&folder).await?;
    Ok(StoreLogsResponse {})
}

pub(super) async fn raise_fence(
    account: Arc<Account>,
    fence: Fence,
    _: RaiseFenceRequest,
) -> Result<RaiseFenceResponse, Error> {
    job_files::raise_fence(&account.remote.fenced(&fence)).await?;
    Ok(RaiseFenceResponse {})
}

pub(super) async fn remove(
    account: Arc<Account>,
    request: RemoveJobRequest,
) -> Result<RemoveJobResponse, Error> {
    of(&account, &request.job_id)?.remove().await?;
    Ok(RemoveJobResponse {})
}

fn of<'a>(account: &'a Account, job_id: &'a str) -> Result<JobFiles<'a>, Error> {
    JobFiles::of(&account.remote, &account.place, job_id)
}
