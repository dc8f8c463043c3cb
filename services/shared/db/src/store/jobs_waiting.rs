//! The queue, as the rows have it.

use compute_domain::{
    Timestamp,
    ids::{JobId, UserId},
    job::{Intent, Job, State},
};
use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, ExprTrait as _, Order, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, Select,
    sea_query::{Expr, Func, SimpleExpr},
};

use super::leased_states;
use crate::{Store, StoreError, entity::job};

/// A job that waits for a maintainer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The job.
    pub id: JobId,
    /// Its owner.
    pub user_id: UserId,
    /// Submitted by its owner at.
    pub submitted_at: Timestamp,
}

/// Rows that are read whole at once to find out whether they can be read.
const CHECKED_AT_ONCE: usize = 50;

impl Store {
    /// Up to `limit` jobs behind `after` that wait for a maintainer of `hpc`, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] if they could not be read.
    pub async fn queued_on(
        &self,
        hpc: &str,
        after: Option<&Waiting>,
        limit: u64,
    ) -> Result<Vec<Waiting>, StoreError> {
        self.waiting(queued(hpc), after, limit).await
    }

    /// Whether a job waits there that its owner has not paused, and that is none of `except`.
    ///
    /// # Errors
    /// [`StoreError`] if it is not known.
    pub async fn is_any_queued_on(
        &self,
        hpc: &str,
        except: impl IntoIterator<Item = &JobId>,
    ) -> Result<bool, StoreError> {
        let except = except.into_iter().map(JobId::as_str);
        let unpaused = queued(hpc)
            .filter(job::Column::Intent.is_null())
            .filter(job::Column::Id.is_not_in(except));
        Ok(!self.waiting(unpaused, None, 1).await?.is_empty())
    }

    /// Those of [`Store::queued_on`] whose owner wants them cancelled.
    ///
    /// # Errors
    /// [`StoreError`] if they could not be read.
    pub async fn queued_to_cancel(
        &self,
        hpc: &str,
        after: Option<&Waiting>,
        limit: u64,
    ) -> Result<Vec<Waiting>, StoreError> {
        let wanted = queued(hpc).filter(job::Column::Intent.eq(Intent::Cancel.as_str()));
        self.waiting(wanted, after, limit).await
    }

    /// Those of [`Store::queued_on`] that may be taken as soon as a place is free: nobody
    /// wants anything else done with them, and their users have fewer than `per_user` jobs
    /// there.
    ///
    /// # Errors
    /// [`StoreError`] if they could not be read.
    pub async fn queued_and_ready(
        &self,
        hpc: &str,
        per_user: u32,
        after: Option<&Waiting>,
        limit: u64,
    ) -> Result<Vec<Waiting>, StoreError> {
        let full: Vec<String> = job::Entity::find()
            .select_only()
            .column(job::Column::UserId)
            .filter(job::Column::Hpc.eq(hpc))
            .filter(job::Column::State.is_in(leased_states()))
            .group_by(job::Column::UserId)
            .having(job::Column::Id.count().gte(per_user))
            .into_tuple()
            .all(&self.connection)
            .await?;
        let ready = queued(hpc)
            .filter(job::Column::Intent.is_null())
            .filter(job::Column::UserId.is_not_in(full));
        self.waiting(ready, after, limit).await
    }

    /// Those of `ids` whose rows cannot be read, with the reason.
    ///
    /// # Errors
    /// [`StoreError`] if the database does not answer.
    pub async fn unreadable_jobs(
        &self,
        ids: &[JobId],
    ) -> Result<Vec<(JobId, StoreError)>, StoreError> {
        let mut unreadable = Vec::new();
        for some in ids.chunks(CHECKED_AT_ONCE) {
            let rows = job::Entity::find()
                .filter(job::Column::Id.is_in(some.iter().map(JobId::as_str)))
                .all(&self.connection)
                .await
                .map_err(StoreError::from);
            match rows {
                Ok(rows) => {
                    let bad = rows.into_iter().filter_map(|row| {
                        let id = JobId::from_text(row.id.clone());
                        Job::try_from(row).err().map(|error| (id, error))
                    });
                    unreadable.extend(bad);
                }
                Err(error) if error.kind().is_transient() => return Err(error),
                // A value of another type makes all rows of the query unreadable.
                Err(_) => {
                    for id in some {
                        match self.job(id).await {
                            Ok(_) => {}
                            Err(error) if error.kind().is_transient() => return Err(error),
                            Err(error) => unreadable.push((id.clone(), error)),
                        }
                    }
                }
            }
        }
        Ok(unreadable)
    }

    async fn waiting(
        &self,
        mut jobs: Select<job::Entity>,
        after: Option<&Waiting>,
        limit: u64,
    ) -> Result<Vec<Waiting>, StoreError> {
        if let Some(after) = after {
            let submitted_at = after.submitted_at.millis();
            let same_moment = Condition::all()
                .add(submitted().eq(submitted_at))
                .add(job::Column::Id.gt(after.id.as_str()));
            jobs = jobs.filter(
                Condition::any()
                    .add(submitted().gt(submitted_at))
                    .add(same_moment),
            );
        }
        let rows = jobs
            .select_only()
            .columns([job::Column::Id, job::Column::UserId])
            .column(job::Column::SubmittedAt)
            .order_by(submitted(), Order::Asc)
            .order_by_asc(job::Column::Id)
            .limit(limit)
            .into_tuple::<(String, String, Option<i64>)>()
            .all(&self.connection)
            .await?;
        Ok(rows
            .into_iter()
            .map(|(id, user_id, submitted_at)| Waiting {
                id: JobId::from_text(id),
                user_id: UserId::from_text(user_id),
                submitted_at: Timestamp::from_millis(submitted_at.unwrap_or_default()),
            })
            .collect())
    }
}

fn queued(hpc: &str) -> Select<job::Entity> {
    job::Entity::find()
        .filter(job::Column::Hpc.eq(hpc))
        .filter(job::Column::State.eq(State::Queued.as_str()))
}

/// When a job was submitted. Databases differ in where a row without that time stands.
fn submitted() -> SimpleExpr {
    Func::coalesce([Expr::col(job::Column::SubmittedAt), Expr::val(0)]).into()
}
