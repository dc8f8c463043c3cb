//! Starts the loops of a maintainer process. They end with the shutdown's token.

use std::sync::Arc;

use crate::{context::Context, intake, job_gauges, lease, orphans};

/// Starts all loops: per HPC the intake, the poller of job states and the search for
/// orphans; per process the leases, the gauges and the jobs without a configuration.
pub fn start(context: &Arc<Context>) {
    let tasks = &context.shutdown.tasks;
    for hpc in context.hpcs.values() {
        let status = Arc::clone(&hpc.status);
        tasks.spawn(async move { status.run_community().await });
        tasks.spawn(intake::stream::run(Arc::clone(context), hpc.clone()));
        tasks.spawn(intake::sweep::run(Arc::clone(context), hpc.clone()));
        if hpc.config.is_community_account {
            tasks.spawn(orphans::run(Arc::clone(context), hpc.clone()));
        }
    }
    tasks.spawn(lease::run(Arc::clone(context)));
    tasks.spawn(job_gauges::run(Arc::clone(context)));
    tasks.spawn(intake::unconfigured::run(Arc::clone(context)));
}
