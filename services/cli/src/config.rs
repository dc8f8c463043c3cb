//! `config`: the operator's files.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use compute_config::{Mistake, ProcessEnvironment, Stores};
use serde_json::{Value, json};

use crate::Output;

/// Commands about the configuration.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Find every mistake: file, key, reason
    Check {
        /// Folder to check, instead of the one of --config
        folder: Option<PathBuf>,
    },
}

pub(crate) fn run(command: &Command, configured: &Path) -> Output {
    let Command::Check { folder } = command;
    let folder = folder.as_deref().unwrap_or(configured);
    let (mistakes, warnings) =
        match compute_config::load(folder, &ProcessEnvironment, Stores::Database) {
            Ok(loaded) => (Vec::new(), loaded.warnings),
            Err(mistakes) => (mistakes.0, Vec::new()),
        };
    let mut lines: Vec<_> = mistakes.iter().map(ToString::to_string).collect();
    lines.extend(warnings.iter().map(|warning| format!("warning: {warning}")));
    if mistakes.is_empty() {
        lines.push(format!("the configuration in {} is good", folder.display()));
    }
    Output {
        json: json!({"mistakes": list(&mistakes), "warnings": list(&warnings)}),
        text: lines.join("\n"),
        is_good: mistakes.is_empty(),
    }
}

fn list(mistakes: &[Mistake]) -> Vec<Value> {
    let entry = |m: &Mistake| json!({"file": m.file, "key": m.key, "reason": m.reason});
    mistakes.iter().map(entry).collect()
}
