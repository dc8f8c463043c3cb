//! Leases: renewing them, giving them back, finding those that have expired.

use std::time::Duration;

use compute_domain::{
    ids::{JobId, MaintainerId, UserId},
    job::Intent,
};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    sea_query::Expr,
};

use super::{jobs_claim::expired, leased_states};
use crate::{Store, StoreError, convert::read_intent, entity::job};

/// A lease that a maintainer holds, and what the job's owner wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseRow {
    /// The job.
    pub id: JobId,
    /// Its fence.
    pub fence: i64,
    /// What its owner wants done.
    pub intent: Option<Intent>,
    /// Who wants so.
    pub intent_by: Option<UserId>,
}

/// The leases that were renewed.
#[derive(Debug, Default)]
pub struct Renewed {
    /// All of them, oldest job first. A job whose intent cannot be read has none here.
    pub leases: Vec<LeaseRow>,
    /// The intents that cannot be read.
    pub unreadable: Vec<StoreError>,
}

impl Store {
    /// Renews all leases of `holder` and lists them, oldest job first. An intent that
    /// cannot be read does not undo the renewal.
    ///
    /// # Errors
    /// [`StoreError`] if they were not renewed, or it is not known whether they were.
    pub async fn renew(
        &self,
        holder: &MaintainerId,
        lease: Duration,
    ) -> Result<Renewed, StoreError> {
        let until = self.now().plus(lease);
        self.write(|transaction| async move {
            job::Entity::update_many()
                .col_expr(job::Column::LeaseUntil, Expr::value(Some(until.millis())))
                .filter(job::Column::LeaseHolder.eq(holder.as_str()))
                .filter(job::Column::State.is_in(leased_states()))
                .exec(&*transaction)
                .await?;
            let rows = job::Entity::find()
                .select_only()
                .columns([
                    job::Column::Id,
                    job::Column::Fence,
                    job::Column::Intent,
                    job::Column::IntentBy,
                ])
                .filter(job::Column::LeaseHolder.eq(holder.as_str()))
                .filter(job::Column::State.is_in(leased_states()))
                .order_by_asc(job::Column::SubmittedAt)
                .order_by_asc(job::Column::Id)
                .into_tuple::<Row>()
                .all(&*transaction)
                .await?;
            Ok(renewed(rows))
        })
        .await
    }

    /// Ends all leases of `holder` now, so that others can go on with its jobs at
    /// once; the number of them.
    ///
    /// # Errors
    /// [`StoreError`] if they were not ended, or it is not known whether they were.
    pub async fn release(&self, holder: &MaintainerId) -> Result<u64, StoreError> {
        let now = self.now();
        self.write(|transaction| async move {
            let released = job::Entity::update_many()
                .col_expr(job::Column::LeaseUntil, Expr::value(Some(now.millis())))
                .filter(job::Column::LeaseHolder.eq(holder.as_str()))
                .filter(job::Column::State.is_in(leased_states()))
                .exec(&*transaction)
                .await?;
            Ok(released.rows_affected)
        })
        .await
    }

    /// Jobs on `hpc` whose lease has expired, longest ago first.
    ///
    /// # Errors
    /// [`StoreError`] if they could not be read.
    pub async fn expired_on(&self, hpc: &str, limit: u64) -> Result<Vec<JobId>, StoreError> {
        let ids = job::Entity::find()
            .select_only()
            .column(job::Column::Id)
            .filter(job::Column::Hpc.eq(hpc))
            .filter(job::Column::State.is_in(leased_states()))
            .filter(expired(self.now().millis()))
            .order_by_asc(job::Column::LeaseUntil)
            .limit(limit)
            .into_tuple::<String>()
            .all(&self.connection)
            .await?;
        Ok(ids.into_iter().map(JobId::from_text).collect())
    }
}

type Row = (String, i64, Option<String>, Option<String>);

fn renewed(rows: Vec<Row>) -> Renewed {
    let mut renewed = Renewed::default();
    for (id, fence, intent, intent_by) in rows {
        let intent = match intent.map(|name| read_intent(&id, &name)).transpose() {
            Ok(intent) => intent,
            Err(error) => {
                renewed.unreadable.push(error);
                None
            }
        };
        renewed.leases.push(LeaseRow {
            intent,
            intent_by: intent_by.map(UserId::from_text),
            id: JobId::from_text(id),
            fence,
        });
    }
    renewed
}
