//! Jobs that have each other's programs in their hands.

use compute_domain::{ids::JobId, job::Job};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _,
};

use super::jobs_figures::open_states;
use crate::{Store, StoreError, entity::job};

impl Store {
    /// Another job of the same owner that is submitted and not over, where one of the
    /// two has its program in a folder of the other: whichever runs first could
    /// change what the other is about to run, the batch script included.
    ///
    /// # Errors
    /// [`StoreError`] if it is not known.
    pub async fn job_beside(&self, job: &Job) -> Result<Option<JobId>, StoreError> {
        find_beside(&self.connection, job).await
    }
}

pub(super) async fn find_beside(
    connection: &impl ConnectionTrait,
    job: &Job,
) -> Result<Option<JobId>, StoreError> {
    let program = job.remote_executable_folder_id.as_ref();
    let data = job.remote_data_folder_id.as_ref();
    let of_either = [program, data].into_iter().flatten();
    let mut shared = Condition::any()
        .add(job::Column::RemoteExecutableFolderId.is_in(of_either.map(|folder| folder.as_str())));
    if let Some(program) = program {
        shared = shared
            .add(job::Column::RemoteDataFolderId.eq(program.as_str()))
            .add(job::Column::RemoteResultFolderId.eq(program.as_str()));
    }
    let beside: Option<String> = job::Entity::find()
        .select_only()
        .column(job::Column::Id)
        .filter(job::Column::UserId.eq(job.user_id.as_str()))
        .filter(job::Column::State.is_in(open_states()))
        .filter(job::Column::Id.ne(job.id.as_str()))
        .filter(shared)
        .order_by_asc(job::Column::Id)
        .into_tuple()
        .one(connection)
        .await?;
    Ok(beside.map(JobId::from_text))
}
