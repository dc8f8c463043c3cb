//! Standard input and output of one remote command.

use std::{process::ExitStatus, sync::Arc};

use bytes::Bytes;
use futures::{StreamExt as _, stream::BoxStream};
use openssh::{Child, ChildStdin, Session};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};

use crate::error::Error;

const MAX_STDERR: usize = 16 * 1024;
const BUFFER: usize = 64 * 1024;

/// Standard input of a script.
pub(crate) enum Input {
    /// Empty.
    Nothing,
    /// These bytes.
    Whole(Bytes),
    /// A stream, until it ends or fails.
    Stream(BoxStream<'static, Result<Bytes, Error>>),
}

impl Input {
    pub(super) fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing)
    }
}

/// Output and status of a remote command that has ended.
pub(super) struct CommandOutput {
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
    /// Whether stdout was longer than allowed and has been truncated.
    pub(super) is_truncated: bool,
    pub(super) status: Result<ExitStatus, openssh::Error>,
}

/// Writes the input and reads the output of `child` until it has ended.
///
/// # Errors
/// That of the input stream. The command then reads the end of its input.
pub(super) async fn exchange(
    mut child: Child<Arc<Session>>,
    input: Input,
    max_output: usize,
) -> Result<CommandOutput, Error> {
    let (stdin, stdout, stderr) = (
        child.stdin().take(),
        child.stdout().take(),
        child.stderr().take(),
    );
    let (fed, (stdout, is_truncated), (stderr, _)) = tokio::join!(
        feed(stdin, input),
        drain(stdout, max_output),
        drain(stderr, MAX_STDERR)
    );
    let status = child.wait().await;
    fed?;
    Ok(CommandOutput {
        stdout,
        stderr,
        is_truncated,
        status,
    })
}

/// A command that closes its input is not an error here: its exit code tells why.
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

/// Reads to the end. Keeps the first `limit` bytes and returns whether there were more.
async fn drain(output: Option<impl AsyncRead + Unpin>, limit: usize) -> (Vec<u8>, bool) {
    let Some(mut output) = output else {
        return (Vec::new(), false);
    };
    let (mut kept, mut buffer, mut is_truncated) = (Vec::new(), vec![0; BUFFER], false);
    // A lost connection ends the output; `framed` detects that it is incomplete.
    while let Ok(read @ 1..) = output.read(&mut buffer).await {
        let room = limit.saturating_sub(kept.len());
        is_truncated |= read > room;
        kept.extend(buffer.iter().take(read.min(room)));
    }
    (kept, is_truncated)
}
