//! Intents: what a job's owner, or an operator, wants done with it. Kept in its row, for
//! the maintainer that runs it.

use compute_domain::{
    ids::{JobId, UserId},
    job::{Intent, Job, State},
};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, ExprTrait as _, QueryFilter as _,
    sea_query::Expr,
};

use super::{jobs_owner::find, leased_states};
use crate::{Store, StoreError, entity::job};

impl Store {
    /// Saves what the owner wants done with a job that is submitted and not over;
    /// `None` for any other. An intent to cancel is final: later ones do not replace
    /// it. A queued job that is resumed has no intent afterwards: it just waits in the
    /// queue again.
    ///
    /// # Errors
    /// [`StoreError`] if it was not saved, or it is not known whether it was.
    pub async fn set_intent(
        &self,
        user: &UserId,
        id: &JobId,
        intent: Intent,
    ) -> Result<Option<Job>, StoreError> {
        self.write(|transaction| async move {
            if find(&*transaction, user, id).await?.is_none() {
                return Ok(None);
            }
            let saved = self.save_intent(&*transaction, id, intent, user.as_str());
            let saved = saved.await?;
            if saved.is_some() {
                self.mark_done(&*transaction).await?;
            }
            Ok(saved)
        })
        .await
    }

    /// Saves what an operator wants done with a job; otherwise like
    /// [`Store::set_intent`].
    ///
    /// # Errors
    /// [`StoreError`] if it was not saved, or it is not known whether it was.
    pub async fn operator_intent(
        &self,
        id: &JobId,
        intent: Intent,
        by: &str,
    ) -> Result<Option<Job>, StoreError> {
        self.write(
            |transaction| async move { self.save_intent(&*transaction, id, intent, by).await },
        )
        .await
    }

    async fn save_intent(
        &self,
        transaction: &impl ConnectionTrait,
        id: &JobId,
        intent: Intent,
        by: &str,
    ) -> Result<Option<Job>, StoreError> {
        let with_intent = leased_states()
            .chain([State::Queued.as_str()])
            .map(str::to_owned)
            .collect::<Vec<_>>();
        let of_job = || {
            job::Entity::update_many()
                .filter(job::Column::Id.eq(id.as_str()))
                .filter(job::Column::State.is_in(with_intent.clone()))
        };
        let not_final = job::Column::Intent
            .is_null()
            .or(job::Column::Intent.ne(Intent::Cancel.as_str()));
        of_job()
            .col_expr(job::Column::Intent, Expr::value(Some(intent.as_str())))
            .col_expr(job::Column::IntentBy, Expr::value(Some(by)))
            .col_expr(
                job::Column::UpdatedAt,
                Expr::value(Some(self.now().millis())),
            )
            .filter(not_final)
            .exec(transaction)
            .await?;
        if intent == Intent::Resume {
            of_job()
                .col_expr(job::Column::Intent, Expr::value(None::<String>))
                .col_expr(job::Column::IntentBy, Expr::value(None::<String>))
                .filter(job::Column::State.eq(State::Queued.as_str()))
                .filter(job::Column::Intent.eq(Intent::Resume.as_str()))
                .exec(transaction)
                .await?;
        }
        let row = job::Entity::find_by_id(id.as_str())
            .one(transaction)
            .await?;
        let job = row.map(Job::try_from).transpose()?;
        Ok(job.filter(|job| job.state == State::Queued || job.state.is_leased()))
    }
}
