//! Raising the fence of a job whose HPC knows a newer one.

use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, sea_query::Expr};

use super::lease_rules::is_live;
use crate::{LeaseToken, Store, StoreError, entity::job};

impl Store {
    /// Raises the fence of a job above `newest`, the one that its HPC knows, if `token` still
    /// holds the lease: then the database was restored from an older dump. False if the lease
    /// is lost.
    ///
    /// # Errors
    /// [`StoreError`] if it was not raised, or it is not known whether it was.
    pub async fn raise_fence(&self, token: &LeaseToken, newest: i64) -> Result<bool, StoreError> {
        let raised = newest.max(token.fence).saturating_add(1);
        let now = self.lease_now();
        self.write(|transaction| {
            let now = now.clone();
            async move {
                let written = job::Entity::update_many()
                    .col_expr(job::Column::Fence, Expr::value(raised))
                    .filter(job::Column::Id.eq(token.id.as_str()))
                    .filter(job::Column::Fence.eq(token.fence))
                    .filter(job::Column::LeaseHolder.eq(token.holder.id.as_str()))
                    .filter(job::Column::LeaseEpoch.eq(token.holder.epoch))
                    .filter(is_live(&token.holder, &now))
                    .exec(&*transaction)
                    .await?;
                Ok(written.rows_affected == 1)
            }
        })
        .await
    }
}
