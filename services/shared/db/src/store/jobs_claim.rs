//! Taking the lease of a job: from the queue, or after the last one has expired.

use compute_domain::{
    ids::{JobId, UserId},
    job::{Change, Intent, Job, NewEvent, State, Step},
};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, ExprTrait as _, FromQueryResult,
    QueryFilter as _, QuerySelect as _, Select, Set, SqlErr,
    sea_query::{Expr, SimpleExpr},
};

use super::{
    events,
    jobs_advance::Moment,
    jobs_places::{Places, lock_slot, places_taken, running_for},
    lease_rules::{LEASE_FOR_VERSION_BEFORE, LeaseHolder, expired, is_live, next_fence},
    leased_states, may_be_id,
};
use crate::{
    Store, StoreError,
    entity::{hpc_slot, job, maintainer},
    lease_clock::later,
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
    /// [`StoreError::LeaseLost`] if the lease of `holder` is over; others if it was not taken, or it is not known whether it was.
    pub async fn claim(
        &self,
        id: &JobId,
        holder: &LeaseHolder,
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
        let at = self.moment();
        self.write(|transaction| {
            let at = at.clone();
            async move {
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
                let job = take(&*transaction, id, holder, at).await?;
                Ok(Claim::Taken(Box::new(job)))
            }
        })
        .await
    }

    /// Takes over a job whose lease has expired. It goes on from its step; writes of the
    /// last holder are refused from now on. `None` if there is no such job.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] if the lease of `holder` is over; others if it was not taken over, or it is not known whether it was.
    pub async fn take_over(
        &self,
        id: &JobId,
        holder: &LeaseHolder,
    ) -> Result<Option<Job>, StoreError> {
        let now = self.lease_now();
        self.write(|transaction| {
            let now = now.clone();
            async move {
                if !lock_with_lease(&*transaction, id).await? {
                    return Ok(None);
                }
                let taken = job::Entity::update_many()
                    .col_expr(
                        job::Column::LeaseHolder,
                        Expr::value(Some(holder.id.as_str())),
                    )
                    .col_expr(job::Column::LeaseEpoch, Expr::value(Some(holder.epoch)))
                    .col_expr(
                        job::Column::LeaseUntil,
                        later(now.clone(), LEASE_FOR_VERSION_BEFORE),
                    )
                    .col_expr(job::Column::Fence, next_fence(&now))
                    .col_expr(
                        job::Column::Revision,
                        Expr::col(job::Column::Revision).add(1),
                    )
                    .filter(job::Column::Id.eq(id.as_str()))
                    .filter(job::Column::State.is_in(leased_states()))
                    .filter(expired(&now))
                    .exec(&*transaction)
                    .await?;
                if taken.rows_affected == 0 {
                    return Ok(None);
                }
                taken_row(&*transaction, id, holder, &now).await.map(Some)
            }
        })
        .await
    }

    /// Takes a job that `holder` has taken with `fence`, and that no runner of the process runs
    /// any more, once more: what the former runner may still have under way is refused. `None` if
    /// `holder` does not have the job with that fence.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] if the lease of `holder` is over; others if it was not taken,
    /// or it is not known whether it was.
    pub async fn take_again(
        &self,
        id: &JobId,
        holder: &LeaseHolder,
        fence: i64,
    ) -> Result<Option<Job>, StoreError> {
        let now = self.lease_now();
        self.write(|transaction| {
            let now = now.clone();
            async move {
                let taken = job::Entity::update_many()
                    .col_expr(job::Column::Fence, next_fence(&now))
                    .col_expr(
                        job::Column::Revision,
                        Expr::col(job::Column::Revision).add(1),
                    )
                    .filter(job::Column::Id.eq(id.as_str()))
                    .filter(job::Column::State.is_in(leased_states()))
                    .filter(job::Column::Fence.eq(fence))
                    .filter(job::Column::LeaseHolder.eq(holder.id.as_str()))
                    .filter(job::Column::LeaseEpoch.eq(holder.epoch))
                    .exec(&*transaction)
                    .await?;
                if taken.rows_affected == 0 {
                    return Ok(None);
                }
                taken_row(&*transaction, id, holder, &now).await.map(Some)
            }
        })
        .await
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

/// Locks a job and the lease of its holder: a renewal that has begun is waited for, and none
/// begins until the end of the transaction. False if there is no job that may be leased.
async fn lock_with_lease(
    transaction: &impl ConnectionTrait,
    id: &JobId,
) -> Result<bool, StoreError> {
    let row: Option<Option<String>> = job::Entity::find_by_id(id.as_str())
        .select_only()
        .column(job::Column::LeaseHolder)
        .filter(job::Column::State.is_in(leased_states()))
        .lock_exclusive()
        .into_tuple()
        .one(transaction)
        .await?;
    let Some(holder) = row else {
        return Ok(false);
    };
    if let Some(holder) = holder {
        maintainer::Entity::find_by_id(holder)
            .select_only()
            .column(maintainer::Column::Id)
            .lock_exclusive()
            .into_tuple::<String>()
            .one(transaction)
            .await?;
    }
    Ok(true)
}

async fn take(
    transaction: &impl ConnectionTrait,
    id: &JobId,
    holder: &LeaseHolder,
    at: Moment,
) -> Result<Job, StoreError> {
    let Moment { now, lease_now } = at;
    let row = job::ActiveModel {
        state: Set(State::Queued.after(Change::Claim)?.as_str().to_owned()),
        step: Set(Step::Prepare.as_str().to_owned()),
        lease_holder: Set(Some(holder.id.to_string())),
        lease_epoch: Set(Some(holder.epoch)),
        queued_at: Set(Some(now.millis())),
        updated_at: Set(Some(now.millis())),
        ..Default::default()
    };
    job::Entity::update_many()
        .set(row)
        .col_expr(
            job::Column::LeaseUntil,
            later(lease_now.clone(), LEASE_FOR_VERSION_BEFORE),
        )
        .col_expr(job::Column::Fence, next_fence(&lease_now))
        .col_expr(
            job::Column::Revision,
            Expr::col(job::Column::Revision).add(1),
        )
        .filter(job::Column::Id.eq(id.as_str()))
        .exec(transaction)
        .await?;
    events::insert_event(transaction, id, &NewEvent::registered(id), now).await?;
    taken_row(transaction, id, holder, &lease_now).await
}

/// The job that `holder` has just taken, if its own lease is still valid.
async fn taken_row(
    transaction: &impl ConnectionTrait,
    id: &JobId,
    holder: &LeaseHolder,
    now: &SimpleExpr,
) -> Result<Job, StoreError> {
    let row = job::Entity::find_by_id(id.as_str())
        .filter(is_live(holder, now))
        .one(transaction)
        .await?;
    Job::try_from(row.ok_or(StoreError::LeaseLost)?)
}
