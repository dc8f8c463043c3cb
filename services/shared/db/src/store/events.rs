//! Events and logs. Ordered by id: writers of one job's events hold the lock of
//! its row, so ids grow in the order in which things happened.

use compute_domain::{Timestamp, ids::JobId, job::NewEvent};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _, Set,
};

use crate::{
    Store, StoreError,
    convert::storable,
    entity::{event, log},
};

/// An event that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRow {
    /// Its id; later events have greater ones.
    pub id: i64,
    /// The job it is about.
    pub job_id: JobId,
    /// Its type, e.g. `JOB_QUEUED`.
    pub kind: String,
    /// What it says.
    pub message: String,
    /// Made at.
    pub created_at: Timestamp,
    /// Changed at.
    pub updated_at: Option<Timestamp>,
    /// Deleted at.
    pub deleted_at: Option<Timestamp>,
}

/// A log that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRow {
    /// Its id; later logs have greater ones.
    pub id: i64,
    /// The job it is of.
    pub job_id: JobId,
    /// What it says.
    pub message: String,
    /// Made at.
    pub created_at: Timestamp,
    /// Changed at.
    pub updated_at: Option<Timestamp>,
    /// Deleted at.
    pub deleted_at: Option<Timestamp>,
}

impl Store {
    /// Events of a job, oldest first. The caller has checked whose it is.
    ///
    /// # Errors
    /// [`StoreError`] if they could not be read.
    pub async fn events_of(&self, id: &JobId) -> Result<Vec<EventRow>, StoreError> {
        let rows = event::Entity::find()
            .filter(event::Column::JobId.eq(id.as_str()))
            .filter(event::Column::DeletedAt.is_null())
            .order_by_asc(event::Column::Id)
            .all(&self.connection)
            .await?;
        Ok(rows.into_iter().map(EventRow::from).collect())
    }

    /// Logs of a job, oldest first. The caller has checked whose it is.
    ///
    /// # Errors
    /// [`StoreError`] if they could not be read.
    pub async fn logs_of(&self, id: &JobId) -> Result<Vec<LogRow>, StoreError> {
        let rows = log::Entity::find()
            .filter(log::Column::JobId.eq(id.as_str()))
            .filter(log::Column::DeletedAt.is_null())
            .order_by_asc(log::Column::Id)
            .all(&self.connection)
            .await?;
        Ok(rows.into_iter().map(LogRow::from).collect())
    }
}

/// Writes an event of a job whose row the transaction has locked.
pub(super) async fn insert_event(
    transaction: &impl ConnectionTrait,
    job: &JobId,
    event: &NewEvent,
    now: Timestamp,
) -> Result<(), StoreError> {
    let row = event::ActiveModel {
        job_id: Set(job.to_string()),
        kind: Set(event.kind.as_str().to_owned()),
        message: Set(storable(&event.message)),
        created_at: Set(now.millis()),
        ..Default::default()
    };
    event::Entity::insert(row)
        .exec_without_returning(transaction)
        .await?;
    Ok(())
}

/// Writes a log of a job whose row the transaction has locked.
pub(super) async fn insert_log(
    transaction: &impl ConnectionTrait,
    job: &JobId,
    message: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let row = log::ActiveModel {
        job_id: Set(job.to_string()),
        message: Set(storable(message)),
        created_at: Set(now.millis()),
        ..Default::default()
    };
    log::Entity::insert(row)
        .exec_without_returning(transaction)
        .await?;
    Ok(())
}
