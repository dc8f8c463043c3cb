//! Reads what the database and Slurm's accounting say, without the services and around the links.

use std::{collections::BTreeMap, process::Command};

use anyhow::Context as _;
use serde::Deserialize;

use super::books::{Accounted, Event, Row};
use crate::{account::Account, parts::Parts};

/// All jobs with their events, as one JSON value.
const ROWS: &str = "SELECT coalesce(json_agg(json_build_object('id', id, 'state', state, 'events', \
    coalesce((SELECT json_agg(json_build_object('kind', type, 'message', message, 'at', created_at) ORDER BY id) \
    FROM events WHERE job_id = jobs.id), '[]'::json))), '[]'::json) FROM jobs";

#[derive(Deserialize)]
struct JobRow {
    id: String,
    state: String,
    events: Vec<EventRow>,
}

#[derive(Deserialize)]
struct EventRow {
    kind: String,
    message: String,
    at: i64,
}

/// The rows of all jobs.
///
/// # Errors
/// If the database does not answer.
pub fn rows(facts: &Parts) -> anyhow::Result<BTreeMap<String, Row>> {
    let output = Command::new("psql")
        .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"])
        .args(["--dbname", &facts.text("postgres", "url")?])
        .args(["--command", ROWS])
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "psql: {said}");
    let rows: Vec<JobRow> = serde_json::from_slice(&output.stdout).context("rows")?;
    let event = |row: EventRow| Event {
        kind: row.kind,
        message: row.message,
        at: row.at,
    };
    Ok(rows
        .into_iter()
        .map(|row| {
            let events = row.events.into_iter().map(event).collect();
            let state = row.state;
            (row.id, Row { state, events })
        })
        .collect())
}

/// All Slurm jobs of this HPC by name.
///
/// # Errors
/// If accounting does not answer.
pub fn accounted(facts: &Parts) -> anyhow::Result<BTreeMap<String, Vec<Accounted>>> {
    let fields = "jobid,state,jobname";
    let options = [
        "-a",
        "-n",
        "-X",
        "-P",
        "-D",
        "-S",
        "now-1days",
        "-o",
        fields,
    ];
    Ok(parse(&Account::of(facts)?.slurm("sacct", &options)?))
}

/// A job that Slurm requeued has several rows of one id, and counts once with its last state.
fn parse(text: &str) -> BTreeMap<String, Vec<Accounted>> {
    let mut all: BTreeMap<String, Vec<Accounted>> = BTreeMap::new();
    for line in text.lines() {
        let mut fields = line.splitn(3, '|').map(str::trim);
        let (Some(id), Some(state), Some(name)) = (fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        let state = state.split(' ').next().unwrap_or_default();
        let of_name = all.entry(name.to_owned()).or_default();
        of_name.retain(|one| one.slurm_id != id);
        of_name.push(Accounted {
            slurm_id: id.to_owned(),
            state: state.to_owned(),
        });
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_requeued_job_counts_once() {
        let all = parse("7|REQUEUED|job\n7|COMPLETED|job\n8|CANCELLED by 0|other\n");
        let of = |name: &str| {
            all[name]
                .iter()
                .map(|one| one.state.as_str())
                .collect::<Vec<_>>()
        };
        assert_eq!(of("job"), ["COMPLETED"]);
        assert_eq!(of("other"), ["CANCELLED"]);
    }
}
