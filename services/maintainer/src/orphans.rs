//! Orphans: Slurm jobs that carry this deployment's name and that no row follows, for example
//! because they were submitted after the backup from which the database was restored, or
//! because another deployment has the same name. They are reported, never cancelled.
//!
//! Only on community accounts: private accounts cannot be read without a login.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::Arc,
    time::Duration,
};

use compute_db::JobStatus;
use compute_domain::{Timestamp, job::State};
use compute_proto::LiveJob;

use crate::{context::Context, hpc_handle::HpcHandle, meters};

/// Sweeps from one search to the next.
const SWEEPS: u32 = 30;

/// A job that was closed just now may still be ending there.
const GRACE: Duration = Duration::from_secs(60);

/// A job that nobody follows.
#[derive(Debug, PartialEq, Eq)]
struct Orphan<'a> {
    live: &'a LiveJob,
    why: Why<'a>,
}

/// Why nobody follows it.
#[derive(Debug, PartialEq, Eq)]
enum Why<'a> {
    NoSuchJob,
    IsOver(State),
    IsAnother(&'a str),
}

impl fmt::Display for Why<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchJob => f.write_str("the database has no such job"),
            Self::IsOver(state) => write!(f, "the job is {state}"),
            Self::IsAnother(slurm_id) => write!(f, "the job is the scheduler's {slurm_id}"),
        }
    }
}

/// Runs until the process stops.
pub async fn run(context: Arc<Context>, hpc: HpcHandle) {
    let looking = async {
        let mut logged = HashSet::new();
        loop {
            let wait = match look(&context, &hpc, &mut logged).await {
                Ok(()) => context.sweep * SWEEPS,
                Err(error) => {
                    tracing::debug!(hpc = hpc.name(), %error, "could not look for orphans");
                    context.sweep
                }
            };
            tokio::time::sleep(wait).await;
        }
    };
    context.shutdown.token.run_until_cancelled(looking).await;
}

/// One search; `logged` are the Slurm ids of those that the log names already.
async fn look(
    context: &Context,
    hpc: &HpcHandle,
    logged: &mut HashSet<String>,
) -> anyhow::Result<()> {
    let name = hpc.name();
    let deployment = &hpc.site.server.deployment;
    let live = hpc.connector.deployment_jobs(deployment).await?;
    let ids: Vec<_> = live.iter().map(|live| live.job.clone()).collect();
    // Whatever HPC they are of: two may be the same cluster, with one account.
    let rows = context.store.job_status(&ids).await?;
    let orphans = orphans(&live, &rows, context.clock.now());
    meters::orphans(name, orphans.len());
    for Orphan { live, why } in &orphans {
        if !logged.contains(&live.slurm_id) {
            tracing::warn!(
                hpc = name, slurm.id = live.slurm_id, job.id = %live.job, %why,
                "nobody follows this job on the HPC; scancel ends it"
            );
        }
    }
    *logged = orphans.iter().map(|o| o.live.slurm_id.clone()).collect();
    Ok(())
}

/// Those of `live` that no row of `rows` follows. The rows are younger: a job has its
/// row before the scheduler has it.
fn orphans<'a>(live: &'a [LiveJob], rows: &'a [JobStatus], now: Timestamp) -> Vec<Orphan<'a>> {
    let rows: HashMap<_, _> = rows.iter().map(|row| (&row.id, row)).collect();
    let why = |live: &LiveJob| match rows.get(&live.job) {
        None => Some(Why::NoSuchJob),
        Some(row) => match row.state {
            Some(state) if !state.is_open() => {
                let closed = row.updated_at.map_or(GRACE, |closed| now.since(closed));
                (closed >= GRACE).then_some(Why::IsOver(state))
            }
            _ => {
                let followed = row.slurm_id.as_deref();
                let another = followed.filter(|id| *id != live.slurm_id);
                another.map(Why::IsAnother)
            }
        },
    };
    let orphan = |live| why(live).map(|why| Orphan { live, why });
    live.iter().filter_map(orphan).collect()
}

#[cfg(test)]
mod tests {
    use compute_domain::ids::JobId;
    use rstest::rstest;

    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_millis(1_795_457_659_000)
    }

    fn row(state: State, slurm_id: Option<&str>, seconds_ago: u64) -> Option<JobStatus> {
        Some(JobStatus {
            id: JobId::from_text("job"),
            state: Some(state),
            slurm_id: slurm_id.map(str::to_owned),
            updated_at: Some(now().minus(Duration::from_secs(seconds_ago))),
        })
    }

    #[rstest]
    #[case::followed(row(State::Running, Some("17"), 600), None)]
    #[case::its_id_is_not_noted_yet(row(State::Preparing, None, 600), None)]
    #[case::parked(row(State::Blocked, Some("17"), 600), None)]
    #[case::closed_just_now(row(State::Cancelled, Some("17"), 59), None)]
    #[case::closed(row(State::Failed, Some("17"), 60), Some(Why::IsOver(State::Failed)))]
    #[case::of_another_database(None, Some(Why::NoSuchJob))]
    #[case::a_second_one(row(State::Running, Some("16"), 0), Some(Why::IsAnother("16")))]
    fn who_is_one(#[case] row: Option<JobStatus>, #[case] why: Option<Why<'_>>) {
        let live = [LiveJob {
            slurm_id: "17".to_owned(),
            job: JobId::from_text("job"),
        }];
        let rows: Vec<_> = row.into_iter().collect();
        let found = orphans(&live, &rows, now()).pop().map(|orphan| orphan.why);
        assert_eq!(found, why);
    }
}
