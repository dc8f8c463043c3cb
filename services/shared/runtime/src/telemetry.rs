//! Logs and metrics of a process.
//!
//! `CYBERGIS_LOG` filters (default `info`), `CYBERGIS_LOG_FORMAT=json` writes one
//! JSON object a line. Never logged: tokens, passwords, bodies of requests,
//! parameter values.

use std::io::IsTerminal as _;

use anyhow::Context as _;
use tracing_subscriber::{EnvFilter, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use crate::config::{Environment, ProcessEnvironment};

/// Starts logging to stdout, and says who is speaking.
///
/// # Errors
/// If the filter is none, or logging was started before.
pub fn init(service: &'static str) -> anyhow::Result<()> {
    let environment = ProcessEnvironment;
    let filter = environment
        .get("CYBERGIS_LOG")
        .unwrap_or_else(|| "info".to_owned());
    let filter = EnvFilter::try_new(filter).context("CYBERGIS_LOG")?;
    let json = environment
        .get("CYBERGIS_LOG_FORMAT")
        .is_some_and(|format| format == "json");
    let registry = tracing_subscriber::registry().with(filter);
    if json {
        registry
            .with(tracing_subscriber::fmt::layer().json().flatten_event(true))
            .try_init()?;
    } else {
        let colour = std::io::stdout().is_terminal();
        registry
            .with(tracing_subscriber::fmt::layer().with_ansi(colour))
            .try_init()?;
    }
    tracing::info!(service, version = env!("CARGO_PKG_VERSION"), "starting");
    Ok(())
}
