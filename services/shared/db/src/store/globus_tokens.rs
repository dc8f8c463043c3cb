//! Globus refresh tokens, sealed: one for each identity.

use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, Set,
    sea_query::OnConflict,
};

use crate::{Store, StoreError, entity::refresh_token};

impl Store {
    /// The sealed token of `identity`.
    ///
    /// # Errors
    /// [`StoreError`] if it could not be read.
    pub async fn globus_token(&self, identity: &str) -> Result<Option<String>, StoreError> {
        let row = refresh_token::Entity::find_by_id(identity)
            .filter(refresh_token::Column::DeletedAt.is_null())
            .one(&self.connection)
            .await?;
        Ok(row.map(|row| row.transfer_refresh_token))
    }

    /// Identities that there is a token of, in the order of their names.
    ///
    /// # Errors
    /// [`StoreError`] if they could not be read.
    pub async fn globus_identities(&self) -> Result<Vec<String>, StoreError> {
        let rows = refresh_token::Entity::find()
            .filter(refresh_token::Column::DeletedAt.is_null())
            .order_by_asc(refresh_token::Column::Identity)
            .all(&self.connection)
            .await?;
        Ok(rows.into_iter().map(|row| row.identity).collect())
    }

    /// Keeps the sealed token of `identity` instead of any earlier one.
    ///
    /// # Errors
    /// [`StoreError`] if it was not kept, or it is not known whether it was.
    pub async fn keep_globus_token(&self, identity: &str, sealed: &str) -> Result<(), StoreError> {
        let now = self.now().millis();
        let row = &refresh_token::ActiveModel {
            identity: Set(identity.to_owned()),
            transfer_refresh_token: Set(sealed.to_owned()),
            created_at: Set(now),
            updated_at: Set(Some(now)),
            deleted_at: Set(None),
        };
        let replace = &OnConflict::column(refresh_token::Column::Identity)
            .update_columns([
                refresh_token::Column::TransferRefreshToken,
                refresh_token::Column::UpdatedAt,
                refresh_token::Column::DeletedAt,
            ])
            .to_owned();
        self.write(|transaction| async move {
            refresh_token::Entity::insert(row.clone())
                .on_conflict(replace.clone())
                .exec_without_returning(&*transaction)
                .await?;
            Ok(())
        })
        .await
    }

    /// Forgets the token of `identity`; false if there is none.
    ///
    /// # Errors
    /// [`StoreError`] if it was not forgotten, or it is not known whether it was.
    pub async fn forget_globus_token(&self, identity: &str) -> Result<bool, StoreError> {
        self.write(|transaction| async move {
            let removed = refresh_token::Entity::delete_by_id(identity)
                .exec(&*transaction)
                .await?;
            Ok(removed.rows_affected > 0)
        })
        .await
    }
}
