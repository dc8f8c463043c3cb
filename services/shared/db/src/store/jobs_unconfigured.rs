//! Open jobs on HPCs that are not in the configuration (any more): no maintainer serves them.

use compute_domain::{
    ids::JobId,
    job::{Intent, NewEvent, State},
};
use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, PaginatorTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, Select,
};

use super::{events, job_statistics::open_states, lease_rules::expired};
use crate::{
    Store, StoreError,
    entity::{event, job},
};

/// A job on an HPC that is not configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnconfiguredJob {
    /// The job.
    pub id: JobId,
    /// Its HPC.
    pub hpc: String,
}

impl Store {
    /// Open jobs on other HPCs than `hpcs`, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] if they could not be read.
    pub async fn open_jobs_outside(
        &self,
        hpcs: &[&str],
        limit: u64,
    ) -> Result<Vec<UnconfiguredJob>, StoreError> {
        let rows = outside(hpcs)
            .select_only()
            .columns([job::Column::Id, job::Column::Hpc])
            .limit(limit)
            .into_tuple::<(String, String)>()
            .all(&self.connection)
            .await?;
        let jobs = rows.into_iter().map(|(id, hpc)| UnconfiguredJob {
            id: JobId::from_text(id),
            hpc,
        });
        Ok(jobs.collect())
    }

    /// Number of open jobs on other HPCs than `hpcs`.
    ///
    /// # Errors
    /// [`StoreError`] if they could not be counted.
    pub async fn count_open_jobs_outside(&self, hpcs: &[&str]) -> Result<u64, StoreError> {
        Ok(outside(hpcs).count(&self.connection).await?)
    }

    /// Number of open jobs whose maintainer is not one of `maintainers`, on `hpcs`.
    ///
    /// # Errors
    /// [`StoreError`] if they could not be counted.
    pub async fn open_jobs_without_maintainer(
        &self,
        hpcs: &[&str],
        maintainers: &[&str],
    ) -> Result<u64, StoreError> {
        let jobs = job::Entity::find()
            .select_only()
            .column(job::Column::Id)
            .filter(job::Column::Hpc.is_in(hpcs.iter().copied()))
            .filter(job::Column::State.is_in(open_states()))
            .filter(job::Column::Maintainer.is_not_in(maintainers.iter().copied()));
        Ok(jobs.count(&self.connection).await?)
    }

    /// Those of [`Store::open_jobs_outside`] that are to be cancelled, and whose lease
    /// nobody holds.
    ///
    /// # Errors
    /// [`StoreError`] if they could not be read.
    pub async fn to_cancel_outside(
        &self,
        hpcs: &[&str],
        limit: u64,
    ) -> Result<Vec<JobId>, StoreError> {
        let free = Condition::any()
            .add(job::Column::State.eq(State::Queued.as_str()))
            .add(expired(&self.lease_now()));
        let ids = outside(hpcs)
            .select_only()
            .column(job::Column::Id)
            .filter(job::Column::Intent.eq(Intent::Cancel.as_str()))
            .filter(free)
            .limit(limit)
            .into_tuple::<String>()
            .all(&self.connection)
            .await?;
        Ok(ids.into_iter().map(JobId::from_text).collect())
    }

    /// Writes `event` of an open job, unless the job has one of the same type and message;
    /// false if it has, or is not open.
    ///
    /// # Errors
    /// [`StoreError`] if it was not written, or it is not known whether it was.
    pub async fn add_event_once(&self, id: &JobId, event: &NewEvent) -> Result<bool, StoreError> {
        let now = self.now();
        self.write(|transaction| async move {
            let open: Option<String> = job::Entity::find_by_id(id.as_str())
                .select_only()
                .column(job::Column::Id)
                .filter(job::Column::State.is_in(open_states()))
                .lock_exclusive()
                .into_tuple()
                .one(&*transaction)
                .await?;
            let same = event::Entity::find()
                .select_only()
                .column(event::Column::Message)
                .filter(event::Column::JobId.eq(id.as_str()))
                .filter(event::Column::Kind.eq(event.kind.as_str()))
                .into_tuple::<String>()
                .all(&*transaction)
                .await?;
            if open.is_none() || same.contains(&event.message) {
                return Ok(false);
            }
            events::insert_event(&*transaction, id, event, now).await?;
            Ok(true)
        })
        .await
    }
}

fn outside(hpcs: &[&str]) -> Select<job::Entity> {
    job::Entity::find()
        .filter(job::Column::Hpc.is_not_in(hpcs.iter().copied()))
        .filter(job::Column::State.is_in(open_states()))
        .order_by_asc(job::Column::SubmittedAt)
        .order_by_asc(job::Column::Id)
}
