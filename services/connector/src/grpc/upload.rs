//! The upload of a folder: a header, chunks, and an explicit end. A stream that stops
//! without the end, or with another number of bytes, was cut and is rejected.

use std::sync::Arc;

use bytes::Bytes;
use compute_proto::wire::{
    UploadFolderRequest, UploadFolderResponse,
    upload_folder_request::{Header, Part},
};
use futures::{
    StreamExt as _,
    stream::{self, Stream},
};
use tokio::sync::oneshot;
use tonic::{Status, Streaming};

use super::status;
use crate::{account::Account, error::Error, fence::Fence, files};

/// The first message of an upload.
///
/// # Errors
/// That of the stream; [`Error::Argument`] if the message is not a header.
pub(super) async fn header(parts: &mut Streaming<UploadFolderRequest>) -> Result<Header, Status> {
    match parts.message().await?.and_then(|message| message.part) {
        Some(Part::Header(header)) => Ok(header),
        _ => {
            let message = "the first message of an upload must be its header";
            Err(status(Error::Argument(message.to_owned())))
        }
    }
}

/// Unpacks the rest of the upload.
pub(super) async fn upload_folder(
    account: Arc<Account>,
    fence: Fence,
    header: Header,
    parts: Streaming<UploadFolderRequest>,
) -> Result<UploadFolderResponse, Error> {
    let path = account.path(&header.path)?;
    let (chunks, total) = chunks(parts);
    let remote = account.remote.fenced(&fence);
    // tar can succeed on a stream that was cut.
    let total = async { total.await.map_err(|_| cut()) };
    let (place, chunks) = (&account.place, chunks.boxed());
    let bytes = files::upload_folder(&remote, place, &path, chunks, total).await?;
    Ok(UploadFolderResponse { bytes })
}

fn cut() -> Error {
    Error::Argument("the upload was cut before its end".to_owned())
}

/// The chunks up to the end, and the number of their bytes if the end has come. A
/// stream that was cut ends with an error.
fn chunks(
    parts: Streaming<UploadFolderRequest>,
) -> (
    impl Stream<Item = Result<Bytes, Error>> + Send + 'static,
    oneshot::Receiver<u64>,
) {
    let (sender, total) = oneshot::channel();
    let chunks = stream::try_unfold((parts, 0_u64, sender), async |(mut parts, sum, sender)| {
        let message = parts.message().await.map_err(|_| cut())?;
        match message.and_then(|message| message.part) {
            Some(Part::Chunk(chunk)) => {
                let sum = sum + chunk.len() as u64;
                Ok(Some((chunk, (parts, sum, sender))))
            }
            Some(Part::End(end)) if end.bytes == sum => {
                // The receiver is gone if tar has failed.
                let _ = sender.send(sum);
                Ok(None)
            }
            Some(Part::End(_) | Part::Header(_)) | None => Err(cut()),
        }
    });
    (chunks, total)
}
