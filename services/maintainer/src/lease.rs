//! Renews this process's leases, three times in the time that they hold, and
//! learns on that occasion what the jobs' owners want and which jobs are lost.

use std::{collections::HashMap, sync::Arc};

use compute_db::{CarriedRow, StoreError};
use compute_domain::ids::JobId;
use tokio::time::MissedTickBehavior;

use crate::{context::Context, supervisor};

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
    let before = context.carried.snapshot();
    context.store.heartbeat(&context.id).await?;
    let rows = context.store.renew(&context.id, context.lease).await?;
    let still: HashMap<JobId, i64> = rows.iter().map(|row| (row.id.clone(), row.fence)).collect();
    context.carried.drop_lost(&before, &still);
    for row in rows {
        keep(context, row).await?;
    }
    Ok(())
}

async fn keep(context: &Arc<Context>, row: CarriedRow) -> Result<(), StoreError> {
    let wish = row.intent.zip(row.intent_by);
    if context.carried.tell(&row.id, wish) {
        return Ok(());
    }
    // Leased, and nobody here carries it: its carrier met an error and put it
    // down. The row says where to go on.
    if let Some(job) = context
        .store
        .job(&row.id)
        .await?
        .filter(|job| job.fence == row.fence && job.state.is_carried())
    {
        supervisor::take(context, job);
    }
    Ok(())
}
