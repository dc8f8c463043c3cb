//! Stopping an HTTP service without turning away anybody who has been let in.
//!
//! The kernel completes a connection before the process accepts it. Closing the
//! listener resets those that still wait, and hyper closes a connection it has
//! read nothing of. Whoever sent a request into one of them cannot know whether
//! it was acted on: a proxy answers 502 to a POST rather than send it to the
//! next replica. Refused connections do no harm, a proxy passes on to the next.

use std::{io, net::SocketAddr, time::Duration};

use axum::serve::Listener;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::{io::InspectReader, sync::CancellationToken, task::TaskTracker};

/// How long a connection may stay silent once the service stops. Proxies send
/// their request in the moment they are connected.
const SILENCE: Duration = Duration::from_secs(1);

/// A listener that accepts all who are connected already when it is to stop, and
/// then nobody more.
#[derive(Debug)]
pub struct DrainingListener {
    door: Door,
    address: SocketAddr,
    stop: CancellationToken,
    /// Connections that nothing has been read from; closed with the door.
    silent: TaskTracker,
}

#[derive(Debug)]
enum Door {
    Open(TcpListener),
    /// Its `accept` never waits, and asks the kernel itself rather than the
    /// runtime, which may not have heard of the newest connections.
    Closing(std::net::TcpListener),
    Closed,
}

/// A connection that counts as silent until something has been read from it.
pub type Connection = InspectReader<TcpStream, Heard>;
type Heard = Box<dyn FnMut(&[u8]) + Send>;

impl DrainingListener {
    /// One that closes when `stop` is set.
    ///
    /// # Errors
    /// If the listener has no address.
    pub fn new(listener: TcpListener, stop: CancellationToken) -> io::Result<Self> {
        Ok(Self {
            address: listener.local_addr()?,
            door: Door::Open(listener),
            stop,
            silent: TaskTracker::new(),
        })
    }

    /// Ends when the service may begin to close connections: it is to stop, all
    /// who were connected are accepted, and all of them have been heard, but for
    /// those that stay silent.
    pub fn drained(&self) -> impl Future<Output = ()> + Send + 'static {
        self.drained_after(SILENCE)
    }

    fn drained_after(&self, silence: Duration) -> impl Future<Output = ()> + Send + 'static {
        let (stop, silent) = (self.stop.clone(), self.silent.clone());
        async move {
            stop.cancelled().await;
            if tokio::time::timeout(silence, silent.wait()).await.is_err() {
                tracing::debug!(connections = silent.len(), "closed in silence");
            }
        }
    }

    fn connection(&self, stream: TcpStream) -> Connection {
        let mut silent = Some(self.silent.token());
        InspectReader::new(stream, Box::new(move |_| drop(silent.take())))
    }

    fn begin_to_close(&mut self) {
        if let Door::Open(listener) = std::mem::replace(&mut self.door, Door::Closed) {
            match listener.into_std() {
                Ok(listener) => self.door = Door::Closing(listener),
                Err(error) => tracing::warn!(%error, "closed at once"),
            }
        }
    }

    /// One who is connected already, while the door is closing; closes it when
    /// there is nobody.
    fn next_connected(&mut self) -> Option<(Connection, SocketAddr)> {
        while let Door::Closing(listener) = &self.door {
            match accept_now(listener) {
                Ok((stream, address)) => return Some((self.connection(stream), address)),
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    if error.kind() != io::ErrorKind::WouldBlock {
                        tracing::warn!(%error, "closed while some may have been connected");
                    }
                    self.door = Door::Closed;
                }
            }
        }
        self.silent.close();
        None
    }
}

fn accept_now(listener: &std::net::TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    let (stream, address) = listener.accept()?;
    stream.set_nonblocking(true)?;
    Ok((TcpStream::from_std(stream)?, address))
}

impl Listener for DrainingListener {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        if let Door::Open(listener) = &mut self.door {
            tokio::select! {
                (stream, address) = Listener::accept(listener) => {
                    return (self.connection(stream), address);
                }
                () = self.stop.cancelled() => self.begin_to_close(),
            }
        }
        match self.next_connected() {
            Some(connected) => connected,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

#[cfg(test)]
mod tests {
    use axum::{Router, routing::post};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    const REQUEST: &[u8] = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";

    async fn bound() -> TcpListener {
        TcpListener::bind("127.0.0.1:0").await.unwrap()
    }

    /// Longer than any machine makes a test wait.
    const MINUTE: Duration = Duration::from_secs(60);

    async fn serve(listener: TcpListener, stop: CancellationToken, silence: Duration) {
        let app = Router::new().route("/", post(async || "done"));
        let listener = DrainingListener::new(listener, stop).unwrap();
        let drained = listener.drained_after(silence);
        axum::serve(listener, app)
            .with_graceful_shutdown(drained)
            .await
            .unwrap();
    }

    async fn answer(mut stream: TcpStream) -> String {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn all_who_are_connected_when_it_stops_are_answered() {
        let listener = bound().await;
        let address = listener.local_addr().unwrap();
        let mut asked = Vec::new();
        for _ in 0..20 {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(REQUEST).await.unwrap();
            asked.push(stream);
        }
        let stop = CancellationToken::new();
        stop.cancel();
        let service = tokio::spawn(serve(listener, stop, MINUTE));
        for stream in asked {
            assert!(answer(stream).await.starts_with("HTTP/1.1 200 OK"));
        }
        service.await.unwrap();
        let late = TcpStream::connect(address).await.unwrap_err();
        assert_eq!(late.kind(), io::ErrorKind::ConnectionRefused);
    }

    #[tokio::test]
    async fn who_is_connected_may_still_send_its_request() {
        let listener = bound().await;
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let service = tokio::spawn(serve(listener, stop.clone(), MINUTE));
        let mut early = TcpStream::connect(address).await.unwrap();
        // the first one has been accepted when the second one is answered
        let mut second = TcpStream::connect(address).await.unwrap();
        second.write_all(REQUEST).await.unwrap();
        second.read_u8().await.unwrap();
        stop.cancel();
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
        early.write_all(REQUEST).await.unwrap();
        assert!(answer(early).await.starts_with("HTTP/1.1 200 OK"));
        service.await.unwrap();
    }

    #[tokio::test]
    async fn who_stays_silent_does_not_hold_it() {
        let listener = bound().await;
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let service = tokio::spawn(serve(listener, stop.clone(), Duration::from_millis(10)));
        let silent = TcpStream::connect(address).await.unwrap();
        stop.cancel();
        tokio::time::timeout(MINUTE, service)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(answer(silent).await, "");
    }
}
