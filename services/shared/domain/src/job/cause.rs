//! Why a job failed, as a sentence that its owner can act on.

use std::fmt;

use super::EndState;
use crate::ids::JobId;

/// The reason for a job's end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause(String);

impl Cause {
    /// A cause in words of its own, e.g. a refusal of the scheduler.
    pub fn new(words: impl Into<String>) -> Self {
        Self(words.into())
    }

    /// The job's owner wanted so.
    pub fn cancelled_by(user: &str) -> Self {
        Self(format!("cancelled by {user}"))
    }

    /// Cancelled, although nobody can log in as `account` to end what is on the HPC.
    pub fn cancelled_without_login(user: &str, account: &str, slurm_id: Option<&str>) -> Self {
        let on_hpc = match slurm_id {
            Some(id) => format!("Slurm job {id} may still be there: end it with `scancel {id}`"),
            None => {
                "it may have been submitted to Slurm: look for it with `squeue --me`".to_owned()
            }
        };
        Self(format!(
            "cancelled by {user}, without the password for {account}; {on_hpc}"
        ))
    }

    /// Another job could change what this one is about to run or read, or it what the
    /// other does.
    pub fn folder_shared_with(other: &JobId) -> Self {
        Self(format!(
            "job {other} is not over, and one of the two may write to a folder that the other uses: \
             wait for its end"
        ))
    }

    /// What an end on the HPC means; `None` if it is a good one.
    ///
    /// State names: squeue(1), JOB STATE CODES.
    pub fn of_end(end: &EndState) -> Option<Self> {
        let words = match end.slurm_state.as_str() {
            "COMPLETED" if end.exit_code.unwrap_or(0) == 0 && end.signal.unwrap_or(0) == 0 => {
                return None;
            }
            "COMPLETED" | "FAILED" => program_failed(end),
            "TIMEOUT" => "it ran into its time limit (TIMEOUT): ask for more time".to_owned(),
            "OUT_OF_MEMORY" => {
                "it used more memory than it had asked for (OUT_OF_MEMORY): ask for more memory"
                    .to_owned()
            }
            "CANCELLED" => "it was cancelled on the HPC (CANCELLED)".to_owned(),
            "NODE_FAIL" => "a node of the HPC failed (NODE_FAIL): submit it again".to_owned(),
            "BOOT_FAIL" => {
                "a node of the HPC did not start (BOOT_FAIL): submit it again".to_owned()
            }
            "PREEMPTED" => "a job of higher priority took its place (PREEMPTED)".to_owned(),
            "DEADLINE" => "it could not end before its deadline (DEADLINE)".to_owned(),
            other => format!("the scheduler ended it with state {other}"),
        };
        Some(Self(words))
    }

    /// The cause as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn program_failed(end: &EndState) -> String {
    let signal = end.signal.unwrap_or(0);
    if signal == 9 {
        return "the program was killed (signal 9), often for lack of memory".to_owned();
    }
    if signal != 0 {
        return format!("the program was ended by signal {signal}");
    }
    match end.exit_code {
        Some(code) => format!("the program ended with exit code {code}"),
        None => "the program failed".to_owned(),
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(state: &str, exit_code: i32, signal: i32) -> EndState {
        EndState {
            slurm_state: state.to_owned(),
            exit_code: Some(exit_code),
            signal: Some(signal),
        }
    }

    #[test]
    fn only_a_clean_completion_is_a_good_end() {
        assert_eq!(Cause::of_end(&end("COMPLETED", 0, 0)), None);
        for (state, code, signal, words) in [
            ("FAILED", 1, 0, "exit code 1"),
            ("FAILED", 0, 9, "signal 9"),
            ("FAILED", 0, 11, "signal 11"),
            ("COMPLETED", 3, 0, "exit code 3"),
            ("TIMEOUT", 0, 0, "TIMEOUT"),
            ("OUT_OF_MEMORY", 0, 125, "OUT_OF_MEMORY"),
            ("CANCELLED", 0, 0, "CANCELLED"),
            ("NODE_FAIL", 0, 0, "NODE_FAIL"),
            ("SOMETHING_NEW", 0, 0, "SOMETHING_NEW"),
        ] {
            let cause = Cause::of_end(&end(state, code, signal)).unwrap();
            assert!(cause.as_str().contains(words), "{state}: {cause}");
        }
    }
}
