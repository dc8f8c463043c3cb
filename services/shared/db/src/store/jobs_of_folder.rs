//! Jobs that write to a folder.

use compute_domain::ids::{FolderId, JobId, UserId};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _,
};

use super::{folders::is_writable, job_statistics::open_states};
use crate::{Store, StoreError, entity::job};

impl Store {
    /// A job of the user that is submitted and not over, and that may write to the folder:
    /// its program, a copy of it or its results are there, or its data is, and the folder is
    /// writable or nothing on its HPC keeps programs from writing (`keeps_read_only`).
    ///
    /// # Errors
    /// [`StoreError`] if it is not known.
    pub async fn job_writing_to(
        &self,
        user: &UserId,
        folder: &FolderId,
        keeps_read_only: bool,
    ) -> Result<Option<JobId>, StoreError> {
        find_job_writing_to(&self.connection, user, folder, keeps_read_only).await
    }
}

pub(super) async fn find_job_writing_to(
    connection: &impl ConnectionTrait,
    user: &UserId,
    folder: &FolderId,
    keeps_read_only: bool,
) -> Result<Option<JobId>, StoreError> {
    let id = folder.as_str();
    let mut writes = Condition::any()
        .add(job::Column::RemoteExecutableFolderId.eq(id))
        .add(job::Column::ExecutableCopyId.eq(id))
        .add(job::Column::RemoteResultFolderId.eq(id));
    if !keeps_read_only || is_writable(connection, folder).await? {
        writes = writes.add(job::Column::RemoteDataFolderId.eq(id));
    }
    let writing: Option<String> = job::Entity::find()
        .select_only()
        .column(job::Column::Id)
        .filter(job::Column::UserId.eq(user.as_str()))
        .filter(job::Column::State.is_in(open_states()))
        .filter(writes)
        .order_by_asc(job::Column::Id)
        .into_tuple()
        .one(connection)
        .await?;
    Ok(writing.map(JobId::from_text))
}
