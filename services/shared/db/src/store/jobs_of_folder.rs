//! Jobs that write to a folder.

use compute_domain::{
    ids::{JobId, UserId},
    job::Folder,
};
use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};

use super::jobs_figures::open_states;
use crate::{Store, StoreError, entity::job};

impl Store {
    /// A job of the user that is submitted and not over, and that may write to
    /// `folder`: its program, a copy of it or its results are there, or it has its data there and
    /// the folder is writable.
    ///
    /// # Errors
    /// [`StoreError`] if it is not known.
    pub async fn job_writing_to(
        &self,
        user: &UserId,
        folder: &Folder,
    ) -> Result<Option<JobId>, StoreError> {
        let id = folder.id.as_str();
        let mut writes = Condition::any()
            .add(job::Column::RemoteExecutableFolderId.eq(id))
            .add(job::Column::ExecutableCopyId.eq(id))
            .add(job::Column::RemoteResultFolderId.eq(id));
        if folder.is_writable {
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
            .one(&self.connection)
            .await?;
        Ok(writing.map(JobId::from_text))
    }
}
