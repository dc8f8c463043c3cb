//! `cybergis-compute`, the operator's command.

use std::{io::Write as _, process::ExitCode};

use clap::Parser as _;
use compute_cli::{Cli, run, shown};

#[tokio::main]
async fn main() -> ExitCode {
    compute_runtime::tls::install_provider();
    let cli = Cli::parse();
    let is_json = cli.json;
    let outcome = run(cli).await;
    let text = shown(&outcome, is_json);
    // A reader that has seen enough (`| head`) is no failure.
    let _ = if outcome.is_err() && !is_json {
        writeln!(std::io::stderr(), "{text}")
    } else {
        writeln!(std::io::stdout(), "{text}")
    };
    if outcome.is_ok_and(|answer| answer.is_good) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
