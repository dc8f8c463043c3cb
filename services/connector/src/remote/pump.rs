//! Moves input and output of one remote command.

use std::{process::ExitStatus, sync::Arc};

use bytes::Bytes;
use futures::{StreamExt as _, stream::BoxStream};
use openssh::{Child, ChildStdin, Session};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};

use crate::error::Error;

const MAX_STDERR: usize = 16 * 1024;
const BUFFER: usize = 64 * 1024;

/// What a script reads.
pub(crate) enum Input {
    /// Nothing.
    Nothing,
    /// This.
    Whole(Bytes),
    /// What comes, until it ends or fails.
    Stream(BoxStream<'static, Result<Bytes, Error>>),
}

impl Input {
    pub(super) fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing)
    }
}

/// What a remote command left.
pub(super) struct Pumped {
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
    /// It printed more than it may.
    pub(super) too_much: bool,
    pub(super) status: Result<ExitStatus, openssh::Error>,
}

/// Feeds and drains `child` until it has ended.
///
/// # Errors
/// That of the input, if it fails; the command sees the end of its input then.
pub(super) async fn pump(
    mut child: Child<Arc<Session>>,
    input: Input,
    max_output: usize,
) -> Result<Pumped, Error> {
    let (stdin, stdout, stderr) = (
        child.stdin().take(),
        child.stdout().take(),
        child.stderr().take(),
    );
    let (fed, (stdout, too_much), (stderr, _)) = tokio::join!(
        feed(stdin, input),
        drain(stdout, max_output),
        drain(stderr, MAX_STDERR)
    );
    let status = child.wait().await;
    fed?;
    Ok(Pumped {
        stdout,
        stderr,
        too_much,
        status,
    })
}

/// A command that takes no more is not an error here: its exit code says why.
async fn feed(stdin: Option<ChildStdin>, input: Input) -> Result<(), Error> {
    let Some(mut stdin) = stdin else {
        return Ok(());
    };
    match input {
        Input::Nothing => {}
        Input::Whole(content) => {
            let _ = stdin.write_all(&content).await;
        }
        Input::Stream(mut stream) => {
            while let Some(chunk) = stream.next().await {
                if stdin.write_all(&chunk?).await.is_err() {
                    break;
                }
            }
        }
    }
    Ok(())
}

/// Reads to the end; keeps the first `limit` bytes and says if there were more.
async fn drain(output: Option<impl AsyncRead + Unpin>, limit: usize) -> (Vec<u8>, bool) {
    let Some(mut output) = output else {
        return (Vec::new(), false);
    };
    let (mut kept, mut buffer, mut too_much) = (Vec::new(), vec![0; BUFFER], false);
    // A connection that breaks ends the output; that it is not whole is seen later.
    while let Ok(read @ 1..) = output.read(&mut buffer).await {
        let room = limit.saturating_sub(kept.len());
        too_much |= read > room;
        kept.extend(buffer.iter().take(read.min(room)));
    }
    (kept, too_much)
}
