//! Where a maintainer stands in carrying a job; persisted before each step
//! begins, so that another maintainer can go on from there.

use std::str::FromStr;

use super::{State, state::UnknownName};

/// What is to be done next for a job. Every step may be done again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Allocate the folders' ids and paths.
    Prepare,
    /// Put the program on the HPC.
    UploadExecutable,
    /// Put the data on the HPC.
    UploadData,
    /// Make the result folder.
    CreateResult,
    /// Write `job.json`, `job.sbatch` and what else the kind renders.
    WriteScript,
    /// Hand the job to the scheduler.
    Submit,
    /// Follow it until it has left the scheduler.
    Watch,
    /// Fetch logs, usage and listing.
    Collect,
}

impl Step {
    /// All steps, in order.
    pub const ALL: [Self; 8] = [
        Self::Prepare,
        Self::UploadExecutable,
        Self::UploadData,
        Self::CreateResult,
        Self::WriteScript,
        Self::Submit,
        Self::Watch,
        Self::Collect,
    ];

    /// The state of a job that stands at this step and is not parked.
    pub fn state(self) -> State {
        match self {
            Self::Prepare
            | Self::UploadExecutable
            | Self::UploadData
            | Self::CreateResult
            | Self::WriteScript
            | Self::Submit => State::Preparing,
            Self::Watch => State::Submitted,
            Self::Collect => State::Collecting,
        }
    }

    /// The step after this one; `None` after the last.
    pub fn next(self) -> Option<Self> {
        let at = Self::ALL.iter().position(|&step| step == self)?;
        Self::ALL.get(at + 1).copied()
    }

    /// The step's name in the database and in logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Prepare => "prepare",
            Self::UploadExecutable => "upload_executable",
            Self::UploadData => "upload_data",
            Self::CreateResult => "create_result",
            Self::WriteScript => "write_script",
            Self::Submit => "submit",
            Self::Watch => "watch",
            Self::Collect => "collect",
        }
    }
}

impl FromStr for Step {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        Self::ALL
            .into_iter()
            .find(|step| step.as_str() == text)
            .ok_or_else(|| UnknownName(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_follow_one_another_and_read_back() {
        let mut step = Step::Prepare;
        let mut seen = vec![step];
        while let Some(next) = step.next() {
            step = next;
            seen.push(step);
        }
        assert_eq!(seen, Step::ALL);
        assert!(
            Step::ALL
                .into_iter()
                .all(|step| step.as_str().parse() == Ok(step))
        );
    }
}
