//! What the maintainer measures. Names and meanings are here only.

use std::time::{Duration, Instant};

use compute_domain::job::{State, Step};
use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};

const JOBS: &str = "cybergis_maintainer_jobs";
const OLDEST: &str = "cybergis_maintainer_oldest_queued_seconds";
const ENTRIES: &str = "cybergis_maintainer_stream_entries";
const DEAD_LETTERS: &str = "cybergis_maintainer_stream_dead_letters";
/// Name of [`DEAD_LETTERS`] in the version before; shown for one release more.
const PUT_ASIDE: &str = "cybergis_maintainer_stream_put_aside";
const CAPACITY: &str = "cybergis_maintainer_capacity";
const LEASES: &str = "cybergis_maintainer_leases";
const STEP_SECONDS: &str = "cybergis_maintainer_step_seconds";
const PARKED: &str = "cybergis_maintainer_parked_total";
const CLOSED: &str = "cybergis_maintainer_jobs_closed_total";
const SLURM_ENDS: &str = "cybergis_maintainer_slurm_ends_total";
const ORPHANS: &str = "cybergis_maintainer_orphans";
const REQUEUES: &str = "cybergis_maintainer_requeues_total";
const UNREADABLE: &str = "cybergis_maintainer_unreadable_rows_total";
const UNCONFIGURED: &str = "cybergis_maintainer_unconfigured_jobs";
const LOOKS: &str = "cybergis_maintainer_looks_total";

/// Tells the recorder what the metrics mean, and which HPCs there are, with their capacity.
pub(crate) fn describe<'a>(hpcs: impl Iterator<Item = (&'a str, u32)>) {
    describe_gauge!(
        JOBS,
        "submitted jobs that are not over, of all maintainers, by hpc and state"
    );
    describe_gauge!(
        OLDEST,
        Unit::Seconds,
        "how long the job that has waited longest has been queued, by hpc"
    );
    describe_gauge!(ENTRIES, "entries in the stream of queued jobs, by hpc");
    describe_gauge!(DEAD_LETTERS, "entries in the dead letter stream, by hpc");
    describe_gauge!(
        PUT_ASIDE,
        "deprecated: cybergis_maintainer_stream_dead_letters has this value"
    );
    describe_gauge!(
        CAPACITY,
        "jobs that all maintainers together may run at once, by hpc"
    );
    describe_gauge!(LEASES, "jobs that run in this process, by hpc");
    describe_histogram!(
        STEP_SECONDS,
        Unit::Seconds,
        "time a try of a step took, by step and outcome"
    );
    describe_counter!(
        PARKED,
        "how often this process has parked a job, by hpc and step"
    );
    describe_counter!(
        CLOSED,
        "jobs that this process has closed, by hpc, outcome and the step they stood at"
    );
    describe_counter!(
        SLURM_ENDS,
        "jobs that the scheduler has ended, by hpc and the scheduler's word for it"
    );
    describe_counter!(
        REQUEUES,
        "jobs that the scheduler has put back into its queue and runs once more, by hpc"
    );
    describe_counter!(
        LOOKS,
        "looks at the scheduler for all jobs of an account, by hpc and outcome"
    );
    describe_gauge!(
        ORPHANS,
        "jobs that run on the HPC in this deployment's name and that nobody follows, by hpc"
    );
    describe_counter!(
        UNREADABLE,
        "times that a row of the database was left out because it could not be read"
    );
    describe_gauge!(
        UNCONFIGURED,
        "open jobs whose HPC or maintainer is not in the configuration, by what is missing"
    );
    for (hpc, capacity) in hpcs {
        gauge!(CAPACITY, "hpc" => hpc.to_owned()).set(f64::from(capacity));
        gauge!(LEASES, "hpc" => hpc.to_owned()).set(0.0);
        counter!(REQUEUES, "hpc" => hpc.to_owned()).increment(0);
    }
    counter!(UNREADABLE).increment(0);
    tracing::warn!(
        "metric {PUT_ASIDE} is deprecated and removed with the next release: use {DEAD_LETTERS} in \
         rules and dashboards"
    );
}

/// A row was left out.
pub(crate) fn unreadable_row() {
    counter!(UNREADABLE).increment(1);
}

/// Open jobs whose HPC, and whose maintainer, is not configured.
pub(crate) fn unconfigured_jobs(hpc: u64, maintainer: u64) {
    gauge!(UNCONFIGURED, "missing" => "hpc").set(hpc as f64);
    gauge!(UNCONFIGURED, "missing" => "maintainer").set(maintainer as f64);
}

/// How many jobs of `hpc` are in a state.
pub(crate) fn jobs(hpc: &str, state: State, jobs: u64) {
    gauge!(JOBS, "hpc" => hpc.to_owned(), "state" => state.as_str()).set(jobs as f64);
}

/// How long the first of the queue has waited; zero if the queue is empty.
pub(crate) fn oldest_queued(hpc: &str, age: Duration) {
    gauge!(OLDEST, "hpc" => hpc.to_owned()).set(age.as_secs_f64());
}

/// What the stream of `hpc` looks like.
pub(crate) fn stream(hpc: &str, stats: &compute_queue::Stats) {
    gauge!(ENTRIES, "hpc" => hpc.to_owned()).set(stats.length as f64);
    gauge!(DEAD_LETTERS, "hpc" => hpc.to_owned()).set(stats.dead as f64);
    gauge!(PUT_ASIDE, "hpc" => hpc.to_owned()).set(stats.dead as f64);
}

/// How many jobs of this deployment nobody follows on `hpc`.
pub(crate) fn orphans(hpc: &str, jobs: usize) {
    gauge!(ORPHANS, "hpc" => hpc.to_owned()).set(jobs as f64);
}

/// A job that runs here, until this is dropped.
pub(crate) struct Lease(String);

impl Lease {
    pub(crate) fn of(hpc: &str) -> Self {
        gauge!(LEASES, "hpc" => hpc.to_owned()).increment(1.0);
        Self(hpc.to_owned())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        gauge!(LEASES, "hpc" => self.0.clone()).decrement(1.0);
    }
}

/// A try of a step has ended.
pub(crate) fn step(step: Step, begun: Instant, outcome: &'static str) {
    histogram!(STEP_SECONDS, "step" => step.as_str(), "outcome" => outcome).record(begun.elapsed());
}

/// A job was parked.
pub(crate) fn parked(hpc: &str, step: Step) {
    counter!(PARKED, "hpc" => hpc.to_owned(), "step" => step.as_str()).increment(1);
}

/// A job was closed while it stood at `step`: at `collect` if it has run.
pub(crate) fn closed(hpc: &str, outcome: State, step: Step) {
    counter!(CLOSED, "hpc" => hpc.to_owned(), "outcome" => outcome.as_str(), "step" => step.as_str())
        .increment(1);
}

/// The scheduler has ended a job, in its own word.
pub(crate) fn slurm_end(hpc: &str, state: &str) {
    counter!(SLURM_ENDS, "hpc" => hpc.to_owned(), "state" => state.to_owned()).increment(1);
}

/// The scheduler runs a job once more.
pub(crate) fn requeued(hpc: &str) {
    counter!(REQUEUES, "hpc" => hpc.to_owned()).increment(1);
}

/// A look at the scheduler has been answered, refused for want of a login, or has
/// failed.
pub(crate) fn look(hpc: &str, outcome: &'static str) {
    counter!(LOOKS, "hpc" => hpc.to_owned(), "outcome" => outcome).increment(1);
}
