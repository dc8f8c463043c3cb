//! The supervisor of a maintainer process: for each HPC it keeps the capacity
//! filled, looks at the scheduler and takes over what was abandoned; for all
//! of them it renews the leases and counts the jobs.

use std::sync::Arc;

use compute_domain::job::Job;
use tracing::Instrument as _;

use crate::{census, consume, context::Context, lease, lifecycle, orphans, recover};

/// Starts all loops. They end with the shutdown's token.
pub fn start(context: &Arc<Context>) {
    let tasks = &context.shutdown.tasks;
    for (name, port) in &context.ports {
        if let Some(boards) = context.boards.get(name).cloned() {
            let (port, stop) = (port.clone(), context.shutdown.token.clone());
            tasks.spawn(async move { boards.run_community(&port, &stop).await });
        }
        tasks.spawn(consume::run(Arc::clone(context), port.clone()));
        tasks.spawn(recover::run(Arc::clone(context), port.clone()));
        if port.hpc.is_community_account {
            tasks.spawn(orphans::run(Arc::clone(context), port.clone()));
        }
    }
    tasks.spawn(lease::run(Arc::clone(context)));
    tasks.spawn(census::run(Arc::clone(context)));
}

/// Carries a job that this process has just leased.
pub fn take(context: &Arc<Context>, job: Job) {
    let wish = job.intent.map(|intent| {
        (
            intent,
            job.intent_by.clone().unwrap_or_else(|| job.user_id.clone()),
        )
    });
    let Some(signals) = context.carried.enter(&job.id, job.fence, wish) else {
        return;
    };
    let span = compute_trace::job(job.id.as_str());
    span.in_scope(|| {
        let (hpc, step) = (&job.hpc, job.step.as_str());
        tracing::info!(hpc, step, fence = job.fence, "carrying the job");
    });
    let carrying = lifecycle::carry(Arc::clone(context), job, signals);
    context.shutdown.tasks.spawn(carrying.instrument(span));
}
