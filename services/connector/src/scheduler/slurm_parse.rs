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

/// Columns for jobs that left the queue.
pub(crate) const ACCOUNTED_COLUMNS: &str = "JobIDRaw,State,ExitCode,Start,NodeList,JobName,Comment";

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

/// Jobs of `sacct -n -X -P` with [`ACCOUNTED_COLUMNS`]. Accounting lags behind the queue: jobs
/// that are pending or running here may have ended.
pub(crate) fn accounted(output: &str) -> Vec<Listed> {
    output.lines().filter_map(accounted_row).collect()
}

fn accounted_row(line: &str) -> Option<Listed> {
    let mut fields = line.split('|');
    let (id, state, code) = (fields.next()?, fields.next()?, fields.next()?);
    let phase = phase(state, exit(code));
    if !is_id(id) {
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
        Phase::Unknown | Phase::Absent | Phase::Pending => false,
    };
    let seconds: i64 = start.parse().ok().filter(|seconds| *seconds > 0 && began)?;
    seconds.checked_mul(1000).map(Timestamp::from_millis)
}

/// Usage of one job from `sacct -n -P` with [`USAGE_COLUMNS`]: a row for the job
/// and one for each of its steps. `None` until accounting has the end of the job.
pub(crate) fn usage(output: &str, job: &SlurmJob) -> Option<Usage> {
    let (id, name) = (job.slurm_id.as_str(), job.mark.job.as_str());
    let rows: Vec<Vec<&str>> = output
        .lines()
        .map(|line| line.split('|').collect())
        .collect();
    let job = rows
        .iter()
        .find(|row| row.first() == Some(&id) && row.last() == Some(&name));
    let [
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
    ] = job.map(Vec::as_slice)?
    else {
        return None;
    };
    if !matches!(meaning(state), Some(Meaning::Ended(_))) {
        return None;
    }
    Some(Usage {
        nodes: nodes.parse().ok(),
        cpus: cpus.parse().ok(),
        cpu_time: cpu_seconds(cpu_time),
        memory: allocated_kib(tres).or_else(|| memory_kib(requested)),
        memory_usage: rows.iter().filter_map(|row| memory_kib(row.get(7)?)).max(),
        walltime: elapsed.parse().ok(),
    })
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
mod tests;
