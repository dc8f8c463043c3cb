//! What one user may have. Counted while the user's row in `user_slots` is locked, so
//! that several gateways, or requests at once, cannot each find the last place free.

use std::time::Duration;

use compute_domain::{Timestamp, ids::UserId, job::State};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, ExprTrait as _, PaginatorTrait as _,
    QueryFilter as _, QuerySelect as _, Set, SqlErr,
    sea_query::{Expr, Func, SimpleExpr},
};

use super::job_statistics::{open_states, whole_sum};
use crate::{
    Store, StoreError,
    entity::{job, user_slot},
};

/// Drafts older than this count no more.
const DRAFT_AGE: Duration = Duration::from_hours(24);

/// What one user may have; no limits unless set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserLimits {
    /// Jobs that are submitted and not over.
    pub open_jobs: u64,
    /// Jobs made within a day and not submitted.
    pub drafts: u64,
    /// Bytes that such jobs hold, all together.
    pub draft_bytes: u64,
}

impl Default for UserLimits {
    fn default() -> Self {
        Self {
            open_jobs: u64::MAX,
            drafts: u64::MAX,
            draft_bytes: u64::MAX,
        }
    }
}

/// The limit that a user has reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LimitReached {
    /// Of jobs that are submitted and not over.
    #[error(
        "you have {0} jobs that are not over, which is the limit: wait for one to end, or cancel one"
    )]
    OpenJobs(u64),
    /// Of jobs that are made and not submitted.
    #[error("you have made {0} jobs in a day without submitting them, which is the limit")]
    Drafts(u64),
    /// An open job has the folder bound as it is.
    #[error("an active job has its data in the folder: wait for its end, or cancel it")]
    FolderInUse,
    /// Of bytes in such jobs.
    #[error(
        "the jobs that you have made in a day without submitting them hold more than {0} bytes, \
         which is the limit: submit some, or put large values into a file"
    )]
    DraftBytes(u64),
}

impl Store {
    /// Makes the user's row, outside of the transaction that locks it: on PostgreSQL an
    /// insert that comes second would end that transaction.
    pub(super) async fn make_user_slot(&self, user: &UserId) -> Result<(), StoreError> {
        let slot = user_slot::Entity::find_by_id(user.as_str())
            .one(&self.connection)
            .await?;
        if slot.is_some() {
            return Ok(());
        }
        let row = &user_slot::ActiveModel {
            user_id: Set(user.to_string()),
            seq: Set(0),
        };
        self.write(|transaction| async move {
            let made = user_slot::Entity::insert(row.clone()).exec_without_returning(&*transaction);
            match made.await {
                Ok(_) => Ok(()),
                Err(error) => match error.sql_err() {
                    Some(SqlErr::UniqueConstraintViolation(_)) => Ok(()),
                    _ => Err(error.into()),
                },
            }
        })
        .await
    }

    /// Whether the user may have one more job that is submitted and not over.
    pub(super) async fn check_open_job_limit(
        &self,
        transaction: &impl ConnectionTrait,
        user: &UserId,
    ) -> Result<(), StoreError> {
        let limit = self.limits.open_jobs;
        if limit == u64::MAX || count_open_jobs(transaction, user).await? < limit {
            return Ok(());
        }
        Err(LimitReached::OpenJobs(limit).into())
    }

    /// Whether the user may make one more job without submitting it. Clients make a job
    /// whenever they look at a form: many are never submitted.
    ///
    /// # Errors
    /// [`StoreError::Limit`] if not; else if it is not known.
    pub async fn check_draft_limit(&self, user: &UserId) -> Result<(), StoreError> {
        self.check_drafts(&self.connection, user).await
    }

    pub(super) async fn check_drafts(
        &self,
        connection: &impl ConnectionTrait,
        user: &UserId,
    ) -> Result<(), StoreError> {
        let limit = self.limits.drafts;
        if limit == u64::MAX {
            return Ok(());
        }
        let drafts = drafts_since(user, self.draft_since());
        if drafts.count(connection).await? < limit {
            return Ok(());
        }
        Err(LimitReached::Drafts(limit).into())
    }

    /// Whether the user's drafts, as the transaction has written them, are small enough.
    pub(super) async fn check_draft_bytes(
        &self,
        transaction: &impl ConnectionTrait,
        user: &UserId,
    ) -> Result<(), StoreError> {
        let limit = self.limits.draft_bytes;
        if limit == u64::MAX {
            return Ok(());
        }
        let columns = [
            job::Column::Param,
            job::Column::Env,
            job::Column::Slurm,
            job::Column::LocalExecutableFolder,
            job::Column::LocalDataFolder,
        ];
        let bytes = columns
            .into_iter()
            .map(bytes_of)
            .reduce(|sum, bytes| sum.add(bytes))
            .unwrap_or_else(|| Expr::val(0_i64));
        let sum = whole_sum(transaction.get_database_backend(), bytes);
        // One that was made long ago counts as soon as it is changed.
        let since = self.draft_since().millis();
        let made_or_changed = job::Column::CreatedAt
            .gte(since)
            .or(job::Column::UpdatedAt.gte(since));
        let bytes: Option<Option<i64>> = job::Entity::find()
            .filter(job::Column::UserId.eq(user.as_str()))
            .filter(made_or_changed)
            .filter(job::Column::State.eq(State::Created.as_str()))
            .select_only()
            .column_as(sum, "bytes")
            .into_tuple()
            .one(transaction)
            .await?;
        let bytes = bytes.flatten().unwrap_or(0);
        if u64::try_from(bytes).unwrap_or(0) <= limit {
            return Ok(());
        }
        Err(LimitReached::DraftBytes(limit).into())
    }

    fn draft_since(&self) -> Timestamp {
        self.now().minus(DRAFT_AGE)
    }
}

/// From here to the end of the transaction nobody else counts what the user has.
pub(super) async fn lock_user(
    transaction: &impl ConnectionTrait,
    user: &UserId,
) -> Result<(), StoreError> {
    user_slot::Entity::update_many()
        .col_expr(
            user_slot::Column::Seq,
            Expr::col(user_slot::Column::Seq).add(1),
        )
        .filter(user_slot::Column::UserId.eq(user.as_str()))
        .exec(transaction)
        .await?;
    Ok(())
}

/// How many jobs of the user are submitted and not over.
pub(super) async fn count_open_jobs(
    connection: &impl ConnectionTrait,
    user: &UserId,
) -> Result<u64, StoreError> {
    let open = job::Entity::find()
        .filter(job::Column::UserId.eq(user.as_str()))
        .filter(job::Column::State.is_in(open_states()));
    Ok(open.count(connection).await?)
}

/// Jobs that the user has made since then without submitting them.
fn drafts_since(user: &UserId, since: Timestamp) -> sea_orm::Select<job::Entity> {
    job::Entity::find()
        .filter(job::Column::UserId.eq(user.as_str()))
        .filter(job::Column::CreatedAt.gte(since.millis()))
        .filter(job::Column::State.eq(State::Created.as_str()))
}

/// Bytes in a column of text; 0 if it is null.
pub(super) fn bytes_of(column: job::Column) -> SimpleExpr {
    let bytes = Func::cust("OCTET_LENGTH").arg(Expr::col(column));
    Func::coalesce([bytes.into(), Expr::val(0_i64)]).into()
}
