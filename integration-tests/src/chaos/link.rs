//! A TCP proxy between a service and what it connects to: it passes, cuts or stalls connections, and
//! loses the answers of COMMITs.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// One COMMIT of this many loses its answer.
const LOST_OF: usize = 3;

/// What a link does with connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Bytes pass.
    Pass,
    /// Connections are closed and refused.
    Cut,
    /// Connections stay open, and no byte passes.
    Stall,
    /// Some connections are closed when the server has answered a COMMIT, before the answer passes.
    LoseCommits,
}

/// A link. It ends when dropped.
#[derive(Debug)]
pub struct Link {
    address: SocketAddr,
    mode: watch::Sender<Mode>,
    lost: Arc<AtomicUsize>,
    accepting: JoinHandle<()>,
}

/// What the pumps of a link share.
#[derive(Debug, Clone)]
struct Shared {
    mode: watch::Receiver<Mode>,
    commits: Arc<AtomicUsize>,
    lost: Arc<AtomicUsize>,
}

impl Link {
    /// Listens on a free port, for the server at `to`.
    ///
    /// # Errors
    /// If there is no free port.
    pub async fn to(to: String) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (mode, modes) = watch::channel(Mode::Pass);
        let shared = Shared {
            mode: modes,
            commits: Arc::default(),
            lost: Arc::default(),
        };
        Ok(Self {
            address: listener.local_addr()?,
            mode,
            lost: shared.lost.clone(),
            accepting: tokio::spawn(accept(listener, to, shared)),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes what it does, also with open connections.
    pub fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }

    /// The number of COMMITs whose answers were lost.
    pub fn lost_commits(&self) -> usize {
        self.lost.load(Ordering::SeqCst)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.accepting.abort();
        self.set(Mode::Cut);
    }
}

async fn accept(listener: TcpListener, to: String, shared: Shared) {
    while let Ok((near, _)) = listener.accept().await {
        if *shared.mode.borrow() != Mode::Cut {
            tokio::spawn(connect(near, to.clone(), shared.clone()));
        }
    }
}

async fn connect(near: TcpStream, to: String, shared: Shared) {
    let Ok(far) = TcpStream::connect(to).await else {
        return;
    };
    let _ = (near.set_nodelay(true), far.set_nodelay(true));
    let (mut from_near, mut to_near) = near.into_split();
    let (mut from_far, mut to_far) = far.into_split();
    let is_committing = AtomicBool::new(false);
    // Either direction ends both.
    tokio::select! {
        _ = pump(&mut from_near, &mut to_far, shared.clone(), |bytes, mode| {
            if mode == Mode::LoseCommits && has_commit(bytes) {
                is_committing.store(true, Ordering::SeqCst);
            }
            true
        }) => {}
        _ = pump(&mut from_far, &mut to_near, shared.clone(), |_, _| {
            if !is_committing.swap(false, Ordering::SeqCst) {
                return true;
            }
            let passes = !shared.commits.fetch_add(1, Ordering::SeqCst).is_multiple_of(LOST_OF);
            if !passes {
                shared.lost.fetch_add(1, Ordering::SeqCst);
            }
            passes
        }) => {}
    }
}

/// Passes bytes on until an end closes, the link is cut, or `may_pass` is false.
async fn pump<R, W>(
    from: &mut R,
    to: &mut W,
    mut shared: Shared,
    mut may_pass: impl FnMut(&[u8], Mode) -> bool,
) -> Option<()>
where
    R: tokio::io::AsyncRead + Unpin,
    W: tokio::io::AsyncWrite + Unpin,
{
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let length = tokio::select! {
            read = from.read(&mut buffer) => read.ok().filter(|length| *length > 0)?,
            _ = shared.mode.wait_for(|mode| *mode == Mode::Cut) => return None,
        };
        let mode = *shared
            .mode
            .wait_for(|mode| *mode != Mode::Stall)
            .await
            .ok()?;
        let bytes = buffer.get(..length)?;
        if mode == Mode::Cut || !may_pass(bytes, mode) {
            return None;
        }
        to.write_all(bytes).await.ok()?;
    }
}

/// Whether a client's message to PostgreSQL contains the simple query `COMMIT`.
fn has_commit(bytes: &[u8]) -> bool {
    bytes.windows(7).any(|window| window == b"COMMIT\0")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// A server that sends back what it gets.
    async fn echo() -> anyhow::Result<String> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut from, mut to) = stream.split();
                    tokio::io::copy(&mut from, &mut to).await
                });
            }
        });
        Ok(address)
    }

    async fn ask(stream: &mut TcpStream, text: &[u8]) -> anyhow::Result<Vec<u8>> {
        stream.write_all(text).await?;
        let mut answer = vec![0; text.len()];
        stream.read_exact(&mut answer).await?;
        Ok(answer)
    }

    #[tokio::test]
    async fn a_stalled_connection_goes_on_and_a_cut_one_does_not() -> anyhow::Result<()> {
        let link = Link::to(echo().await?).await?;
        let mut stream = TcpStream::connect(link.address()).await?;
        assert_eq!(ask(&mut stream, b"one").await?, b"one");
        link.set(Mode::Stall);
        let none = tokio::time::timeout(Duration::from_millis(50), ask(&mut stream, b"two")).await;
        assert!(none.is_err());
        link.set(Mode::Pass);
        let mut late = [0; 3];
        stream.read_exact(&mut late).await?;
        assert_eq!(&late, b"two");
        link.set(Mode::Cut);
        assert!(ask(&mut stream, b"three").await.is_err());
        Ok(())
    }

    #[tokio::test]
    async fn the_answer_of_a_commit_is_lost() -> anyhow::Result<()> {
        let link = Link::to(echo().await?).await?;
        link.set(Mode::LoseCommits);
        let mut stream = TcpStream::connect(link.address()).await?;
        assert_eq!(ask(&mut stream, b"UPDATE\0").await?, b"UPDATE\0");
        assert!(ask(&mut stream, b"Q....COMMIT\0").await.is_err());
        assert_eq!(link.lost_commits(), 1);
        Ok(())
    }
}
