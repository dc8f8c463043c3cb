//! Counts the open jobs of each HPC at an interval, for the metrics. Every maintainer counts
//! the same rows, so one of them suffices.

use std::{sync::Arc, time::Duration};

use compute_db::OpenJobs;
use compute_domain::job::State;
use tokio::time::MissedTickBehavior;

use crate::{context::Context, meters};

/// Time between two counts.
const EVERY: Duration = Duration::from_secs(15);

/// Runs until the process stops.
pub async fn run(context: Arc<Context>) {
    let stop = context.shutdown.token.clone();
    let mut tick = tokio::time::interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(tick.tick()).await.is_some() {
        if let Err(error) = count(&context).await {
            tracing::warn!(%error, "could not count the jobs");
        }
    }
}

async fn count(context: &Context) -> anyhow::Result<()> {
    let hpcs: Vec<&str> = context.hpcs.keys().map(String::as_str).collect();
    let open = context.store.open_jobs(&hpcs).await?;
    for hpc in &hpcs {
        // A state without jobs is reported as well.
        for state in State::ALL.into_iter().filter(|state| state.is_open()) {
            let found = open.iter().find(|o| o.hpc == *hpc && o.state == state);
            meters::jobs(hpc, state, found.map_or(0, |found| found.jobs));
            if state == State::Queued {
                meters::oldest_queued(hpc, age(context, found));
            }
        }
        meters::stream(hpc, &context.queue.stats(hpc).await?);
    }
    Ok(())
}

fn age(context: &Context, queued: Option<&OpenJobs>) -> Duration {
    let since = queued.and_then(|queued| queued.oldest);
    since.map_or(Duration::ZERO, |since| context.clock.now().since(since))
}
