//! The supervisor of a maintainer process: for each HPC it keeps the capacity
//! filled, looks at the scheduler and takes over what was abandoned; for all
//! of them it renews the leases.

use std::sync::Arc;

use compute_domain::job::Job;

use crate::{consume, context::Context, lease, lifecycle, recover};

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
    }
    tasks.spawn(lease::run(Arc::clone(context)));
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
    tracing::info!(
        job.id = %job.id,
        hpc = job.hpc,
        step = job.step.as_str(),
        fence = job.fence,
        "carrying the job"
    );
    context
        .shutdown
        .tasks
        .spawn(lifecycle::carry(Arc::clone(context), job, signals));
}
