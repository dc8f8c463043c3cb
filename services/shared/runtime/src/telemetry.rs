//! Logs of a process.
//!
//! `CYBERGIS_LOG` filters (default `info`), `CYBERGIS_LOG_FORMAT=json` writes one
//! JSON object a line. Never logged: tokens, passwords, bodies of requests,
//! parameter values.

mod flat_json;
mod printable_fields;

use std::io::IsTerminal as _;

use anyhow::Context as _;
use tracing_subscriber::{
    EnvFilter, Layer as _,
    filter::FilterExt as _,
    fmt::{self, format::JsonFields},
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

use compute_config::{Environment, ProcessEnvironment};
use flat_json::FlatJson;
use printable_fields::PrintableFields;

/// Starts logging to stdout, and says who is speaking.
///
/// # Errors
/// If the filter is invalid, or logging was started before.
pub fn init(service: &'static str) -> anyhow::Result<()> {
    let environment = ProcessEnvironment;
    let filter = environment
        .get("CYBERGIS_LOG")
        .unwrap_or_else(|| "info".to_owned());
    let filter = EnvFilter::try_new(filter).context("CYBERGIS_LOG")?;
    let filter = filter.or(compute_trace::spans());
    let json = environment
        .get("CYBERGIS_LOG_FORMAT")
        .is_some_and(|format| format == "json");
    let registry = tracing_subscriber::registry().with(compute_trace::layer());
    if json {
        let lines = fmt::layer()
            .fmt_fields(JsonFields::new())
            .event_format(FlatJson);
        registry.with(lines.with_filter(filter)).try_init()?;
    } else {
        let lines = fmt::layer()
            .with_ansi(std::io::stdout().is_terminal())
            .fmt_fields(PrintableFields);
        registry.with(lines.with_filter(filter)).try_init()?;
    }
    tracing::info!(
        service,
        version = compute_config::version::text(),
        "starting"
    );
    Ok(())
}
