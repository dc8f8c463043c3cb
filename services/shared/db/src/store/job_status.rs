//! Where jobs stand that an HPC says it has.

use compute_domain::{Timestamp, ids::JobId, job::State};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QuerySelect as _};

use crate::{Store, StoreError, entity::job};

/// Ids in one query.
const AT_ONCE: usize = 500;

/// Where a job stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobStatus {
    /// The job.
    pub id: JobId,
    /// Its state; `None` if the row holds no name of a state.
    pub state: Option<State>,
    /// Slurm's id, if it has been accepted.
    pub slurm_id: Option<String>,
    /// Changed at.
    pub updated_at: Option<Timestamp>,
}

impl Store {
    /// Those of `ids` that are jobs of anybody, in no particular order.
    ///
    /// # Errors
    /// [`StoreError`] if they could not be read.
    pub async fn job_status(&self, ids: &[JobId]) -> Result<Vec<JobStatus>, StoreError> {
        let mut found = Vec::with_capacity(ids.len());
        for ids in ids.chunks(AT_ONCE) {
            let rows = job::Entity::find()
                .select_only()
                .columns([
                    job::Column::Id,
                    job::Column::State,
                    job::Column::SlurmId,
                    job::Column::UpdatedAt,
                ])
                .filter(job::Column::Id.is_in(ids.iter().map(JobId::as_str)))
                .into_tuple::<(String, String, Option<String>, Option<i64>)>()
                .all(&self.connection)
                .await?;
            for (id, state, slurm_id, updated_at) in rows {
                found.push(JobStatus {
                    state: state.parse().ok(),
                    id: JobId::from_text(id),
                    slurm_id,
                    updated_at: updated_at.map(Timestamp::from_millis),
                });
            }
        }
        Ok(found)
    }
}
