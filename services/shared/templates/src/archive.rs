//! A template's files on their way out.

use std::{
    io,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, ReadBuf},
    process::{Child, ChildStdout},
};

/// A template's files as a tar stream. The stream ends only after git has ended
/// well: a reader that sees its end has everything.
#[derive(Debug)]
pub struct Archive {
    stdout: ChildStdout,
    child: Child,
    over: bool,
}

impl Archive {
    /// What `child` writes.
    pub(crate) fn of(mut child: Child) -> io::Result<Self> {
        let stdout = child
            .stdout
            .take()
            .ok_or_else(|| io::Error::other("no output"))?;
        Ok(Self {
            stdout,
            child,
            over: false,
        })
    }
}

impl AsyncRead for Archive {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.over || buffer.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stdout).poll_read(context, buffer))?;
        if buffer.filled().len() > before {
            return Poll::Ready(Ok(()));
        }
        let status = ready!(pin!(self.child.wait()).poll(context))?;
        self.over = true;
        if status.success() {
            return Poll::Ready(Ok(()));
        }
        Poll::Ready(Err(io::Error::other(format!(
            "git archive ended with {status}"
        ))))
    }
}
