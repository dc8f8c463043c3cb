//! Requests that may be sent again: the same key and request get the same answer, and have
//! their effect once.
//!
//! A key is reserved before the request has any effect. The effect marks the reservation as
//! done in its own transaction, so that a request that is repeated after a crash knows whether
//! it had its effect. Then the answer is recorded.

use std::time::Duration;

use compute_domain::ids::{JobId, UserId};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, ExprTrait as _, PaginatorTrait as _,
    QueryFilter as _, QueryOrder as _, QuerySelect as _, Set, sea_query::Expr,
};

use super::user_limits::lock_user;
use crate::{Store, StoreError, entity::idempotency_key as row};

/// How long a key is kept.
const KEPT_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a request may take, milliseconds. After that its gateway is gone, and a repeat takes
/// its place.
const CLAIMED_FOR_MS: i64 = 40_000;

/// Keys of one user. Beyond that, the oldest are forgotten.
const MOST_KEYS: u64 = 1000;

/// Keys that are forgotten at once.
const FORGOTTEN_AT_ONCE: u64 = 100;

/// A key of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// Whose it is.
    pub user: UserId,
    /// A hash of the key, in ASCII.
    pub hash: String,
}

/// What is known of a request with a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reservation {
    /// It may have its effect now.
    Reserved {
        /// The id of the job that it makes, if it makes one. The same for each repeat.
        job_id: JobId,
        /// Whether it had its effect already, and its answer is not recorded.
        is_done: bool,
    },
    /// It was answered.
    Answered {
        /// The HTTP status.
        status: u16,
        /// The answer as it was recorded.
        answer: String,
        /// The id of the job that it made, if it made one.
        job_id: JobId,
    },
    /// It is being processed, for at most this long.
    InProgress(Duration),
    /// The key was used for another request.
    OtherRequest,
}

impl Store {
    /// The same store, whose next effect is that of the request with `key`.
    #[must_use]
    pub fn with_idempotency_key(self, key: Option<IdempotencyKey>) -> Self {
        Self { key, ..self }
    }

    /// Reserves `key` for the request with that `fingerprint`, which makes the job `job_id` if
    /// it makes one.
    ///
    /// # Errors
    /// [`StoreError`] if it was not reserved, or it is not known whether it was.
    pub async fn reserve(
        &self,
        key: &IdempotencyKey,
        fingerprint: &str,
        job_id: &JobId,
    ) -> Result<Reservation, StoreError> {
        let now = self.now();
        self.make_user_slot(&key.user).await?;
        self.write(|transaction| async move {
            lock_user(&*transaction, &key.user).await?;
            let known = of_key(key).one(&*transaction).await?;
            let expired = now.minus(KEPT_FOR).millis();
            if let Some(known) = known.filter(|known| known.created_at > expired) {
                let until = known.claimed_at.saturating_add(CLAIMED_FOR_MS);
                let remaining = until.saturating_sub(now.millis());
                // The clock of another gateway may be ahead.
                let remaining = if remaining > CLAIMED_FOR_MS {
                    0
                } else {
                    remaining
                };
                let reservation = found(known, fingerprint, remaining);
                if matches!(reservation, Reservation::Reserved { .. }) {
                    set(key, row::Column::ClaimedAt, now.millis())
                        .exec(&*transaction)
                        .await?;
                }
                return Ok(reservation);
            }
            make_room(&*transaction, key).await?;
            row::Entity::delete_many()
                .filter(is_key(key))
                .exec(&*transaction)
                .await?;
            let reserved = row::ActiveModel {
                user_id: Set(key.user.to_string()),
                key_hash: Set(key.hash.clone()),
                fingerprint: Set(fingerprint.to_owned()),
                job_id: Set(job_id.to_string()),
                is_done: Set(false),
                status: Set(None),
                answer: Set(None),
                created_at: Set(now.millis()),
                claimed_at: Set(now.millis()),
            };
            row::Entity::insert(reserved)
                .exec_without_returning(&*transaction)
                .await?;
            Ok(Reservation::Reserved {
                job_id: job_id.clone(),
                is_done: false,
            })
        })
        .await
    }

