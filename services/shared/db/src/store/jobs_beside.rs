//! Jobs that use each other's folders.

use compute_domain::{
    ids::{FolderId, JobId},
    job::Job,
};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, QueryFilter as _,
    QueryOrder as _,
};

use super::jobs_figures::open_states;
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
    pub async fn job_beside(
        &self,
        job: &Job,
        keeps_read_only: bool,
    ) -> Result<Option<JobId>, StoreError> {
        find_beside(&self.connection, job, keeps_read_only).await
    }
}

pub(super) async fn find_beside(
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
    let others = job::Entity::find()
        .filter(job::Column::UserId.eq(job.user_id.as_str()))
        .filter(job::Column::State.is_in(open_states()))
        .filter(job::Column::Id.ne(job.id.as_str()))
        .filter(shares)
        .order_by_asc(job::Column::Id)
        .all(connection)
        .await?;
    if others.is_empty() {
        return Ok(None);
    }
    let data_is_writable = match &job.remote_data_folder_id {
        Some(data) => !keeps_read_only || is_writable(connection, data).await?,
        None => false,
    };
    for row in others {
        let other = Job::try_from(row)?;
        if job.shares_what_is_written(&other, data_is_writable) {
            return Ok(Some(other.id));
        }
    }
    Ok(None)
}

async fn is_writable(connection: &impl ConnectionTrait, id: &FolderId) -> Result<bool, StoreError> {
    let folder = folder::Entity::find_by_id(id.as_str())
        .one(connection)
        .await?;
    Ok(folder.is_some_and(|folder| folder.is_writable))
}
