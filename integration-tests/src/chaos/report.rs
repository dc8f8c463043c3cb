//! The result of a run, in words.

use std::{collections::BTreeMap, fmt, time::Duration};

use super::books::{Balance, Evidence, Finding};

/// The result of a run.
#[derive(Debug)]
pub struct Report {
    /// The seed of the run.
    pub seed: u64,
    /// Number of faults by kind.
    pub faults: BTreeMap<&'static str, usize>,
    /// COMMITs whose answers were lost.
    pub lost_commits: usize,
    /// Services that exited by themselves.
    pub exited: usize,
    /// The longest time from the end of a fault to the next event of any job.
    pub longest_recovery: Duration,
    /// The time from the last fault until all jobs were at rest.
    pub rest: Duration,
    /// What was known at the end.
    pub evidence: Evidence,
    /// The balanced books.
    pub balance: Balance,
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_clean(&self) -> bool {
        self.balance.wrong.is_empty()
    }

    fn details(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (id, found) in &self.balance.wrong {
            writeln!(f, "\njob {id}: {found:?}")?;
            writeln!(f, "  told: {:?}", self.evidence.told.get(id))?;
            writeln!(f, "  sacct: {:?}", self.evidence.slurm.get(id))?;
            let Some(row) = self.evidence.rows.get(id) else {
                continue;
            };
            writeln!(f, "  state: {}", row.state)?;
            for event in &row.events {
                writeln!(f, "  {} {} {}", event.at, event.kind, event.message)?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |finding| self.balance.count(finding);
        let faults: usize = self.faults.values().sum();
        writeln!(f, "seed {}", self.seed)?;
        writeln!(f, "jobs {}", self.balance.jobs)?;
        writeln!(f, "faults {faults}")?;
        for (kind, number) in &self.faults {
            writeln!(f, "  {kind}: {number}")?;
        }
        writeln!(f, "COMMIT answers lost {}", self.lost_commits)?;
        writeln!(f, "services that exited by themselves {}", self.exited)?;
        writeln!(
            f,
            "forgotten by a killed slurmctld {}",
            self.balance.forgotten
        )?;
        writeln!(f, "lost {}", count(Finding::Lost))?;
        writeln!(f, "doubled {}", count(Finding::Doubled))?;
        writeln!(f, "wrong ends {}", count(Finding::WrongEnd))?;
        writeln!(
            f,
            "events doubled or out of order {}",
            count(Finding::Events)
        )?;
        writeln!(f, "longest recovery {:.1?}", self.longest_recovery)?;
        writeln!(f, "at rest {:.1?} after the last fault", self.rest)?;
        self.details(f)
    }
}
