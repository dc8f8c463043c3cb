//! Calls about files and folders of users.

use compute_domain::ErrorKind;
use tokio::{io::AsyncRead, sync::mpsc};
use tokio_stream::wrappers::ReceiverStream;

use super::{ConnectorClient, methods::TRANSFER, request};
use crate::{
    pb_conversions::{FilePart, Listing},
    status::RemoteError,
    target::Targeted as _,
    upload::{FeedError, feed},
    wire::{
        CheckFolderRequest, CopyFolderRequest, ListFolderRequest, MakeFolderRequest,
        ReadFileRequest, RemoveFolderRequest, WriteFileRequest, upload_folder_request::Header,
    },
};

const CHUNKS_IN_FLIGHT: usize = 4;

impl ConnectorClient {
    /// Creates a folder and its parents.
    pub async fn make_folder(&self, path: &str) -> Result<(), RemoteError> {
        let path = path.to_owned();
        let request = MakeFolderRequest {
            path,
            ..Default::default()
        };
        self.call(request).await.map(drop)
    }

    /// Unpacks a tar stream into a folder, which is created if it does not exist.
    /// Returns the length of the stream in bytes.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] also if `tar` cannot be read.
    pub async fn upload_folder(
        &self,
        path: &str,
        tar: impl AsyncRead + Send + Unpin + 'static,
    ) -> Result<u64, RemoteError> {
        let mut header = Header {
            path: path.to_owned(),
            ..Default::default()
        };
        self.permitted().await?;
        header.set_target(&self.target);
        let (sender, receiver) = mpsc::channel(CHUNKS_IN_FLIGHT);
        let mut rpc = self.rpc.clone();
        let call = rpc.upload_folder(request(TRANSFER, ReceiverStream::new(receiver)));
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

    /// Writes a file of at most [`MAX_WRITE_BYTES`](crate::MAX_WRITE_BYTES), completely or
    /// not at all.
    pub async fn write_file(&self, path: &str, content: Vec<u8>) -> Result<(), RemoteError> {
        let request = WriteFileRequest {
            path: path.to_owned(),
            content: content.into(),
            ..Default::default()
        };
        self.call(request).await.map(drop)
    }

    /// Copies a folder to another path and replaces a folder that exists there.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if `from` does not exist.
    pub async fn copy_folder(&self, from: &str, to: &str) -> Result<(), RemoteError> {
        let request = CopyFolderRequest {
            from: from.to_owned(),
            to: to.to_owned(),
            ..Default::default()
        };
        self.call(request).await.map(drop)
    }

    /// Reads at most `max_bytes` (0: [`MAX_READ_BYTES`](crate::MAX_READ_BYTES)) of a file,
    /// starting at byte `offset`.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if the file does not exist.
    pub async fn read_file(
        &self,
        path: &str,
        offset: u64,
        max_bytes: u32,
    ) -> Result<FilePart, RemoteError> {
        let request = ReadFileRequest {
            path: path.to_owned(),
            offset,
            max_bytes,
            ..Default::default()
        };
        Ok(self.call(request).await?.into())
    }

    /// Lists the directories below a folder, up to the limits of the connector.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if the folder does not exist.
    pub async fn list_folder(&self, path: &str) -> Result<Listing, RemoteError> {
        let path = path.to_owned();
        let request = ListFolderRequest {
            path,
            ..Default::default()
        };
        Ok(self.call(request).await?.into())
    }

    /// Removes a folder and its content. Succeeds if the folder does not exist.
    pub async fn remove_folder(&self, path: &str) -> Result<(), RemoteError> {
        let path = path.to_owned();
        let request = RemoveFolderRequest {
            path,
            ..Default::default()
        };
        self.call(request).await.map(drop)
    }

    /// Checks that a folder exists and that no link is on the path to it.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if the folder does not exist, [`ErrorKind::Refused`] if it
    /// is not a folder or the path contains a link.
    pub async fn check_folder(&self, path: &str) -> Result<(), RemoteError> {
        let path = path.to_owned();
        let request = CheckFolderRequest {
            path,
            ..Default::default()
        };
        self.call(request).await.map(drop)
    }
}
