//! Calls about files and folders of users.

use std::sync::Arc;

use compute_proto::{
    MAX_READ_BYTES, MAX_WRITE_BYTES,
    wire::{
        CheckFolderRequest, CheckFolderResponse, CopyFolderRequest, CopyFolderResponse,
        ListFolderRequest, ListFolderResponse, MakeFolderRequest, MakeFolderResponse,
        ReadFileRequest, ReadFileResponse, RemoveFolderRequest, RemoveFolderResponse,
        WriteFileRequest, WriteFileResponse,
    },
};

use crate::{account::Account, error::Error, fence::Fence, files};

pub(super) async fn make_folder(
    account: Arc<Account>,
    fence: Fence,
    request: MakeFolderRequest,
) -> Result<MakeFolderResponse, Error> {
    let path = account.path(&request.path)?;
    files::make_folder(&account.remote.fenced(&fence), &path).await?;
    Ok(MakeFolderResponse {})
}

pub(super) async fn write_file(
    account: Arc<Account>,
    fence: Fence,
    request: WriteFileRequest,
) -> Result<WriteFileResponse, Error> {
    let path = account.path(&request.path)?;
    check_size(&request.content)?;
    let remote = account.remote.fenced(&fence);
    files::write_file(&remote, &account.place, &path, request.content).await?;
    Ok(WriteFileResponse {})
}

pub(super) async fn copy_folder(
    account: Arc<Account>,
    fence: Fence,
    request: CopyFolderRequest,
) -> Result<CopyFolderResponse, Error> {
    let (from, to) = (account.path(&request.from)?, account.path(&request.to)?);
    let remote = account.remote.fenced(&fence);
    files::copy_folder(&remote, &account.place, &from, &to).await?;
    Ok(CopyFolderResponse {})
}

pub(super) async fn read_file(
    account: Arc<Account>,
    request: ReadFileRequest,
) -> Result<ReadFileResponse, Error> {
    let path = account.path(&request.path)?;
    let limit = read_limit(request.max_bytes);
    let part = files::read_file(&account.remote, &path, request.offset, limit).await?;
    Ok(part.into())
}

pub(super) async fn list_folder(
    account: Arc<Account>,
    request: ListFolderRequest,
) -> Result<ListFolderResponse, Error> {
    let path = account.path(&request.path)?;
    let listing = files::list_folder(&account.remote, &path).await?;
    Ok(listing.into())
}

pub(super) async fn remove_folder(
    account: Arc<Account>,
    request: RemoveFolderRequest,
) -> Result<RemoveFolderResponse, Error> {
    let path = account.path(&request.path)?;
    files::remove_folder(&account.remote, &path).await?;
    Ok(RemoveFolderResponse {})
}

pub(super) async fn check_folder(
    account: Arc<Account>,
    request: CheckFolderRequest,
) -> Result<CheckFolderResponse, Error> {
    let path = account.path(&request.path)?;
    files::check_folder(&account.remote, &path).await?;
    Ok(CheckFolderResponse {})
}

/// Checks that `content` is not larger than one call may write.
///
/// # Errors
/// [`Error::Argument`] if it is.
pub(super) fn check_size(content: &[u8]) -> Result<(), Error> {
    if content.len() > MAX_WRITE_BYTES {
        return Err(Error::Argument(format!(
            "a file of {} bytes is too large: at most {MAX_WRITE_BYTES} bytes are written at once",
            content.len()
        )));
    }
    Ok(())
}

/// Number of bytes to read: 0 and what exceeds the maximum mean the maximum.
pub(super) fn read_limit(max_bytes: u32) -> u32 {
    match max_bytes {
        0 => MAX_READ_BYTES,
        bytes => bytes.min(MAX_READ_BYTES),
    }
}
