//! Binding an address, and telling others which one it became.

use std::{net::SocketAddr, path::Path};

use anyhow::Context as _;
use tokio::net::TcpListener;

/// Binds `address` (port 0: any free one) and writes `ip:port` to `address_file`.
/// Comes last of what a service opens: whoever waits for the file finds its health
/// and metrics as well.
///
/// # Errors
/// If the address is taken or the file cannot be written.
pub async fn bind(address: SocketAddr, address_file: Option<&Path>) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}"))?;
    let bound = listener.local_addr()?;
    if let Some(file) = address_file {
        // Whoever waits for the file must not see half of it.
        let part = file.with_extension("part");
        tokio::fs::write(&part, bound.to_string()).await?;
        tokio::fs::rename(&part, file)
            .await
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    tracing::info!(address = %bound, "listening");
    Ok(listener)
}
