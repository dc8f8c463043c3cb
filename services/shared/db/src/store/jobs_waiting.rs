//! The queue, as the rows have it.

use compute_domain::{
    Timestamp,
    ids::JobId,
    job::{Intent, State},
};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, ExprTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, Select,
};

use super::leased_states;
use crate::{Store, StoreError, entity::job};

/// A job that waits for a maintainer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The job.
    pub id: JobId,
    /// Submitted by its owner at.
    pub submitted_at: Timestamp,
}

impl Store {
    /// Jobs that wait for a maintainer of `hpc`, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] if they could not be read.
    pub async fn queued_on(&self, hpc: &str, limit: u64) -> Result<Vec<Waiting>, StoreError> {
        self.waiting(queued(hpc).limit(limit)).await
    }

    /// Whether a job waits there that its owner has not paused.
    ///
    /// # Errors
    /// [`StoreError`] if it is not known.
    pub async fn is_any_queued_on(&self, hpc: &str) -> Result<bool, StoreError> {
        let unpaused = queued(hpc).filter(job::Column::Intent.is_null());
        Ok(!self.waiting(unpaused.limit(1)).await?.is_empty())
    }

    /// Those whose owner wants them cancelled.
    ///
    /// # Errors
    /// [`StoreError`] if they could not be read.
    pub async fn queued_to_cancel(
        &self,
        hpc: &str,
        limit: u64,
    ) -> Result<Vec<Waiting>, StoreError> {
        let wanted = queued(hpc).filter(job::Column::Intent.eq(Intent::Cancel.as_str()));
        self.waiting(wanted.limit(limit)).await
    }

    /// Those that may be taken as soon as a place is free: nobody wants anything else
    /// done with them, and their users have fewer than `per_user` jobs there.
    ///
    /// # Errors
    /// [`StoreError`] if they could not be read.
    pub async fn queued_and_ready(
        &self,
        hpc: &str,
        per_user: u32,
        limit: u64,
    ) -> Result<Vec<Waiting>, StoreError> {
        let full: Vec<String> = job::Entity::find()
            .select_only()
            .column(job::Column::UserId)
            .filter(job::Column::Hpc.eq(hpc))
            .filter(job::Column::State.is_in(leased_states()))
            .group_by(job::Column::UserId)
            .having(job::Column::Id.count().gte(per_user))
            .into_tuple()
            .all(&self.connection)
            .await?;
        let ready = queued(hpc)
            .filter(job::Column::Intent.is_null())
            .filter(job::Column::UserId.is_not_in(full));
        self.waiting(ready.limit(limit)).await
    }

    async fn waiting(&self, jobs: Select<job::Entity>) -> Result<Vec<Waiting>, StoreError> {
        let rows = jobs
            .select_only()
            .columns([job::Column::Id, job::Column::SubmittedAt])
            .into_tuple::<(String, Option<i64>)>()
            .all(&self.connection)
            .await?;
        Ok(rows
            .into_iter()
            .map(|(id, submitted_at)| Waiting {
                id: JobId::from_text(id),
                submitted_at: Timestamp::from_millis(submitted_at.unwrap_or_default()),
            })
            .collect())
    }
}

fn queued(hpc: &str) -> Select<job::Entity> {
    job::Entity::find()
        .filter(job::Column::Hpc.eq(hpc))
        .filter(job::Column::State.eq(State::Queued.as_str()))
        .order_by_asc(job::Column::SubmittedAt)
        .order_by_asc(job::Column::Id)
}
