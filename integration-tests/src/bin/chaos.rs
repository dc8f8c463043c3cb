//! Random faults against all parts while jobs run; prints what became of the jobs.
//!
//!     chaos SEED SECONDS [KIND]
//!
//! With KIND, only faults whose kind contains that text occur. `make chaos` runs this program with a
//! JupyterHub. The exit status is not 0 if a job was lost, doubled or ended otherwise than it should, or
//! if its events are doubled; then the folder with all logs is kept.
#![expect(clippy::print_stdout, reason = "its figures are its result")]

use std::{process::ExitCode, time::Duration};

use anyhow::Context as _;
use compute_integration_tests::chaos::{Settings, run};

/// How long jobs have after the last fault until they must be at rest.
const REST: Duration = Duration::from_secs(240);

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let mut args = std::env::args().skip(1);
    let mut number = |what: &str| -> anyhow::Result<u64> {
        let text = args.next().context("usage: chaos SEED SECONDS [KIND]")?;
        text.parse()
            .with_context(|| format!("{what} is no number: {text}"))
    };
    let (seed, seconds) = (number("SEED")?, number("SECONDS")?);
    let time = Duration::from_secs(seconds);
    let folder = tempfile::Builder::new().prefix("chaos").tempdir()?;
    let settings = Settings {
        seed,
        time,
        rest: REST.max(time),
        folder: folder.path().to_owned(),
        only: args.next(),
    };
    let ran = run(&settings).await;
    if !ran.as_ref().is_ok_and(|report| report.is_clean()) {
        println!("logs are in {}", folder.keep().display());
    }
    let report = ran?;
    println!("{report}");
    Ok(if report.is_clean() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
