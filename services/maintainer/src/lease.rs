//! Renews this process's leases, three times within the duration of a lease. The same query
//! returns the owners' intents, and shows which jobs another maintainer has taken over.

use std::{collections::HashMap, sync::Arc};

use compute_db::{LeaseRow, StoreError};
use compute_domain::ids::JobId;
use tokio::time::MissedTickBehavior;

use crate::{context::Context, intake};

/// Runs until the process stops.
pub async fn run(context: Arc<Context>) {
    let mut tick = tokio::time::interval(context.lease / 3);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = context.shutdown.token.cancelled() => return,
            _ = tick.tick() => {}
        }
        if let Err(error) = renew(&context).await {
            tracing::warn!(%error, "could not renew the leases");
        }
    }
}

async fn renew(context: &Arc<Context>) -> Result<(), StoreError> {
    let before = context.active_jobs.snapshot();
    context.store.heartbeat(&context.id).await?;
    let renewed = context.store.renew(&context.id, context.lease).await?;
    for error in &renewed.unreadable {
        intake::unreadable_row(error);
    }
    let leases = &renewed.leases;
    let still: HashMap<JobId, i64> = leases.iter().map(|l| (l.id.clone(), l.fence)).collect();
    context.active_jobs.drop_lost(&before, &still);
    for lease in leases {
        intake::leave_out_row(pass_on(context, lease).await)?;
    }
    Ok(())
}

/// Passes the owner's intent to the job's runner, or runs the job if it has no runner here.
async fn pass_on(context: &Arc<Context>, lease: &LeaseRow) -> Result<(), StoreError> {
    let intent = lease.intent.zip(lease.intent_by.clone());
    if context.active_jobs.set_intent(&lease.id, intent) {
        return Ok(());
    }
    intake::resume(context, lease).await
}
