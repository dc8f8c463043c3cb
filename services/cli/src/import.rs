//! `import`: takes over the database of the legacy server.

use std::{env, fs, path::Path, path::PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use compute_legacy_import::{LegacyDatabase, TableReport};
use compute_runtime::seal::{SealingKey, globus_purpose};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::{Output, output::table, site};

/// Where the password is looked for when no file is named.
const PASSWORD_VARIABLE: &str = "CYBERGIS_IMPORT_PASSWORD";

/// What is imported, and how.
#[derive(Debug, Args)]
pub struct Command {
    /// The legacy database, mysql://USER@HOST:PORT/DATABASE, without a password
    #[arg(long, value_name = "ADDRESS")]
    from: String,
    /// File with its password; else the variable CYBERGIS_IMPORT_PASSWORD
    #[arg(long, value_name = "FILE")]
    from_password_file: Option<PathBuf>,
    /// Say what would be done, and write nothing
    #[arg(long)]
    dry_run: bool,
}

pub(crate) async fn run(command: Command, folder: &Path) -> anyhow::Result<Output> {
    let Command {
        from,
        from_password_file,
        dry_run,
    } = command;
    let site = site::load(folder)?;
    let password = password(from_password_file.as_deref())?;
    let store = site::store(&site.server).await?;
    let legacy = LegacyDatabase::connect(&from, password.as_ref())
        .await
        .context("the legacy database")?;
    let key_file = &site.server.seal_key_file;
    // A dry run makes no file.
    let key = match dry_run {
        true => None,
        false => Some(SealingKey::load_or_create(key_file)?),
    };
    let seal = |token: &SecretString, identity: &str| match &key {
        Some(key) => key.seal(token, &globus_purpose(identity)).ok(),
        None => Some(String::new()),
    };
    let reports = legacy.import_into(&store, &seal, dry_run).await?;
    Ok(output(&reports, dry_run))
}

fn password(file: Option<&Path>) -> anyhow::Result<Option<SecretString>> {
    if let Some(file) = file {
        let text = fs::read_to_string(file)
            .with_context(|| format!("cannot read the password in {}", file.display()))?;
        let text = text.trim_end_matches(['\r', '\n']);
        if text.is_empty() {
            bail!("{} is empty", file.display());
        }
        return Ok(Some(SecretString::from(text)));
    }
    Ok(env::var(PASSWORD_VARIABLE).ok().map(SecretString::from))
}

fn output(reports: &[TableReport], dry_run: bool) -> Output {
    let line = |report: &TableReport| {
        let whys = report.left_out.iter().map(|(why, n)| (why.as_str(), n));
        let whys = whys.chain(report.notes.iter().map(|(note, n)| (note.as_str(), n)));
        let whys: Vec<_> = whys.map(|(why, n)| format!("{n} {why}")).collect();
        [
            report.table.to_owned(),
            report.legacy.to_string(),
            report.before.to_string(),
            report.already_here.to_string(),
            report.imported.to_string(),
            report.left_out_rows().to_string(),
            report.after.to_string(),
            whys.join("; "),
        ]
    };
    let header = [
        "table",
        "legacy",
        "ours before",
        "already here",
        "imported",
        "left out",
        "ours after",
        "remarks",
    ];
    let mut text = table(header, reports.iter().map(line).collect());
    if dry_run {
        text.push_str("\n\nNothing was written: this was a dry run.");
    }
    let tables: Vec<_> = reports.iter().map(row).collect();
    Output::good(json!({"dryRun": dry_run, "tables": tables}), text)
}

fn row(report: &TableReport) -> Value {
    let left_out = report.left_out.iter().map(|(why, n)| (why.as_str(), n));
    let notes = report.notes.iter().map(|(note, n)| (note.as_str(), n));
    json!({
        "table": report.table,
        "older": report.legacy,
        "before": report.before,
        "alreadyHere": report.already_here,
        "imported": report.imported,
        "leftOut": left_out.collect::<std::collections::BTreeMap<_, _>>(),
        "notes": notes.collect::<std::collections::BTreeMap<_, _>>(),
        "after": report.after,
    })
}
