//! Loses the responses of commits.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use secrecy::{ExposeSecret as _, SecretString};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// Stands between a store and its PostgreSQL or MariaDB. When told to, it closes the connection
/// after the database has answered a `COMMIT`, and drops the answer.
#[derive(Debug, Clone)]
pub struct CommitCutter {
    address: SocketAddr,
    url: SecretString,
    /// Commits whose answers are still to be lost.
    cuts: Arc<AtomicU32>,
}

impl CommitCutter {
    /// Starts one in front of the database at `url`.
    pub async fn start(url: &SecretString) -> Self {
        let (_, server) = split(url.expose_secret());
        let server = server.to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let cutter = Self {
            address: listener.local_addr().unwrap(),
            url: url.clone(),
            cuts: Arc::default(),
        };
        let cuts = Arc::clone(&cutter.cuts);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.unwrap();
                tokio::spawn(relay(client, server, Arc::clone(&cuts)));
            }
        });
        cutter
    }

    /// The address of the database through it.
    pub fn url(&self) -> SecretString {
        let url = self.url.expose_secret();
        let (login, server) = split(url);
        let (_, database) = url.rsplit_once('/').unwrap();
        debug_assert!(url.starts_with(&format!("{login}@{server}")));
        format!("{login}@{}/{database}", self.address).into()
    }

    /// Loses the answers of the next `count` commits.
    pub fn cut(&self, count: u32) {
        self.cuts.store(count, Ordering::SeqCst);
    }

    /// Number of commits whose answers are still to be lost.
    pub fn left(&self) -> u32 {
        self.cuts.load(Ordering::SeqCst)
    }
}

/// `SCHEME://USER:PASSWORD` and `HOST:PORT` of an address.
fn split(url: &str) -> (&str, &str) {
    let (login, rest) = url.rsplit_once('@').unwrap();
    let (server, _) = rest.split_once('/').unwrap();
    (login, server)
}

async fn relay(mut client: TcpStream, mut server: TcpStream, cuts: Arc<AtomicU32>) {
    let (mut sent, mut received) = (vec![0; 65536], vec![0; 65536]);
    let mut is_commit = false;
    loop {
        tokio::select! {
            read = client.read(&mut sent) => {
                let Ok(length @ 1..) = read else { return };
                let bytes = sent.get(..length).unwrap();
                is_commit = bytes.windows(6).any(|word| word.eq_ignore_ascii_case(b"COMMIT"));
                if server.write_all(bytes).await.is_err() { return }
            }
            read = server.read(&mut received) => {
                let Ok(length @ 1..) = read else { return };
                if is_commit && is_cut(&cuts) { return }
                let bytes = received.get(..length).unwrap();
                if client.write_all(bytes).await.is_err() { return }
            }
        }
    }
}

fn is_cut(cuts: &AtomicU32) -> bool {
    let one_less = |count: u32| count.checked_sub(1);
    cuts.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less)
        .is_ok()
}
