//! `healthcheck`: a process of the same program asks the one that serves, so that
//! an image needs no other program for it.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use anyhow::{Context as _, ensure};

/// Below the time that docker gives.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(4);

/// Something else to do than to serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::Subcommand)]
pub enum Action {
    /// Ask the service that runs with these settings whether it is ready
    Healthcheck,
}

/// Asks the service whose health is served on `address`.
///
/// # Errors
/// If it does not answer, or is not ready; the report of its parts is in the error.
pub async fn ask(address: SocketAddr) -> anyhow::Result<()> {
    let url = format!("http://{}/readyz", reachable(address));
    let client = reqwest::Client::builder()
        .no_proxy()
        .timeout(REQUEST_TIMEOUT)
        .build()?;
    let answer = client.get(&url).send().await.context("no answer")?;
    let status = answer.status();
    let report = answer.text().await.unwrap_or_default();
    ensure!(status.is_success(), "not ready ({status}): {report}");
    Ok(())
}

/// A service that listens on all addresses is asked on the machine's own.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        health::{self, HealthChecks},
        tls,
    };

    async fn serve(parts: HealthChecks) -> SocketAddr {
        tls::install_provider();
        let listener = tokio::net::TcpListener::bind("0.0.0.0:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(axum::serve(listener, health::router(parts, None)).into_future());
        address
    }

    #[tokio::test]
    async fn a_service_that_is_ready_passes_on_whatever_address() {
        let address = serve(HealthChecks::default()).await;
        assert!(address.ip().is_unspecified());
        ask(address).await.unwrap();
    }

    #[tokio::test]
    async fn one_that_misses_a_part_fails_and_names_it() {
        let parts = HealthChecks::default().with("redis", async || Err("away".to_owned()));
        let error = ask(serve(parts).await).await.unwrap_err().to_string();
        assert!(error.contains("503") && error.contains("redis"), "{error}");
    }

    #[tokio::test]
    async fn one_that_is_not_there_fails() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        tls::install_provider();
        ask(address).await.unwrap_err();
    }
}
