//! Jobs whose lease has expired: their maintainer is gone. They go on from their step.

use std::sync::Arc;

use compute_db::StoreError;

use super::{leave_out_row, start};
use crate::context::Context;

/// Takes over up to `limit` jobs of `hpc`.
///
/// # Errors
/// [`StoreError`] if the database fails. A job whose row cannot be read is left out.
pub(super) async fn take_over(
    context: &Arc<Context>,
    hpc: &str,
    limit: u64,
) -> Result<(), StoreError> {
    for id in context.store.expired_on(hpc, limit).await? {
        let holder = context.holder()?;
        let taken = match context.store.take_over(&id, &holder).await {
            Err(error @ StoreError::Conflict(_)) => {
                tracing::warn!(job.id = %id, %error, "not taken over: its row is locked; the next sweep tries again");
                continue;
            }
            taken => taken,
        };
        if let Some(Some(job)) = leave_out_row(taken)? {
            start(context, job, false);
        }
    }
    Ok(())
}
