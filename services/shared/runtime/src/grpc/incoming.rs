//! Connections of callers that have shown a certificate.

use std::{io, time::Duration};

use futures::{Stream, StreamExt as _, future};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_stream::wrappers::TcpListenerStream;

use crate::tls::Credentials;

/// How long a caller may take to show who it is.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
/// How many may be about it at once.
const AT_ONCE: usize = 256;

/// The connections to `listener`; whoever cannot show a certificate of our
/// authority is logged and passed over.
pub(super) fn handshaken(
    listener: TcpListener,
    credentials: Credentials,
) -> impl Stream<Item = io::Result<TlsStream<TcpStream>>> {
    TcpListenerStream::new(listener)
        .map(move |accepted| shake_hands(accepted, credentials.clone()))
        .buffer_unordered(AT_ONCE)
        .filter_map(|shaken| {
            let welcome = shaken
                .inspect_err(|error| tracing::warn!(%error, "a connection was refused"))
                .ok();
            future::ready(welcome.map(Ok))
        })
}

async fn shake_hands(
    accepted: io::Result<TcpStream>,
    credentials: Credentials,
) -> io::Result<TlsStream<TcpStream>> {
    let stream = accepted?;
    // Small answers must not wait for the acknowledgement of the one before.
    stream.set_nodelay(true)?;
    let acceptor = TlsAcceptor::from(credentials.identity().server.clone());
    tokio::time::timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await?
}
