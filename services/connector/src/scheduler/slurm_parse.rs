//! Parses the output of Slurm's commands. Pure. Lines that are not rows (notices,
//! headings of `--clusters` sites) are skipped.

use compute_domain::{
    Timestamp,
    job::{JobObservation, Phase, SlurmJob, Usage},
    slurm::{cpu_seconds, memory_kib},
};

use super::{
    Listed,
    slurm_state::{Meaning, exit, meaning, phase},
};

/// Columns of a query of the queue. The widths are explicit because the defaults of
/// releases differ; padding is trimmed. One character of the nodes is enough to know
/// whether there are any. Text of users comes last: it may contain a separator.
pub(crate) const QUEUE_COLUMNS: &str =
    "JobID:24|,State:24|,exit_code:12|,StartTime:24|,NodeList:1|,Reason:128|,Name:64|,Comment:96|";

/// Columns for ended jobs.
pub(crate) const ENDED_COLUMNS: &str = "JobIDRaw,State,ExitCode,Start,NodeList,JobName,Comment";

/// Columns for the usage of a job and its steps.
pub(crate) const USAGE_COLUMNS: &str =
    "JobIDRaw,State,AllocNodes,AllocCPUS,TotalCPU,AllocTRES,ReqMem,MaxRSS,ElapsedRaw,JobName";

/// Rows of `squeue -h -O` with [`QUEUE_COLUMNS`].
pub(crate) fn queue(output: &str) -> Vec<Listed> {
    output.lines().filter_map(queue_row).collect()
}

fn queue_row(line: &str) -> Option<Listed> {
    let mut fields = line.split('|').map(str::trim);
    let (id, state, code) = (fields.next()?, fields.next()?, fields.next()?);
    if !is_id(id) {
        return None;
    }
    let phase = phase(state, exit(code));
    let (start, nodes) = (fields.next()?, fields.next()?);
    let reason = fields.next().unwrap_or_default();
    let reason = if matches!(reason, "None" | "(null)") {
        ""
    } else {
        reason
    };
    Some(Listed {
        observation: JobObservation {
            slurm_id: id.to_owned(),
            started_at: started(&phase, start, nodes),
            phase,
            reason: reason.to_owned(),
        },
        name: fields.next().unwrap_or_default().to_owned(),
        comment: comment(fields.next()),
    })
}

/// The comment; empty for `(null)`, which `squeue` prints for a job without one.
fn comment(text: Option<&str>) -> String {
    let text = text.unwrap_or_default();
    if text == "(null)" { "" } else { text }.to_owned()
}

/// Ended jobs of `sacct -n -X -P` with [`ENDED_COLUMNS`]. Jobs that are pending or running
/// there are skipped: accounting lags behind.
pub(crate) fn ended(output: &str) -> Vec<Listed> {
    output.lines().filter_map(ended_row).collect()
}

fn ended_row(line: &str) -> Option<Listed> {
    let mut fields = line.split('|');
    let (id, state, code) = (fields.next()?, fields.next()?, fields.next()?);
    let phase = phase(state, exit(code));
    if !is_id(id) || !matches!(phase, Phase::Ended(_)) {
        return None;
    }
    let started_at = started(&phase, fields.next()?, fields.next()?);
    Some(Listed {
        observation: JobObservation {
            slurm_id: id.to_owned(),
            started_at,
            phase,
            reason: String::new(),
        },
        name: fields.next()?.to_owned(),
        comment: comment(fields.next()),
    })
}

/// The start of a job, from seconds since the epoch (`SLURM_TIME_FORMAT=%s`). For a
/// pending job the column has the expected start, and for one cancelled while pending the
/// time of that: only a job with nodes has started.
fn started(phase: &Phase, start: &str, nodes: &str) -> Option<Timestamp> {
    // squeue leaves the column empty, sacct prints a text.
    let has_nodes = !matches!(nodes, "" | "None assigned");
    let began = match phase {
        Phase::Running | Phase::Suspended | Phase::Ended(_) => has_nodes,
        Phase::Unknown | Phase::Pending => false,
    };
    let seconds: i64 = start.parse().ok().filter(|seconds| *seconds > 0 && began)?;
    seconds.checked_mul(1000).map(Timestamp::from_millis)
}

/// Usage of one job from `sacct -n -P` with [`USAGE_COLUMNS`]: a row for the job
/// and one for each of its steps. Empty until accounting has the end of the job.
pub(crate) fn usage(output: &str, job: &SlurmJob) -> Usage {
    let (id, name) = (job.slurm_id.as_str(), job.mark.job.as_str());
    let rows: Vec<Vec<&str>> = output
        .lines()
        .map(|line| line.split('|').collect())
        .collect();
    let job = rows
        .iter()
        .find(|row| row.first() == Some(&id) && row.last() == Some(&name));
    let Some(
        [
            _,
            state,
            nodes,
            cpus,
            cpu_time,
            tres,
            requested,
            _,
            elapsed,
            _,
        ],
    ) = job.map(Vec::as_slice)
    else {
        return Usage::default();
    };
    if !matches!(meaning(state), Some(Meaning::Ended(_))) {
        return Usage::default();
    }
    Usage {
        nodes: nodes.parse().ok(),
        cpus: cpus.parse().ok(),
        cpu_time: cpu_seconds(cpu_time),
        memory: allocated_kib(tres).or_else(|| memory_kib(requested)),
        memory_usage: rows.iter().filter_map(|row| memory_kib(row.get(7)?)).max(),
        walltime: elapsed.parse().ok(),
    }
}

fn is_id(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// `mem=…` of `billing=1,cpu=1,mem=1000M,node=1`.
fn allocated_kib(tres: &str) -> Option<i64> {
    tres.split(',')
        .find_map(|part| part.strip_prefix("mem="))
        .and_then(memory_kib)
}

#[cfg(test)]
mod tests {
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
    fn accounting_lists_ended_jobs_only() {
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
        let seen = ended(output);
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
        assert_eq!(usage(output, &job("12")), expected);
        assert_eq!(usage(output, &job("13")), Usage::default());
    }

    #[test]
    fn usage_needs_the_end_and_may_have_gaps() {
        let running = "12|RUNNING|2|8|00:00:00|mem=16G|16G||5|job\n";
        assert_eq!(usage(running, &job("12")), Usage::default());
        let gaps = "12|CANCELLED by 0|0|0|00:00:00||4Gn||0|job\n";
        let seen = usage(gaps, &job("12"));
        assert_eq!(
            (seen.memory, seen.memory_usage, seen.walltime),
            (None, None, Some(0))
        );
    }

    proptest! {
        #[test]
        fn no_output_can_break_the_readers(output in "(\\PC|[|\n:0-9A-Z]){0,200}") {
            let _ = (queue(&output), ended(&output), usage(&output, &job("1")));
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
}
