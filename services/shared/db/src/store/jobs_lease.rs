//! Leases: keeping them, giving them back, finding those that have run out.

use std::time::Duration;

use compute_domain::{
    ids::{JobId, MaintainerId, UserId},
    job::Intent,
};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    sea_query::Expr,
};

use super::{carried_states, jobs_claim::expired};
use crate::{Store, StoreError, convert::read_intent, entity::job};

/// A job that a maintainer carries, and what its owner wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CarriedRow {
    /// The job.
    pub id: JobId,
    /// Its fence.
    pub fence: i64,
    /// What its owner wants done.
    pub intent: Option<Intent>,
    /// Who wants so.
    pub intent_by: Option<UserId>,
}

impl Store {
    /// Renews all leases of `owner`, and tells what it carries, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] if they were not renewed, or it is not known whether they were.
    pub async fn renew(
        &self,
        owner: &MaintainerId,
        lease: Duration,
    ) -> Result<Vec<CarriedRow>, StoreError> {
        let until = self.now().plus(lease);
        self.write(|transaction| async move {
            job::Entity::update_many()
                .col_expr(job::Column::LeaseUntil, Expr::value(Some(until.millis())))
                .filter(job::Column::Owner.eq(owner.as_str()))
                .filter(job::Column::State.is_in(carried_states()))
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
                .filter(job::Column::Owner.eq(owner.as_str()))
                .filter(job::Column::State.is_in(carried_states()))
                .order_by_asc(job::Column::SubmittedAt)
                .order_by_asc(job::Column::Id)
                .into_tuple::<(String, i64, Option<String>, Option<String>)>()
                .all(&*transaction)
                .await?;
            rows.into_iter().map(carried_row).collect()
        })
        .await
    }

    /// Ends all leases of `owner` now, so that others can go on with its jobs at
    /// once; the number of them.
    ///
    /// # Errors
    /// [`StoreError`] if they were not ended, or it is not known whether they were.
    pub async fn release(&self, owner: &MaintainerId) -> Result<u64, StoreError> {
        let now = self.now();
        self.write(|transaction| async move {
            let released = job::Entity::update_many()
                .col_expr(job::Column::LeaseUntil, Expr::value(Some(now.millis())))
                .filter(job::Column::Owner.eq(owner.as_str()))
                .filter(job::Column::State.is_in(carried_states()))
                .exec(&*transaction)
                .await?;
            Ok(released.rows_affected)
        })
        .await
    }

    /// Jobs on `hpc` whose lease has run out, those that waited longest first.
    ///
    /// # Errors
    /// [`StoreError`] if they could not be read.
    pub async fn expired_on(&self, hpc: &str, limit: u64) -> Result<Vec<JobId>, StoreError> {
        let ids = job::Entity::find()
            .select_only()
            .column(job::Column::Id)
            .filter(job::Column::Hpc.eq(hpc))
            .filter(job::Column::State.is_in(carried_states()))
            .filter(expired(self.now().millis()))
            .order_by_asc(job::Column::LeaseUntil)
            .limit(limit)
            .into_tuple::<String>()
            .all(&self.connection)
            .await?;
        Ok(ids.into_iter().map(JobId::from_text).collect())
    }
}

fn carried_row(
    (id, fence, intent, intent_by): (String, i64, Option<String>, Option<String>),
) -> Result<CarriedRow, StoreError> {
    Ok(CarriedRow {
        intent: intent.map(|name| read_intent(&id, &name)).transpose()?,
        intent_by: intent_by.map(UserId::from_text),
        id: JobId::from_text(id),
        fence,
    })
}
