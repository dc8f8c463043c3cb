//! Jobs that use each other's folders.

use std::collections::BTreeSet;

use compute_domain::{
    ids::{FolderId, JobId},
    job::Job,
};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _,
};

use super::job_statistics::open_states;
use crate::{
    Store, StoreError,
    entity::{folder, job},
};

impl Store {
    /// Another job of the same owner that is submitted and not over, where one of the
    /// two may write to a folder that the other uses: whichever runs first could change
    /// what the other is about to run or read. `keeps_read_only` says whether programs
    /// there are kept from writing to data that is not writable.
    ///
    /// # Errors
    /// [`StoreError`] if it is not known.
    pub async fn job_sharing_folder(
        &self,
        job: &Job,
        keeps_read_only: bool,
    ) -> Result<Option<JobId>, StoreError> {
        find_job_sharing_folder(&self.connection, job, keeps_read_only).await
    }
}

pub(super) async fn find_job_sharing_folder(
    connection: &impl ConnectionTrait,
    job: &Job,
    keeps_read_only: bool,
) -> Result<Option<JobId>, StoreError> {
    let used = job.used_folders();
    if used.is_empty() {
        return Ok(None);
    }
    let used: Vec<&str> = used.into_iter().map(FolderId::as_str).collect();
    let shares = Condition::any()
        .add(job::Column::RemoteExecutableFolderId.is_in(used.iter().copied()))
        .add(job::Column::RemoteDataFolderId.is_in(used.iter().copied()))
        .add(job::Column::RemoteResultFolderId.is_in(used.iter().copied()))
        .add(job::Column::ExecutableCopyId.is_in(used.iter().copied()));
    let others: Vec<String> = job::Entity::find()
        .select_only()
        .column(job::Column::Id)
        .filter(job::Column::UserId.eq(job.user_id.as_str()))
        .filter(job::Column::State.is_in(open_states()))
        .filter(job::Column::Id.ne(job.id.as_str()))
        .filter(shares)
        .order_by_asc(job::Column::Id)
        .into_tuple()
        .all(connection)
        .await?;
    if others.is_empty() {
        return Ok(None);
    }
    let writable = writable_of(connection, &used).await?;
    let is_writable = |id: &FolderId| !keeps_read_only || writable.contains(id);
    // One after the other: a row can be large.
    for id in others {
        let row = job::Entity::find_by_id(id.as_str()).one(connection).await?;
        let other = match row.map(Job::try_from).transpose() {
            Ok(Some(other)) => other,
            Ok(None) => continue,
            // It names one of the folders, and what it does there is not known.
            Err(error) if error.is_of_one_row() => return Ok(Some(JobId::from_text(id))),
            Err(error) => return Err(error),
        };
        if job.shares_what_is_written(&other, is_writable) {
            return Ok(Some(other.id));
        }
    }
    Ok(None)
}

/// Those of the folders that are writable.
async fn writable_of(
    connection: &impl ConnectionTrait,
    ids: &[&str],
) -> Result<BTreeSet<FolderId>, StoreError> {
    let writable: Vec<String> = folder::Entity::find()
        .select_only()
        .column(folder::Column::Id)
        .filter(folder::Column::Id.is_in(ids.iter().copied()))
        .filter(folder::Column::IsWritable.eq(true))
        .into_tuple()
        .all(connection)
        .await?;
    Ok(writable.into_iter().map(FolderId::from_text).collect())
}
