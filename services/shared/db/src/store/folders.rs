//! Folders on HPCs.

use std::collections::BTreeMap;

use compute_domain::{
    ids::{FolderId, UserId},
    job::Folder,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};

use super::may_be_id;
use crate::{Store, StoreError, entity::folder};

/// Ids in one question; databases limit the parameters of a statement.
const AT_ONCE: usize = 500;

impl Store {
    /// Folders by id, deleted ones too; unknown ids are left out. The caller has
    /// checked whose they are.
    ///
    /// # Errors
    /// [`StoreError`] if they could not be read.
    pub async fn folders(
        &self,
        ids: &[FolderId],
    ) -> Result<BTreeMap<FolderId, Folder>, StoreError> {
        let mut folders = BTreeMap::new();
        for ids in ids.chunks(AT_ONCE) {
            let rows = folder::Entity::find()
                .filter(folder::Column::Id.is_in(ids.iter().map(FolderId::as_str)))
                .all(&self.connection)
                .await?;
            folders.extend(
                rows.into_iter()
                    .map(Folder::from)
                    .map(|f| (f.id.clone(), f)),
            );
        }
        Ok(folders)
    }

    /// The user's folder of that id, unless it is deleted.
    ///
    /// # Errors
    /// [`StoreError`] if it could not be read.
    pub async fn folder_of(
        &self,
        user: &UserId,
        id: &FolderId,
    ) -> Result<Option<Folder>, StoreError> {
        if !may_be_id(id.as_str()) {
            return Ok(None);
        }
        let row = folder::Entity::find_by_id(id.as_str())
            .filter(folder::Column::UserId.eq(user.as_str()))
            .filter(folder::Column::DeletedAt.is_null())
            .one(&self.connection)
            .await?;
        Ok(row.map(Folder::from))
    }
}
