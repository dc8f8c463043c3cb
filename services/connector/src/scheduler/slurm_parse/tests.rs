//! Output of real Slurm releases, and arbitrary text.

use compute_domain::job::{EndState, Mark};
use proptest::prelude::*;

use super::*;

fn end(state: &str, code: i32, signal: i32) -> Phase {
    Phase::Ended(EndState {
        slurm_state: state.to_owned(),
        exit_code: Some(code),
        signal: Some(signal),
    })
}

fn job(slurm_id: &str) -> SlurmJob {
    SlurmJob {
        slurm_id: slurm_id.to_owned(),
        mark: Mark::parse("compute:job").unwrap(),
    }
}

fn seconds_of(seen: &JobObservation) -> Option<i64> {
    seen.started_at.map(Timestamp::seconds)
}

/// Rows as 22.05.8 prints them, with a notice and a heading as some sites add them.
const QUEUE: &str = "\
CLUSTER: keeling
slurm_load_jobs: maintenance from 18:00
3                       |CANCELLED               |15          |1795674683              |h|None                            |job|(null)|
2                       |COMPLETED               |0           |1795674683              |h|None                            |job|(null)|
5                       |PENDING                 |0           |1795678283              | |JobHeldUser                     |job|(null)|
1                       |FAILED                  |768         |1795674601              |h|NonZeroExitCode                 |job|(null)|
4                       |FAILED                  |9           |1795674602              |h|JobLaunchFailure                |job|(null)|
7                       |RUNNING                 |0           |1795674680              |h|None                            |job|(null)|
8                       |COMPLETING              |0           |1795674681              |h|None                            |job|(null)|
9                       |PENDING                 |0           |N/A                     | |ReqNodeNotAvail, UnavailableNode|job|(null)|
11                      |CANCELLED               |0           |1795674686              | |None                            |job|(null)|
10_[1-3]                |PENDING                 |0           |N/A                     | |Resources                       |job|(null)|
";

#[test]
fn rows_of_the_queue() {
    let seen = queue(QUEUE);
    let phases: Vec<_> = seen
        .iter()
        .map(|row| {
            (
                row.observation.slurm_id.as_str(),
                row.observation.phase.clone(),
            )
        })
        .collect();
    let expected = [
        ("3", end("CANCELLED", 0, 15)),
        ("2", end("COMPLETED", 0, 0)),
        ("5", Phase::Pending),
        ("1", end("FAILED", 3, 0)),
        ("4", end("FAILED", 0, 9)),
        ("7", Phase::Running),
        ("8", Phase::Running),
        ("9", Phase::Pending),
        ("11", end("CANCELLED", 0, 0)),
    ];
    assert_eq!(phases, expected);
    let reasons: Vec<_> = seen
        .iter()
        .map(|row| row.observation.reason.as_str())
        .collect();
    assert_eq!(reasons[..3], ["", "", "JobHeldUser"]);
    assert_eq!(reasons[7], "ReqNodeNotAvail, UnavailableNode");
    assert!(seen.iter().all(|row| row.mark().is_none()));
    let starts: Vec<_> = seen
        .iter()
        .map(|row| seconds_of(&row.observation))
        .collect();
    let [held, waiting, cancelled_before] = [None; 3];
    let expected = [
        Some(1_795_674_683),
        Some(1_795_674_683),
        held,
        Some(1_795_674_601),
        Some(1_795_674_602),
        Some(1_795_674_680),
        Some(1_795_674_681),
        waiting,
        cancelled_before,
    ];
    assert_eq!(starts, expected);
}

#[test]
fn marks_of_a_deployment_are_seen() {
    let output = "\
7                       |RUNNING                 |0           |1795674680  |h|None        |1795457659Ab3dE  |compute:1795457659Ab3dE       |
8                       |RUNNING                 |0           |1795674680  |h|None        |x                |(null)                        |
9                       |RUNNING                 |0           |1795674680  |h|None        |1795457659Ab3dE  |mine: do not touch            |
";
    let rows = queue(output);
    let mark = Mark::parse("compute:1795457659Ab3dE").unwrap();
    let marks: Vec<_> = rows.iter().map(Listed::mark).collect();
    assert_eq!(marks, [Some(mark.clone()), None, None]);
    let ours: Vec<_> = rows.iter().map(|row| row.is(&mark)).collect();
    assert_eq!(ours, [true, false, false], "name and comment count");
}