    /// Records how the request was answered; without an `answer` it is answered anew when it
    /// is repeated, without its effect.
    ///
    /// # Errors
    /// [`StoreError`] if it was not recorded, or it is not known whether it was.
    pub async fn record_answer(
        &self,
        key: &IdempotencyKey,
        status: u16,
        answer: Option<&str>,
    ) -> Result<(), StoreError> {
        self.write(|transaction| async move {
            row::Entity::update_many()
                .col_expr(row::Column::IsDone, Expr::value(true))
                .col_expr(row::Column::Status, Expr::value(i64::from(status)))
                .col_expr(row::Column::Answer, Expr::value(answer))
                .filter(is_key(key))
                .exec(&*transaction)
                .await?;
            Ok(())
        })
        .await
    }

    /// The request was not answered as asked: it may be sent again at once. One that had its
    /// effect does not get it again.
    ///
    /// # Errors
    /// [`StoreError`] if it was not released, or it is not known whether it was.
    pub async fn release_key(&self, key: &IdempotencyKey) -> Result<(), StoreError> {
        self.write(|transaction| async move {
            row::Entity::delete_many()
                .filter(is_key(key))
                .filter(row::Column::IsDone.eq(false))
                .exec(&*transaction)
                .await?;
            set(key, row::Column::ClaimedAt, 0)
                .exec(&*transaction)
                .await?;
            Ok(())
        })
        .await
    }

    /// Removes keys that are too old.
    ///
    /// # Errors
    /// [`StoreError`] if they were not removed, or it is not known whether they were.
    pub async fn forget_old_keys(&self) -> Result<u64, StoreError> {
        let expired = self.now().minus(KEPT_FOR).millis();
        self.write(|transaction| async move {
            let forgotten = row::Entity::delete_many()
                .filter(row::Column::CreatedAt.lte(expired))
                .exec(&*transaction)
                .await?;
            Ok(forgotten.rows_affected)
        })
        .await
    }

    /// The request with this store's key has its effect in this transaction.
    pub(super) async fn mark_done(
        &self,
        transaction: &impl ConnectionTrait,
    ) -> Result<(), StoreError> {
        if let Some(key) = &self.key {
            row::Entity::update_many()
                .col_expr(row::Column::IsDone, Expr::value(true))
                .filter(is_key(key))
                .exec(transaction)
                .await?;
        }
        Ok(())
    }
}

fn of_key(key: &IdempotencyKey) -> sea_orm::Select<row::Entity> {
    row::Entity::find().filter(is_key(key))
}

fn is_key(key: &IdempotencyKey) -> sea_orm::sea_query::SimpleExpr {
    row::Column::UserId
        .eq(key.user.as_str())
        .and(row::Column::KeyHash.eq(key.hash.as_str()))
}

fn set(key: &IdempotencyKey, column: row::Column, value: i64) -> sea_orm::UpdateMany<row::Entity> {
    row::Entity::update_many()
        .col_expr(column, Expr::value(value))
        .filter(is_key(key))
}

/// What a row says about a request whose claim lasts for `remaining` milliseconds more.
fn found(known: row::Model, fingerprint: &str, remaining: i64) -> Reservation {
    if known.fingerprint != fingerprint {
        return Reservation::OtherRequest;
    }
    let status = known.status.and_then(|status| u16::try_from(status).ok());
    match (status, known.answer) {
        (Some(status), Some(answer)) => Reservation::Answered {
            status,
            answer,
            job_id: JobId::from_text(known.job_id),
        },
        (None, _) if remaining > 0 => {
            Reservation::InProgress(Duration::from_millis(remaining.unsigned_abs()))
        }
        _ => Reservation::Reserved {
            job_id: JobId::from_text(known.job_id),
            is_done: known.is_done,
        },
    }
}

/// Forgets the oldest keys of a user who has too many.
async fn make_room(
    transaction: &impl ConnectionTrait,
    key: &IdempotencyKey,
) -> Result<(), StoreError> {
    let of_user = row::Column::UserId.eq(key.user.as_str());
    let keys = row::Entity::find().filter(of_user.clone());
    if keys.clone().count(transaction).await? < MOST_KEYS {
        return Ok(());
    }
    let oldest: Vec<String> = keys
        .select_only()
        .column(row::Column::KeyHash)
        .order_by_asc(row::Column::CreatedAt)
        .limit(FORGOTTEN_AT_ONCE)
        .into_tuple()
        .all(transaction)
        .await?;
    row::Entity::delete_many()
        .filter(of_user)
        .filter(row::Column::KeyHash.is_in(oldest))
        .exec(transaction)
        .await?;
    Ok(())
}
