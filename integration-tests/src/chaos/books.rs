//! Balancing the books: what the clients were told, the database, and Slurm's accounting. Pure.

mod events;

use std::collections::{BTreeMap, BTreeSet};

pub use self::events::Event;

/// What a client was told about its job.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// A submit was answered with success, or with "already submitted".
    pub is_submitted: bool,
    /// A cancel was sent, whatever its answer.
    pub is_cancel_sent: bool,
    /// A cancel was answered with success.
    pub is_cancelled: bool,
}

/// A job in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its state.
    pub state: String,
    /// Its events, in order.
    pub events: Vec<Event>,
}

/// A Slurm job in accounting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accounted {
    /// Its Slurm id.
    pub slurm_id: String,
    /// Its state, without who cancelled it.
    pub state: String,
}

/// All that is known at the end.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// What clients were told, by job.
    pub told: BTreeMap<String, Told>,
    /// The rows, by job.
    pub rows: BTreeMap<String, Row>,
    /// Slurm jobs by their name, which is the id of a job.
    pub slurm: BTreeMap<String, Vec<Accounted>>,
    /// Whether the controller of Slurm was killed, which may have forgotten jobs.
    pub has_killed_controller: bool,
}

/// What is wrong with a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Finding {
    /// Its row is gone, or it is not at rest.
    Lost,
    /// Slurm has had it more than once.
    Doubled,
    /// Its end contradicts Slurm, or what its owner wanted.
    WrongEnd,
    /// Its events are doubled, or out of order.
    Events,
}

/// The result of the books.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Balance {
    /// Jobs that were submitted.
    pub jobs: usize,
    /// Jobs that the killed controller of Slurm forgot.
    pub forgotten: usize,
    /// What is wrong, by job.
    pub wrong: BTreeMap<String, BTreeSet<Finding>>,
}

impl Balance {
    /// The number of jobs with that finding.
    pub fn count(&self, finding: Finding) -> usize {
        let has = |found: &&BTreeSet<Finding>| found.contains(&finding);
        self.wrong.values().filter(has).count()
    }
}

/// Compares everything.
pub fn balance(evidence: &Evidence) -> Balance {
    let mut balance = Balance::default();
    let told_nothing = Told::default();
    let ids: BTreeSet<_> = evidence
        .told
        .keys()
        .chain(evidence.rows.keys())
        .chain(evidence.slurm.keys())
        .collect();
    for id in ids {
        let told = evidence.told.get(id).unwrap_or(&told_nothing);
        let row = evidence.rows.get(id);
        let slurm = evidence
            .slurm
            .get(id)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let is_draft = row.is_none_or(|row| row.state == "created");
        if is_draft && !told.is_submitted && slurm.is_empty() {
            continue;
        }
        balance.jobs += 1;
        let forgotten = |one: &Accounted| evidence.has_killed_controller && one.state == "PENDING";
        let known: Vec<_> = slurm.iter().filter(|one| !forgotten(one)).collect();
        if known.len() < slurm.len() {
            balance.forgotten += 1;
        }
        let found = judge(told, row, &known, known.len() < slurm.len());
        if !found.is_empty() {
            balance.wrong.insert(id.clone(), found);
        }
    }
    balance
}

fn judge(
    told: &Told,
    row: Option<&Row>,
    slurm: &[&Accounted],
    is_forgotten: bool,
) -> BTreeSet<Finding> {
    let mut found = BTreeSet::new();
    if slurm.len() > 1 {
        found.insert(Finding::Doubled);
    }
    let Some(row) = row else {
        found.insert(Finding::Lost);
        return found;
    };
    let is_over = matches!(row.state.as_str(), "ended" | "failed" | "cancelled");
    if !is_over {
        found.insert(Finding::Lost);
        return found;
    }
    if !is_forgotten && !ends_agree(told, &row.state, slurm) {
        found.insert(Finding::WrongEnd);
    }
    if !events::are_in_order(&row.state, &row.events) {
        found.insert(Finding::Events);
    }
    found
}

/// Whether the state of the row agrees with Slurm's and with what the owner asked for. A job that
/// was cancelled while it ended may have either end.
fn ends_agree(told: &Told, state: &str, slurm: &[&Accounted]) -> bool {
    let all = |wanted: &str| slurm.iter().all(|one| one.state == wanted);
    match state {
        "ended" => !slurm.is_empty() && all("COMPLETED"),
        "cancelled" => {
            let is_over = |state: &str| matches!(state, "CANCELLED" | "COMPLETED");
            told.is_cancel_sent && slurm.iter().all(|one| is_over(&one.state))
        }
        // The programs of the run do not fail.
        _ => false,
    }
}

#[cfg(test)]
mod tests;