#[test]
fn rows_of_accounting() {
    let output = "\
1|FAILED|3:0|1795674683|n1|job|
2|COMPLETED|0:0|1795674683|n[1-2]|job|
3|CANCELLED by 1001|0:0|1795674686|None assigned|job|
4|RUNNING|0:0|1795674686|n1|job|
5|PENDING|0:0|Unknown|None assigned|job|
6|OUT_OF_MEMORY|0:125|1795674683|n1|job|
6.batch|OUT_OF_MEMORY|0:125|1795674683|n1|job|
7|TIMEOUT|0:0|Unknown|n1|job|
sacct: notice
8|FAILED|0:9|2026-11-26T06:31:23|n1|job|
9|
";
    let mut seen = accounted(output);
    let alive: Vec<_> = (seen.iter().map(|row| &row.observation))
        .filter(|seen| !matches!(seen.phase, Phase::Ended(_)))
        .map(|seen| (seen.slurm_id.clone(), seen.phase.clone()))
        .collect();
    let expected = [("4", Phase::Running), ("5", Phase::Pending)];
    assert_eq!(alive, expected.map(|(id, phase)| (id.to_owned(), phase)));
    seen.retain(|row| matches!(row.observation.phase, Phase::Ended(_)));
    let starts: Vec<_> = seen
        .iter()
        .map(|row| seconds_of(&row.observation))
        .collect();
    let start = Some(1_795_674_683);
    let [cancelled_before, not_said, not_in_seconds] = [None; 3];
    assert_eq!(
        starts,
        [
            start,
            start,
            cancelled_before,
            start,
            not_said,
            not_in_seconds
        ]
    );
    let seen: Vec<_> = seen
        .into_iter()
        .map(|row| (row.observation.slurm_id, row.observation.phase))
        .collect();
    let expected = [
        ("1", end("FAILED", 3, 0)),
        ("2", end("COMPLETED", 0, 0)),
        ("3", end("CANCELLED", 0, 0)),
        ("6", end("OUT_OF_MEMORY", 0, 125)),
        ("7", end("TIMEOUT", 0, 0)),
        ("8", end("FAILED", 0, 9)),
    ];
    assert_eq!(seen, expected.map(|(id, phase)| (id.to_owned(), phase)));
}

#[test]
fn usage_of_a_job_with_steps() {
    let output = "\
12|COMPLETED|2|8|01:02:03.500|billing=8,cpu=8,mem=16G,node=2|16G||3725|job
12.batch|COMPLETED|1|4|00:02.004|cpu=4,mem=8G,node=1||2004K|3725|batch
12.0|COMPLETED|2|8|01:02:01.496|cpu=8,mem=16G,node=2||1.5M|3720|main
";
    let expected = Usage {
        nodes: Some(2),
        cpus: Some(8),
        cpu_time: Some(3724),
        memory: Some(16 * 1024 * 1024),
        memory_usage: Some(2004),
        walltime: Some(3725),
    };
    assert_eq!(usage(output, &job("12")), Some(expected));
    assert_eq!(usage(output, &job("13")), None);
}

#[test]
fn usage_needs_the_end_and_may_have_gaps() {
    let running = "12|RUNNING|2|8|00:00:00|mem=16G|16G||5|job\n";
    assert_eq!(usage(running, &job("12")), None);
    let gaps = "12|CANCELLED by 0|0|0|00:00:00||4Gn||0|job\n";
    let seen = usage(gaps, &job("12")).unwrap();
    assert_eq!(
        (seen.memory, seen.memory_usage, seen.walltime),
        (None, None, Some(0))
    );
}

proptest! {
    #[test]
    fn no_output_can_break_the_readers(output in "(\\PC|[|\n:0-9A-Z]){0,200}") {
        let _ = (queue(&output), accounted(&output), usage(&output, &job("1")));
    }

    #[test]
    fn rows_survive_noise_around_them(
        id in 1_u32..9_999_999,
        state in prop::sample::select(vec!["RUNNING", "PENDING", "TIMEOUT", "NODE_FAIL"]),
        before in prop::collection::vec("[a-zA-Z:* -]{0,30}", 0..4),
        after in prop::collection::vec("[a-zA-Z:* -]{0,30}", 0..4),
    ) {
        let row = format!("{id:<24}|{state:<24}|{:<12}|{:<24}| |{:<128}|", 0, "N/A", "None");
        let lines = [before, vec![row], after].concat().join("\n");
        let seen = queue(&lines);
        prop_assert_eq!(seen.len(), 1);
        prop_assert_eq!(&seen[0].observation.slurm_id, &id.to_string());
        prop_assert_eq!(&seen[0].observation.phase, &phase(state, exit("0")));
    }
}
