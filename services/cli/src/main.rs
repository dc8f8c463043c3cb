//! `cybergis-compute`, the operator's command.

use std::{io::Write as _, process::ExitCode};

use clap::Parser as _;
use compute_cli::{Cli, run};
use serde_json::json;

#[tokio::main]
async fn main() -> ExitCode {
    compute_runtime::tls::install_provider();
    let cli = Cli::parse();
    let is_json = cli.json;
    let (text, is_good) = match run(cli).await {
        Ok(answer) if is_json => (format!("{:#}", answer.json), answer.is_good),
        Ok(answer) => (answer.text, answer.is_good),
        Err(error) if is_json => (
            format!("{:#}", json!({"error": format!("{error:#}")})),
            false,
        ),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            return ExitCode::FAILURE;
        }
    };
    // A reader that has seen enough (`| head`) is no failure.
    let _ = writeln!(std::io::stdout(), "{}", text.trim_end());
    if is_good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
