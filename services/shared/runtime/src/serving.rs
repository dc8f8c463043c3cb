//! Serving HTTP/1 to strangers: who says nothing, sends half a header or does not read what
//! it asked for is not waited for, neither while the service runs nor when it stops.

mod connection_limit;
mod guarded_body;
mod stalling;

use std::{convert::Infallible, net::SocketAddr, pin::pin, time::Duration};

use axum::{body::Body, extract::Request, response::Response, serve::Listener as _};
use compute_config::TrustedProxies;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::{Service, ServiceExt as _};

pub use self::guarded_body::GuardedBody;
use self::{
    connection_limit::{ConnectionLimit, CountedConnection},
    stalling::Stalling,
};
use crate::draining::{Connection, DrainingListener};

/// Largest header, and most that is kept of what a client has sent ahead, bytes.
const BUFFER: usize = 64 << 10;

/// Connections of one address, unless it is a proxy's.
const OF_ONE_ADDRESS: usize = 512;

/// How long a connection on which nothing is answered stays open while the service stops.
const QUIET: Duration = Duration::from_secs(1);

/// Who is at the other end of a connection: an extension of each request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// How long a connection is waited for.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// For a whole header, from the end of the answer before: idle connections as well.
    pub header: Duration,
    /// For the peer to take more of an answer.
    pub write: Duration,
    /// For the requests at hand when the service stops.
    pub stop: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            header: Duration::from_secs(30),
            write: Duration::from_secs(30),
            stop: Duration::from_secs(30),
        }
    }
}

/// Answers with `service` until `listener` is drained, then lets the requests at hand end. Of
/// one address, unless it is one of `proxies`, no more than 512 connections are let in.
pub async fn serve<S>(
    mut listener: DrainingListener,
    service: S,
    timeouts: Timeouts,
    proxies: TrustedProxies,
) where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    let closing = CancellationToken::new();
    let connections = TaskTracker::new();
    let limit = ConnectionLimit::new(OF_ONE_ADDRESS, proxies);
    let mut drained = pin!(listener.drained());
    loop {
        tokio::select! {
            (stream, peer) = listener.accept() => {
                let Some(counted) = limit.admit(peer.ip()) else {
                    tracing::debug!(%peer, "too many connections of this address");
                    continue;
                };
                let closing = closing.clone();
                let service = service.clone();
                let stream = (stream, counted);
                connections.spawn(answer(stream, Peer(peer), service, timeouts, closing));
            }
            () = &mut drained => break,
        }
    }
    drop(listener);
    closing.cancel();
    connections.close();
    let ended = tokio::time::timeout(timeouts.stop, connections.wait()).await;
    if ended.is_err() {
        tracing::warn!(connections = connections.len(), "cut off while stopping");
    }
}

/// Answers one connection until it ends, or is cut off.
async fn answer<S>(
    (stream, _counted): (Connection, CountedConnection),
    peer: Peer,
    service: S,
    timeouts: Timeouts,
    closing: CancellationToken,
) where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    let (stream, writing) = Stalling::new(stream, timeouts.write);
    let requests = TaskTracker::new();
    let at_hand = requests.clone();
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let service = service.clone();
        let token = at_hand.token();
        async move {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(peer);
            let response = service.oneshot(request).await?;
            Ok::<_, Infallible>(response.map(|body| GuardedBody::new(body, token)))
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(timeouts.header)
        .max_buf_size(BUFFER)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let stopped = tokio::select! {
        ended = connection.as_mut() => ended,
        () = closing.cancelled() => {
            connection.as_mut().graceful_shutdown();
            requests.close();
            tokio::select! {
                ended = connection => ended,
                () = quiet(&requests, &writing) => Ok(()),
            }
        }
    };
    if let Err(error) = stopped {
        tracing::debug!(peer = %peer.0, %error, "connection ended");
    }
}

/// Ends when no request has been answered, and nothing is left to be sent, for [`QUIET`].
async fn quiet(requests: &TaskTracker, writing: &stalling::IsWriting) {
    loop {
        requests.wait().await;
        tokio::time::sleep(QUIET).await;
        if requests.is_empty() && !writing.get() {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
