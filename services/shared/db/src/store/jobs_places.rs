//! Places on an HPC: who takes one, and how a blocked job comes back to one.

use compute_domain::{
    ids::UserId,
    job::{Intent, Job, State},
};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, ExprTrait as _,
    PaginatorTrait as _, QueryFilter as _, QuerySelect as _, sea_query::Expr,
};

use super::{jobs_advance::advance, leased_states};
use crate::{
    LeaseToken, Progress, Store, StoreError,
    entity::{hpc_slot, job},
};

/// How many jobs of ours may be on an HPC at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Places {
    /// All together; blocked and paused ones take no place.
    pub all: u32,
    /// Of one user, blocked and paused ones included: they come back.
    pub per_user: u32,
}

impl Store {
    /// Number of places taken on `hpc`.
    ///
    /// # Errors
    /// [`StoreError`] if they could not be counted.
    pub async fn places_taken(&self, hpc: &str) -> Result<u32, StoreError> {
        Ok(u32::try_from(places_taken(&self.connection, hpc).await?).unwrap_or(u32::MAX))
    }

    /// Writes `progress` of `job`, by which it takes a place on its HPC again, if
    /// fewer than `most` are taken; `None` if not. Counted as in [`Store::claim`].
    ///
    /// # Errors
    /// As [`Store::advance`].
    pub async fn come_back(
        &self,
        token: &LeaseToken,
        job: &Job,
        progress: Progress,
        most: u32,
    ) -> Result<Option<Job>, StoreError> {
        let (progress, at) = (&progress, self.moment());
        self.write(|transaction| {
            let at = at.clone();
            async move {
                lock_slot(&*transaction, &job.hpc).await?;
                if places_taken(&*transaction, &job.hpc).await? >= u64::from(most) {
                    return Ok(None);
                }
                advance(&*transaction, token, job, progress, at)
                    .await
                    .map(Some)
            }
        })
        .await
    }
}

/// From here to the end of the transaction nobody else gives away a place there.
pub(super) async fn lock_slot(
    transaction: &impl ConnectionTrait,
    hpc: &str,
) -> Result<(), StoreError> {
    hpc_slot::Entity::update_many()
        .col_expr(
            hpc_slot::Column::Seq,
            Expr::col(hpc_slot::Column::Seq).add(1),
        )
        .filter(hpc_slot::Column::Hpc.eq(hpc))
        .exec(transaction)
        .await?;
    Ok(())
}

/// Number of places taken. A job that its owner has paused before it was submitted takes none.
pub(super) async fn places_taken(
    connection: &impl ConnectionTrait,
    hpc: &str,
) -> Result<u64, StoreError> {
    let states = State::ALL.into_iter().filter(|state| state.takes_place());
    let is_paused = Condition::all()
        .add(job::Column::State.eq(State::Preparing.as_str()))
        .add(job::Column::Intent.is_not_null())
        .add(job::Column::Intent.eq(Intent::Pause.as_str()));
    let taken = job::Entity::find()
        .select_only()
        .column(job::Column::Id)
        .filter(job::Column::Hpc.eq(hpc))
        .filter(job::Column::State.is_in(states.map(State::as_str)))
        .filter(is_paused.not());
    Ok(taken.count(connection).await?)
}

/// Jobs of `user` there that a maintainer runs, blocked ones included.
pub(super) async fn running_for(
    connection: &impl ConnectionTrait,
    hpc: &str,
    user: &UserId,
) -> Result<u64, StoreError> {
    let running = job::Entity::find()
        .select_only()
        .column(job::Column::Id)
        .filter(job::Column::Hpc.eq(hpc))
        .filter(job::Column::UserId.eq(user.as_str()))
        .filter(job::Column::State.is_in(leased_states()));
    Ok(running.count(connection).await?)
}
