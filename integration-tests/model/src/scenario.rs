//! What a bounded exploration starts with: the steps of the job, and what may go wrong.

use compute_domain::job::Step;

/// How often something may still happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Budget {
    /// A maintainer is killed.
    pub kills: u8,
    /// A maintainer that runs does not renew its lease in time: stopped, cut off, or slow.
    pub lapses: u8,
    /// A runner gives a call up that is still on its way.
    pub timeouts: u8,
    /// A runner stops because of a fault of the database.
    pub stops: u8,
    /// The answer to a COMMIT is lost.
    pub lost_commits: u8,
    /// Slurm refuses a submission.
    pub refusals: u8,
    /// The script of a submission is killed.
    pub killed_scripts: u8,
    /// The database goes back to the dump.
    pub restores: u8,
    /// The private folder is emptied, or the HPC's root path is changed.
    pub wipes: u8,
    /// The operator removes the folders of a job that is over.
    pub cleanups: u8,
    /// Slurm shows a job that has ended no longer.
    pub forgets: u8,
    /// The controller loses an accepted job, and gives its id to another one.
    pub amnesias: u8,
    /// The owner pauses the job.
    pub pauses: u8,
    /// The owner cancels the job.
    pub cancels: u8,
}

/// A bounded exploration.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    /// Its name.
    pub name: &'static str,
    /// The steps of the job, of those that the model has, in order.
    pub steps: &'static [Step],
    /// What may go wrong.
    pub budget: Budget,
    /// What is not promised if this goes wrong.
    pub unpromised: &'static [&'static str],
    /// Whether the clock of the first maintainer is an hour ahead.
    pub is_skewed: bool,
}

impl Scenario {
    /// The first step of the job.
    pub fn first(&self) -> Step {
        self.steps.first().copied().unwrap_or(Step::Submit)
    }

    /// The step after `step`.
    pub fn after(&self, step: Step) -> Step {
        let later = self.steps.iter().copied().find(|&other| other > step);
        later.unwrap_or(Step::Collect)
    }
}
