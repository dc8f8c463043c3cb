//! Taking the lease of a job: from the queue, or after the last one has expired.

use std::time::Duration;

use compute_domain::{
    ids::{JobId, MaintainerId, UserId},
    job::{Change, Intent, Job, NewEvent, State, Step},
};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, ExprTrait as _,
    FromQueryResult, QueryFilter as _, QuerySelect as _, Select, Set, SqlErr, sea_query::Expr,
};

use super::{
    events,
    jobs_places::{Places, lock_slot, places_taken, running_for},
    leased_states, may_be_id,
};
use crate::{
    Store, StoreError,
    entity::{hpc_slot, job},
};

/// What became of a claim.
#[derive(Debug, Clone, PartialEq)]
pub enum Claim {
    /// The caller holds the job's lease.
    Taken(Box<Job>),
    /// No place is free on the job's HPC.
    Full,
    /// Its owner has as many jobs there as one user may have; it stays in the queue.
    UserFull,
    /// Its owner has paused it; it stays in the queue.
    Paused,
    /// There is no such job in the queue (any more).
    Gone,
}

impl Store {
    /// Takes a job from the queue for `holder`, if one of the `places` on its HPC is
    /// free for its user: `queued` → `preparing`, with its event. Places are counted
    /// over all maintainers, also if several ask at the same time. A job that is to be
    /// cancelled needs no place.
    ///
    /// # Errors
    /// [`StoreError`] if it was not taken, or it is not known whether it was.
    pub async fn claim(
        &self,
        id: &JobId,
        holder: &MaintainerId,
        lease: Duration,
        places: Places,
    ) -> Result<Claim, StoreError> {
        if !may_be_id(id.as_str()) {
            return Ok(Claim::Gone);
        }
        let row = queued_row(id).into_model::<QueuedRow>();
        let Some(row) = row.one(&self.connection).await? else {
            return Ok(Claim::Gone);
        };
        if let Some(refusal) = refusal(&row) {
            return Ok(refusal);
        }
        let hpc = row.hpc.as_str();
        self.make_slot(hpc).await?;
        self.write(|transaction| async move {
            lock_slot(&*transaction, hpc).await?;
            let row = queued_row(id).lock_exclusive().into_model::<QueuedRow>();
            let Some(row) = row.one(&*transaction).await? else {
                return Ok(Claim::Gone);
            };
            if let Some(refusal) = refusal(&row) {
                return Ok(refusal);
            }
            if row.intent.as_deref() != Some(Intent::Cancel.as_str()) {
                if places_taken(&*transaction, hpc).await? >= u64::from(places.all) {
                    return Ok(Claim::Full);
                }
                let user = UserId::from_text(row.user_id);
                let own = running_for(&*transaction, hpc, &user).await?;
                if own >= u64::from(places.per_user) {
                    return Ok(Claim::UserFull);
                }
            }
            let job = self.take(&*transaction, id, holder, lease).await?;
            Ok(Claim::Taken(Box::new(job)))
        })
        .await
    }

    /// Takes over a job whose lease has expired. It goes on from its step; writes of the
    /// last holder are refused from now on. `None` if there is no such job.
    ///
    /// # Errors
    /// [`StoreError`] if it was not taken over, or it is not known whether it was.
    pub async fn take_over(
        &self,
        id: &JobId,
        holder: &MaintainerId,
        lease: Duration,
    ) -> Result<Option<Job>, StoreError> {
        let now = self.now();
        self.write(|transaction| async move {
            let taken = job::Entity::update_many()
                .col_expr(job::Column::LeaseHolder, Expr::value(Some(holder.as_str())))
                .col_expr(
                    job::Column::LeaseUntil,
                    Expr::value(Some(now.plus(lease).millis())),
                )
                .col_expr(job::Column::Fence, Expr::col(job::Column::Fence).add(1))
                .filter(job::Column::Id.eq(id.as_str()))
                .filter(job::Column::State.is_in(leased_states()))
                .filter(expired(now.millis()))
                .exec(&*transaction)
                .await?;
            if taken.rows_affected == 0 {
                return Ok(None);
            }
            let row = job::Entity::find_by_id(id.as_str())
                .one(&*transaction)
                .await?;
            row.map(Job::try_from).transpose()
        })
        .await
    }

    async fn take(
        &self,
        transaction: &impl ConnectionTrait,
        id: &JobId,
        holder: &MaintainerId,
        lease: Duration,
    ) -> Result<Job, StoreError> {
        let now = self.now();
        let row = job::ActiveModel {
            state: Set(State::Queued.after(Change::Claim)?.as_str().to_owned()),
            step: Set(Step::Prepare.as_str().to_owned()),
            lease_holder: Set(Some(holder.to_string())),
            lease_until: Set(Some(now.plus(lease).millis())),
            queued_at: Set(Some(now.millis())),
            updated_at: Set(Some(now.millis())),
            ..Default::default()
        };
        job::Entity::update_many()
            .set(row)
            .col_expr(job::Column::Fence, Expr::col(job::Column::Fence).add(1))
            .filter(job::Column::Id.eq(id.as_str()))
            .exec(transaction)
            .await?;
        events::insert_event(transaction, id, &NewEvent::registered(id), now).await?;
        let row = job::Entity::find_by_id(id.as_str())
            .one(transaction)
            .await?;
        row.map(Job::try_from)
            .transpose()?
            .ok_or(StoreError::LeaseLost)
    }

    /// Makes the HPC's row, outside of the claim: on PostgreSQL an insert that
    /// comes second would end the claim's transaction.
    async fn make_slot(&self, hpc: &str) -> Result<(), StoreError> {
        let slot = hpc_slot::Entity::find_by_id(hpc)
            .one(&self.connection)
            .await?;
        if slot.is_some() {
            return Ok(());
        }
        let row = &hpc_slot::ActiveModel {
            hpc: Set(hpc.to_owned()),
            seq: Set(0),
        };
        self.write(|transaction| async move {
            let made = hpc_slot::Entity::insert(row.clone()).exec_without_returning(&*transaction);
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
}

/// What decides whether a job may be taken from the queue.
#[derive(FromQueryResult)]
struct QueuedRow {
    hpc: String,
    user_id: String,
    state: String,
    intent: Option<String>,
}

fn queued_row(id: &JobId) -> Select<job::Entity> {
    job::Entity::find_by_id(id.as_str()).select_only().columns([
        job::Column::Hpc,
        job::Column::UserId,
        job::Column::State,
        job::Column::Intent,
    ])
}

/// Why the job cannot be taken from the queue, whatever is free.
fn refusal(row: &QueuedRow) -> Option<Claim> {
    if row.state != State::Queued.as_str() {
        return Some(Claim::Gone);
    }
    (row.intent.as_deref() == Some(Intent::Pause.as_str())).then_some(Claim::Paused)
}

/// The lease has expired, or was given back.
pub(super) fn expired(now: i64) -> Condition {
    Condition::any()
        .add(job::Column::LeaseUntil.is_null())
        .add(job::Column::LeaseUntil.lte(now))
}
