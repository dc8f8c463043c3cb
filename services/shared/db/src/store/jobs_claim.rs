//! Taking a job: from the queue, or over from a carrier that has gone.

use std::time::Duration;

use compute_domain::{
    ids::{JobId, MaintainerId},
    job::{Change, Intent, Job, NewEvent, State, Step},
};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, ExprTrait as _,
    QueryFilter as _, QuerySelect as _, Set, SqlErr, sea_query::Expr,
};

use super::{
    carried_states, events,
    jobs_places::{carried_for, lock_slot, places_taken},
};
use crate::{
    Store, StoreError,
    entity::{hpc_slot, job},
};

/// How many jobs of ours may be on an HPC at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Places {
    /// All together; blocked ones take no place.
    pub all: u32,
    /// Of one user, blocked ones included: they come back.
    pub per_user: u32,
}

/// What became of a claim.
#[derive(Debug, Clone, PartialEq)]
pub enum Claim {
    /// The caller carries the job from now on.
    Taken(Box<Job>),
    /// No place is free on the job's HPC.
    Full,
    /// Its owner has as many jobs there as one user may have; it stays in the queue.
    UserFull,
    /// Its owner has paused it; it stays in the queue.
    Held,
    /// There is no such job in the queue (any more).
    Gone,
}

impl Store {
    /// Takes a job from the queue for `owner`, if one of the `places` on its HPC is
    /// free for its user: `queued` → `preparing`, with its event. Places are counted
    /// over all maintainers, whoever asks at the same time. A job that is to be
    /// cancelled needs no place.
    ///
    /// # Errors
    /// [`StoreError`] if it was not taken, or it is not known whether it was.
    pub async fn claim(
        &self,
        id: &JobId,
        owner: &MaintainerId,
        lease: Duration,
        places: Places,
    ) -> Result<Claim, StoreError> {
        let Some(seen) = self.job(id).await? else {
            return Ok(Claim::Gone);
        };
        if let Some(refusal) = refusal(&seen) {
            return Ok(refusal);
        }
        let hpc = seen.hpc.as_str();
        self.make_slot(hpc).await?;
        self.write(|transaction| async move {
            lock_slot(&*transaction, hpc).await?;
            let row = job::Entity::find_by_id(id.as_str())
                .lock_exclusive()
                .one(&*transaction)
                .await?;
            let Some(job) = row.map(Job::try_from).transpose()? else {
                return Ok(Claim::Gone);
            };
            if let Some(refusal) = refusal(&job) {
                return Ok(refusal);
            }
            if job.intent != Some(Intent::Cancel) {
                if places_taken(&*transaction, hpc).await? >= u64::from(places.all) {
                    return Ok(Claim::Full);
                }
                let own = carried_for(&*transaction, hpc, &job.user_id).await?;
                if own >= u64::from(places.per_user) {
                    return Ok(Claim::UserFull);
                }
            }
            let job = self.take(&*transaction, &job, owner, lease).await?;
            Ok(Claim::Taken(Box::new(job)))
        })
        .await
    }

    /// Takes over a job whose carrier has not renewed its lease in time. It goes
    /// on from its step; the old carrier's writes are refused from now on. `None`
    /// if there is no such job.
    ///
    /// # Errors
    /// [`StoreError`] if it was not taken over, or it is not known whether it was.
    pub async fn take_over(
        &self,
        id: &JobId,
        owner: &MaintainerId,
        lease: Duration,
    ) -> Result<Option<Job>, StoreError> {
        let now = self.now();
        self.write(|transaction| async move {
            let taken = job::Entity::update_many()
                .col_expr(job::Column::Owner, Expr::value(Some(owner.as_str())))
                .col_expr(
                    job::Column::LeaseUntil,
                    Expr::value(Some(now.plus(lease).millis())),
                )
                .col_expr(job::Column::Fence, Expr::col(job::Column::Fence).add(1))
                .filter(job::Column::Id.eq(id.as_str()))
                .filter(job::Column::State.is_in(carried_states()))
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
        job: &Job,
        owner: &MaintainerId,
        lease: Duration,
    ) -> Result<Job, StoreError> {
        let now = self.now();
        let row = job::ActiveModel {
            state: Set(job.state.after(Change::Claim)?.as_str().to_owned()),
            step: Set(Step::Prepare.as_str().to_owned()),
            owner: Set(Some(owner.to_string())),
            lease_until: Set(Some(now.plus(lease).millis())),
            fence: Set(job.fence + 1),
            queued_at: Set(Some(now.millis())),
            updated_at: Set(Some(now.millis())),
            ..Default::default()
        };
        job::Entity::update_many()
            .set(row)
            .filter(job::Column::Id.eq(job.id.as_str()))
            .exec(transaction)
            .await?;
        events::insert_event(transaction, &job.id, &NewEvent::registered(&job.id), now).await?;
        let row = job::Entity::find_by_id(job.id.as_str())
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

/// Why the job cannot be taken from the queue, whatever is free.
fn refusal(job: &Job) -> Option<Claim> {
    if job.state != State::Queued {
        return Some(Claim::Gone);
    }
    (job.intent == Some(Intent::Pause)).then_some(Claim::Held)
}

/// The lease has run out, or was given back.
pub(super) fn expired(now: i64) -> Condition {
    Condition::any()
        .add(job::Column::LeaseUntil.is_null())
        .add(job::Column::LeaseUntil.lte(now))
}
