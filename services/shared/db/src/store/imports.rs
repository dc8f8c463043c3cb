//! Writing rows that come from another database.

use std::collections::BTreeSet;

use sea_orm::{
    ActiveModelTrait, ColumnTrait as _, ConnectionTrait, EntityTrait, Iterable as _,
    PaginatorTrait as _, PrimaryKeyToColumn as _, QueryFilter as _, QuerySelect as _,
};

use crate::{
    Store, StoreError,
    entity::{event, job, log},
};

/// Rows in one statement; databases limit its parameters and its length.
const AT_ONCE: usize = 100;

/// Jobs with everything that is said about them.
#[derive(Debug, Clone, Default)]
pub(crate) struct JobBatch {
    pub(crate) jobs: Vec<job::ActiveModel>,
    /// In the order in which they happened, job by job.
    pub(crate) events: Vec<event::ActiveModel>,
    /// In their order, job by job.
    pub(crate) logs: Vec<log::ActiveModel>,
}

impl Store {
    /// Number of rows of a table.
    pub(crate) async fn rows_of<E>(&self) -> Result<u64, StoreError>
    where
        E: EntityTrait<Model: Sync>,
    {
        Ok(E::find().count(&self.connection).await?)
    }

    /// Which of these keys a table has.
    pub(crate) async fn present<E: EntityTrait>(
        &self,
        keys: &[String],
    ) -> Result<BTreeSet<String>, StoreError> {
        let Some(key) = E::PrimaryKey::iter().next().map(|key| key.into_column()) else {
            return Ok(BTreeSet::new());
        };
        let present: Vec<String> = E::find()
            .select_only()
            .column(key)
            .filter(key.is_in(keys))
            .into_tuple()
            .all(&self.connection)
            .await?;
        Ok(present.into_iter().collect())
    }

    /// Writes rows of one table, all or none.
    pub(crate) async fn insert_rows<A>(&self, rows: &[A]) -> Result<(), StoreError>
    where
        A: ActiveModelTrait + Clone + Send + Sync,
    {
        self.write(|transaction| async move { insert(&*transaction, rows).await })
            .await
    }

    /// Writes jobs with their events and logs, all or none.
    pub(crate) async fn insert_jobs(&self, batch: &JobBatch) -> Result<(), StoreError> {
        self.write(|transaction| async move {
            insert(&*transaction, &batch.jobs).await?;
            insert(&*transaction, &batch.events).await?;
            insert(&*transaction, &batch.logs).await
        })
        .await
    }
}

async fn insert<A>(transaction: &impl ConnectionTrait, rows: &[A]) -> Result<(), StoreError>
where
    A: ActiveModelTrait + Clone + Send + Sync,
{
    for rows in rows.chunks(AT_ONCE) {
        <A::Entity as EntityTrait>::insert_many(rows.iter().cloned())
            .exec_without_returning(transaction)
            .await?;
    }
    Ok(())
}
