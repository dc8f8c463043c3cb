//! Slurm's job states (squeue(1), JOB STATE CODES). Pure.

use compute_domain::job::{EndState, Phase};

/// The meaning of a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    Pending,
    Running,
    Suspended,
    /// Ended; the long name of the state.
    Ended(&'static str),
    /// Says nothing about this cluster.
    Elsewhere,
}

/// The meaning of a state, long or short name; a suffix (`CANCELLED by 1001`,
/// `CANCELLED+`) is ignored. `None` for an unknown state.
pub(crate) fn meaning(word: &str) -> Option<Meaning> {
    let word = word.split_whitespace().next()?.trim_end_matches('+');
    let meaning = match word {
        "PENDING" | "PD" | "REQUEUED" | "RQ" | "REQUEUE_FED" | "RF" | "REQUEUE_HOLD" | "RH"
        | "RESV_DEL_HOLD" | "RD" | "SPECIAL_EXIT" | "SE" => Meaning::Pending,
        "RUNNING" | "R" | "CONFIGURING" | "CF" | "COMPLETING" | "CG" | "RESIZING" | "RS"
        | "SIGNALING" | "SI" | "STAGE_OUT" | "SO" | "POWER_UP_NODE" | "UPDATE_DB" => {
            Meaning::Running
        }
        "SUSPENDED" | "S" | "STOPPED" | "ST" => Meaning::Suspended,
        "COMPLETED" | "CD" => Meaning::Ended("COMPLETED"),
        "CANCELLED" | "CA" => Meaning::Ended("CANCELLED"),
        "FAILED" | "F" => Meaning::Ended("FAILED"),
        "TIMEOUT" | "TO" => Meaning::Ended("TIMEOUT"),
        "NODE_FAIL" | "NF" => Meaning::Ended("NODE_FAIL"),
        "PREEMPTED" | "PR" => Meaning::Ended("PREEMPTED"),
        "BOOT_FAIL" | "BF" => Meaning::Ended("BOOT_FAIL"),
        "DEADLINE" | "DL" => Meaning::Ended("DEADLINE"),
        "OUT_OF_MEMORY" | "OOM" => Meaning::Ended("OUT_OF_MEMORY"),
        "LAUNCH_FAILED" => Meaning::Ended("LAUNCH_FAILED"),
        "RECONFIG_FAIL" => Meaning::Ended("RECONFIG_FAIL"),
        // A sibling on another cluster of a federation runs the job.
        "REVOKED" | "RV" => Meaning::Elsewhere,
        _ => return None,
    };
    Some(meaning)
}

/// The phase for a state, with the end of the job if it has ended. An unknown state is
/// logged as an error, and is never an end.
pub(crate) fn phase(word: &str, exit: Option<Exit>) -> Phase {
    match meaning(word) {
        Some(Meaning::Pending) => Phase::Pending,
        Some(Meaning::Running) => Phase::Running,
        Some(Meaning::Suspended) => Phase::Suspended,
        Some(Meaning::Ended(state)) => Phase::Ended(EndState {
            slurm_state: state.to_owned(),
            exit_code: exit.map(|exit| exit.code),
            signal: exit.map(|exit| exit.signal),
        }),
        Some(Meaning::Elsewhere) => Phase::Unknown,
        None => {
            tracing::error!(slurm.state = word, "slurm reports an unknown job state");
            Phase::Unknown
        }
    }
}

/// How a batch script ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exit {
    /// Exit code, 0-255.
    pub(crate) code: i32,
    /// Signal, 0 if none.
    pub(crate) signal: i32,
}

/// Parses `3:0` (code and signal, from sacct) or `768` (the status of wait(2), from
/// `squeue -O exit_code`).
pub(crate) fn exit(text: &str) -> Option<Exit> {
    let text = text.trim();
    if let Some((code, signal)) = text.split_once(':') {
        return Some(Exit {
            code: code.parse().ok()?,
            signal: signal.parse().ok()?,
        });
    }
    let status: u32 = text.parse().ok()?;
    // Slurm's NO_VAL (slurm.h): not set.
    if status >= 0xffff_fffd {
        return None;
    }
    let byte = |value: u32| i32::try_from(value & 0xff).unwrap_or(0);
    Some(Exit {
        code: byte(status >> 8),
        signal: byte(status & 0x7f),
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(
        "PENDING PD REQUEUED RQ RF RH RD SE RESV_DEL_HOLD SPECIAL_EXIT",
        Meaning::Pending
    )]
    #[case(
        "RUNNING R CF CG RS SI SO COMPLETING CONFIGURING STAGE_OUT",
        Meaning::Running
    )]
    #[case("SUSPENDED S STOPPED ST", Meaning::Suspended)]
    #[case("COMPLETED CD", Meaning::Ended("COMPLETED"))]
    #[case("CANCELLED CA CANCELLED+", Meaning::Ended("CANCELLED"))]
    #[case("FAILED F", Meaning::Ended("FAILED"))]
    #[case("TIMEOUT TO", Meaning::Ended("TIMEOUT"))]
    #[case("NODE_FAIL NF", Meaning::Ended("NODE_FAIL"))]
    #[case("PREEMPTED PR", Meaning::Ended("PREEMPTED"))]
    #[case("BOOT_FAIL BF", Meaning::Ended("BOOT_FAIL"))]
    #[case("DEADLINE DL", Meaning::Ended("DEADLINE"))]
    #[case("OUT_OF_MEMORY OOM", Meaning::Ended("OUT_OF_MEMORY"))]
    #[case("REVOKED RV", Meaning::Elsewhere)]
    fn what_states_mean(#[case] states: &str, #[case] expected: Meaning) {
        for word in states.split(' ') {
            assert_eq!(meaning(word), Some(expected), "{word}");
        }
    }

    #[test]
    fn an_unknown_state_is_not_an_end() {
        for word in ["", "DONE", "completed", "C", "ERROR"] {
            assert_eq!(meaning(word), None);
            assert_eq!(phase(word, exit("0:0")), Phase::Unknown);
        }
        assert_eq!(
            meaning("CANCELLED by 1001"),
            Some(Meaning::Ended("CANCELLED"))
        );
    }

    #[rstest]
    #[case("0:0", Some((0, 0)))]
    #[case("3:0", Some((3, 0)))]
    #[case("0:125", Some((0, 125)))]
    #[case("0", Some((0, 0)))]
    #[case("768", Some((3, 0)))]
    #[case("9", Some((0, 9)))]
    #[case("15", Some((0, 15)))]
    #[case("139", Some((0, 11)))] // with a core dump
    #[case("65280", Some((255, 0)))]
    #[case("4294967294", None)]
    #[case("", None)]
    #[case("N/A", None)]
    #[case("1:", None)]
    fn how_it_ended(#[case] text: &str, #[case] expected: Option<(i32, i32)>) {
        assert_eq!(exit(text).map(|exit| (exit.code, exit.signal)), expected);
    }
}
