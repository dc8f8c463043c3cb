//! The queue, as the rows have it.

use compute_domain::{
    Timestamp,
    ids::JobId,
    job::{Intent, State},
};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};

use crate::{Store, StoreError, convert::read_intent, entity::job};

/// A job that waits for a maintainer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The job.
    pub id: JobId,
    /// Submitted by its owner at.
    pub submitted_at: Timestamp,
    /// What its owner wants done.
    pub intent: Option<Intent>,
}

impl Store {
    /// Jobs that wait for a maintainer of `hpc`, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] if they could not be read.
    pub async fn queued_on(&self, hpc: &str, limit: u64) -> Result<Vec<Waiting>, StoreError> {
        let rows = job::Entity::find()
            .select_only()
            .columns([
                job::Column::Id,
                job::Column::SubmittedAt,
                job::Column::Intent,
            ])
            .filter(job::Column::Hpc.eq(hpc))
            .filter(job::Column::State.eq(State::Queued.as_str()))
            .order_by_asc(job::Column::SubmittedAt)
            .order_by_asc(job::Column::Id)
            .limit(limit)
            .into_tuple::<(String, Option<i64>, Option<String>)>()
            .all(&self.connection)
            .await?;
        rows.into_iter()
            .map(|(id, submitted_at, intent)| {
                Ok(Waiting {
                    intent: intent.map(|name| read_intent(&id, &name)).transpose()?,
                    submitted_at: Timestamp::from_millis(submitted_at.unwrap_or_default()),
                    id: JobId::from_text(id),
                })
            })
            .collect()
    }
}
