//! The client side of an upload: turns a reader into a stream of messages with an
//! explicit end. So an upload is never taken for complete if the reader fails or the
//! caller goes away.

use prost::bytes::BytesMut;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _},
    sync::mpsc::{self, error::SendError},
};

use crate::wire::{
    UploadFolderRequest,
    upload_folder_request::{End, Header, Part},
};

/// Maximum size of a chunk in bytes.
pub const CHUNK_BYTES: usize = 256 * 1024;

/// Why an upload stopped before its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FeedError {
    /// The reader failed.
    #[error("cannot read the files to upload: {0}")]
    Read(#[from] std::io::Error),
    /// The connector has closed the stream; its status tells why.
    #[error("the connector has closed the upload")]
    Closed,
}

impl From<SendError<UploadFolderRequest>> for FeedError {
    fn from(_: SendError<UploadFolderRequest>) -> Self {
        Self::Closed
    }
}

/// Sends header, content of `reader`, and end. Drops the sender at the end.
pub(crate) async fn feed(
    header: Header,
    mut reader: impl AsyncRead + Send + Unpin,
    sender: mpsc::Sender<UploadFolderRequest>,
) -> Result<(), FeedError> {
    sender.send(message(Part::Header(header))).await?;
    let mut total = 0;
    loop {
        let mut chunk = BytesMut::with_capacity(CHUNK_BYTES);
        // Reads may be short; few large messages are cheaper than many small ones.
        while chunk.len() < CHUNK_BYTES {
            let room = CHUNK_BYTES - chunk.len();
            if (&mut reader).take(room as u64).read_buf(&mut chunk).await? == 0 {
                break;
            }
        }
        if chunk.is_empty() {
            break;
        }
        total += chunk.len() as u64;
        sender.send(message(Part::Chunk(chunk.freeze()))).await?;
    }
    sender
        .send(message(Part::End(End { bytes: total })))
        .await?;
    Ok(())
}

fn message(part: Part) -> UploadFolderRequest {
    UploadFolderRequest { part: Some(part) }
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        pin::Pin,
        task::{Context, Poll},
    };

    use tokio::io::ReadBuf;

    use super::*;

    async fn parts_of(reader: impl AsyncRead + Send + Unpin) -> (Vec<Part>, bool) {
        let (sender, mut receiver) = mpsc::channel(64);
        let fed = feed(Header::default(), reader, sender).await;
        let mut parts = Vec::new();
        while let Some(message) = receiver.recv().await {
            parts.push(message.part.unwrap());
        }
        (parts, fed.is_ok())
    }

    #[tokio::test]
    async fn a_whole_reader_ends_with_an_end() {
        let content = vec![7_u8; CHUNK_BYTES * 2 + 5];
        let (parts, ok) = parts_of(content.as_slice()).await;
        assert!(ok);
        let lengths: Vec<usize> = parts
            .iter()
            .filter_map(|part| match part {
                Part::Chunk(chunk) => Some(chunk.len()),
                Part::Header(_) | Part::End(_) => None,
            })
            .collect();
        assert_eq!(lengths, [CHUNK_BYTES, CHUNK_BYTES, 5]);
        assert_eq!(
            parts.last(),
            Some(&Part::End(End {
                bytes: content.len() as u64
            }))
        );
    }

    /// A reader that fails.
    struct Failing;

    impl AsyncRead for Failing {
        fn poll_read(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            _: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            Poll::Ready(Err(io::Error::other("git archive failed")))
        }
    }

    #[tokio::test]
    async fn a_reader_that_fails_has_no_end() {
        let (parts, ok) = parts_of((&b"half"[..]).chain(Failing)).await;
        assert!(!ok);
        assert!(!parts.iter().any(|part| matches!(part, Part::End(_))));
    }
}
