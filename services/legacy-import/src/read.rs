//! Reading the legacy database in batches, by primary key.

use std::collections::BTreeMap;

use compute_db::StoreError;
use sea_orm::{
    ColumnTrait as _, DatabaseConnection, EntityTrait, PaginatorTrait as _,
    PrimaryKeyToColumn as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, Value,
};
use secrecy::SecretString;

use crate::connect;
use crate::tables::{event, log};

/// The database of the legacy server.
#[derive(Debug, Clone)]
pub struct LegacyDatabase {
    connection: DatabaseConnection,
}

impl LegacyDatabase {
    /// The database at `url`, `mysql://USER@HOST:PORT/DATABASE`, with this password.
    ///
    /// # Errors
    /// [`StoreError::Address`] if it is no such address, or holds a password itself;
    /// [`StoreError::Unavailable`] if it does not answer.
    pub async fn connect(url: &str, password: Option<&SecretString>) -> Result<Self, StoreError> {
        let connection = connect::open(url, password).await?;
        connection.ping().await?;
        Ok(Self { connection })
    }

    pub(crate) async fn count<E: EntityTrait>(&self) -> Result<u64, StoreError>
    where
        E::Model: Sync,
    {
        Ok(E::find().count(&self.connection).await?)
    }

    /// The next rows after the one with the primary key `after`.
    pub(crate) async fn page<E: EntityTrait>(
        &self,
        after: Option<String>,
        rows: u64,
    ) -> Result<Vec<E::Model>, StoreError> {
        let Some(key) = key_of::<E>() else {
            return Ok(Vec::new());
        };
        let mut page = E::find().order_by_asc(key).limit(rows);
        if let Some(after) = after {
            page = page.filter(key.gt(Value::from(after)));
        }
        Ok(page.all(&self.connection).await?)
    }

    /// Events of those jobs, in the order in which they happened.
    pub(crate) async fn events(
        &self,
        jobs: &[String],
    ) -> Result<BTreeMap<String, Vec<event::Model>>, StoreError> {
        let rows = event::Entity::find()
            .filter(event::Column::JobId.is_in(jobs))
            .order_by_asc(event::Column::CreatedAt)
            .order_by_asc(event::Column::Id)
            .all(&self.connection)
            .await?;
        let mut events = BTreeMap::<_, Vec<_>>::new();
        for row in rows {
            events.entry(row.job_id.clone()).or_default().push(row);
        }
        Ok(events)
    }

    /// Logs of those jobs, in the order in which they were written.
    pub(crate) async fn logs(
        &self,
        jobs: &[String],
    ) -> Result<BTreeMap<String, Vec<log::Model>>, StoreError> {
        let rows = log::Entity::find()
            .filter(log::Column::JobId.is_in(jobs))
            .order_by_asc(log::Column::CreatedAt)
            .order_by_asc(log::Column::Id)
            .all(&self.connection)
            .await?;
        let mut logs = BTreeMap::<_, Vec<_>>::new();
        for row in rows {
            logs.entry(row.job_id.clone()).or_default().push(row);
        }
        Ok(logs)
    }
}

/// The one column of the primary key.
fn key_of<E: EntityTrait>() -> Option<E::Column> {
    use sea_orm::Iterable as _;
    E::PrimaryKey::iter().next().map(|key| key.into_column())
}
