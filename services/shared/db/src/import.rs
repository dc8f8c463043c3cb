//! Writing rows that come from another database. Everything else uses [`Store`]'s own
//! methods, which keep the rules that a row here may break.

use std::collections::BTreeSet;

use sea_orm::{
    ActiveModelTrait, ColumnTrait as _, ConnectionTrait, EntityTrait, Iterable as _,
    PaginatorTrait as _, PrimaryKeyToColumn as _, QueryFilter as _, QuerySelect as _,
};

use crate::{Store, StoreError};
pub use crate::{
    convert::{storable, write_json},
    entity::{event, folder, job, log, refresh_token, template},
};

/// Rows per statement; databases limit its parameters and its length.
const ROWS_PER_STATEMENT: usize = 100;

/// Jobs with their events and logs.
#[derive(Debug, Clone, Default)]
pub struct JobBatch {
    /// The jobs.
    pub jobs: Vec<job::ActiveModel>,
    /// Their events, in the order in which they happened.
    pub events: Vec<event::ActiveModel>,
    /// Their logs, in the order in which they were written.
    pub logs: Vec<log::ActiveModel>,
}

/// Inserts rows of another database into a store.
#[derive(Debug, Clone, Copy)]
pub struct Importer<'a> {
    store: &'a Store,
}

impl<'a> Importer<'a> {
    /// An importer that writes to `store`.
    pub fn new(store: &'a Store) -> Self {
        Self { store }
    }

    /// Counts the rows of a table.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the database does not respond.
    pub async fn count<E>(&self) -> Result<u64, StoreError>
    where
        E: EntityTrait<Model: Sync>,
    {
        Ok(E::find().count(&self.store.connection).await?)
    }

    /// Returns those of `keys` that a table already has.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the database does not respond.
    pub async fn existing_keys<E: EntityTrait>(
        &self,
        keys: &[String],
    ) -> Result<BTreeSet<String>, StoreError> {
        let Some(key) = E::PrimaryKey::iter().next().map(|key| key.into_column()) else {
            return Ok(BTreeSet::new());
        };
        let existing: Vec<String> = E::find()
            .select_only()
            .column(key)
            .filter(key.is_in(keys))
            .into_tuple()
            .all(&self.store.connection)
            .await?;
        Ok(existing.into_iter().collect())
    }

    /// Inserts rows of one table, all or none.
    ///
    /// # Errors
    /// [`StoreError`] if a row exists already or the database does not respond.
    pub async fn insert_rows<A>(&self, rows: &[A]) -> Result<(), StoreError>
    where
        A: ActiveModelTrait + Clone + Send + Sync,
    {
        self.store
            .write(|transaction| async move { insert(&*transaction, rows).await })
            .await
    }

    /// Inserts jobs with their events and logs, all or none.
    ///
    /// # Errors
    /// [`StoreError`] if a job exists already or the database does not respond.
    pub async fn insert_jobs(&self, batch: &JobBatch) -> Result<(), StoreError> {
        self.store
            .write(|transaction| async move {
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
    for rows in rows.chunks(ROWS_PER_STATEMENT) {
        <A::Entity as EntityTrait>::insert_many(rows.iter().cloned())
            .exec_without_returning(transaction)
            .await?;
    }
    Ok(())
}
