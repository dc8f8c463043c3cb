//! The lease of this process: one row, renewed three times within its duration, however many
//! jobs run here. A second query returns the owners' intents, and shows which jobs another
//! maintainer has taken over.
//!
//! A lease that could not be renewed in time is lost: all runners are dropped before they call
//! anything, and the process begins anew under the next epoch. Its jobs are free from then on,
//! for this process as for any other.

use std::{collections::HashMap, sync::Arc, time::Duration};

use compute_db::{LeaseHolder, LeaseRow, StoreError};
use compute_domain::ids::JobId;
use tokio::time::{Instant, MissedTickBehavior};

use crate::{context::Context, intake};

/// Time limit for looking at the jobs after a renewal.
const LOOK_WITHIN: Duration = Duration::from_secs(60);

/// How often a process that stops looks whether its runners have finished.
const LAST_STEPS: Duration = Duration::from_millis(50);

/// Registers the process and begins a lease.
///
/// # Errors
/// [`StoreError`] if it was not registered, or it is not known whether it was.
pub async fn begin(context: &Context) -> Result<(), StoreError> {
    let hpcs: Vec<String> = context.hpcs.keys().cloned().collect();
    let address = context.address.get().map_or("", String::as_str);
    let (holder, lease) = (context.own_lease.next(), context.lease);
    let sent = Instant::now();
    let store = &context.store;
    store
        .register_maintainer(&holder, address, &hpcs, lease)
        .await?;
    context.own_lease.begin(&holder, sent);
    Ok(())
}

/// Runs until the process stops and its runners have finished their steps.
pub async fn run(context: Arc<Context>) {
    let running = async {
        tokio::join!(renew_often(&context), give_up_in_time(&context));
    };
    let stopped = async {
        context.shutdown.token.cancelled().await;
        while !context.active_jobs.is_empty() {
            tokio::time::sleep(LAST_STEPS).await;
        }
    };
    tokio::select! {
        () = running => {}
        () = stopped => {}
    }
}

async fn renew_often(context: &Arc<Context>) {
    let mut tick = tokio::time::interval(context.lease / 3);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        if let Err(error) = renew(context).await {
            tracing::warn!(%error, "could not renew the lease");
        }
    }
}

/// Ends the lease when its time has passed, even while a renewal waits for the database.
async fn give_up_in_time(context: &Context) {
    let own = &context.own_lease;
    loop {
        let look_again = Instant::now() + context.lease / 10;
        tokio::time::sleep_until(own.until().unwrap_or(look_again)).await;
        if own.end_if_over() {
            tracing::error!("the lease could not be renewed in time: all runners are dropped");
        }
    }
}

async fn renew(context: &Arc<Context>) -> Result<(), StoreError> {
    let own = &context.own_lease;
    let Some(holder) = own.holder() else {
        own.end_if_over();
        return begin_anew(context).await;
    };
    let before = context.active_jobs.snapshot();
    let sent = Instant::now();
    // A connection that is cut without a word would hold the renewal up for minutes. The limit
    // leaves time for another try before the lease is over.
    let renewed = context.store.renew(&holder, context.lease);
    match tokio::time::timeout(context.lease / 4, renewed).await {
        Ok(Ok(())) => own.renewed(&holder, sent),
        Ok(Err(StoreError::LeaseLost)) => {
            own.end(&holder);
            return begin_anew(context).await;
        }
        Ok(Err(error)) => return Err(error),
        Err(_) => {
            tracing::warn!("could not renew the lease: the database does not respond");
            return Ok(());
        }
    }
    if context.shutdown.token.is_cancelled() {
        return Ok(());
    }
    let looked = look_at_jobs(context, &holder, &before);
    let looked = tokio::time::timeout(context.lease.min(LOOK_WITHIN) / 2, looked);
    looked.await.unwrap_or_else(|_| {
        tracing::warn!(
            "the database does not respond: the jobs are looked at after the next renewal"
        );
        Ok(())
    })
}

async fn begin_anew(context: &Context) -> Result<(), StoreError> {
    if context.shutdown.token.is_cancelled() {
        return Ok(());
    }
    begin(context).await?;
    tracing::warn!("the lease was lost; another one has begun");
    Ok(())
}

/// `before` are the jobs that ran here before the renewal.
async fn look_at_jobs(
    context: &Arc<Context>,
    holder: &LeaseHolder,
    before: &HashMap<JobId, i64>,
) -> Result<(), StoreError> {
    let found = context.store.leases(holder).await?;
    for error in &found.unreadable {
        intake::unreadable_row(error);
    }
    let leases = &found.leases;
    let still: HashMap<JobId, i64> = leases.iter().map(|l| (l.id.clone(), l.fence)).collect();
    context.active_jobs.drop_lost(before, &still);
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
