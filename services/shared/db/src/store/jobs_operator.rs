//! Jobs of everybody: for services and the operator's command only.

use compute_domain::{
    ids::{JobId, UserId},
    job::{Job, State},
};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    QueryTrait as _,
};

use super::may_be_id;
use crate::{Store, StoreError, entity::job};

/// Which jobs an operator wants to see; what is `None` does not matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobFilter {
    /// Of this HPC.
    pub hpc: Option<String>,
    /// In this state.
    pub state: Option<State>,
    /// Of this user.
    pub user: Option<UserId>,
    /// Maximum number of jobs.
    pub limit: u64,
}

impl Store {
    /// The job of that id, of any user.
    ///
    /// # Errors
    /// [`StoreError`] if it could not be read.
    pub async fn job(&self, id: &JobId) -> Result<Option<Job>, StoreError> {
        if !may_be_id(id.as_str()) {
            return Ok(None);
        }
        let row = job::Entity::find_by_id(id.as_str())
            .one(&self.connection)
            .await?;
        row.map(Job::try_from).transpose()
    }

    /// Jobs of everybody, newest first.
    ///
    /// # Errors
    /// [`StoreError`] if they could not be read.
    pub async fn list_jobs(&self, filter: JobFilter) -> Result<Vec<Job>, StoreError> {
        let JobFilter {
            hpc,
            state,
            user,
            limit,
        } = filter;
        let rows = job::Entity::find()
            .apply_if(hpc, |jobs, hpc| jobs.filter(job::Column::Hpc.eq(hpc)))
            .apply_if(state, |jobs, state| {
                jobs.filter(job::Column::State.eq(state.as_str()))
            })
            .apply_if(user, |jobs, user| {
                jobs.filter(job::Column::UserId.eq(user.as_str()))
            })
            .order_by_desc(job::Column::CreatedAt)
            .order_by_desc(job::Column::Id)
            .limit(limit)
            .all(&self.connection)
            .await?;
        rows.into_iter().map(Job::try_from).collect()
    }
}

/// The state of that name, which a job of `hpc` is said to be in.
pub(super) fn read_state(hpc: &str, name: &str) -> Result<State, StoreError> {
    name.parse().map_err(|error| StoreError::Corrupt {
        table: "jobs",
        id: format!("of {hpc}"),
        column: "state",
        reason: format!("{error}"),
    })
}
