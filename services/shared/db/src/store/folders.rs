//! Folders on HPCs.

use std::collections::{BTreeMap, BTreeSet};

use compute_domain::{
    Timestamp,
    ids::{FolderId, JobId, UserId},
    job::{Folder, State},
};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, IntoActiveValue as _,
    PaginatorTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, Set,
};

use super::{
    job_statistics::open_states,
    may_be_id,
    user_limits::{LimitReached, lock_user},
};
use crate::{
    Store, StoreError,
    entity::{folder, job},
};

/// Ids in one question; databases limit the parameters of a statement.
const AT_ONCE: usize = 500;

/// What an owner changes; what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FolderPatch {
    /// A name of at most [`crate::NAME_LIMIT`] characters.
    pub name: Option<String>,
    /// Whether jobs may write to it.
    pub is_writable: Option<bool>,
}

impl Store {
    /// The user's folders that are not deleted, in the order in which they were made.
    ///
    /// # Errors
    /// [`StoreError`] if they could not be read.
    pub async fn folders_of(&self, user: &UserId) -> Result<Vec<Folder>, StoreError> {
        let rows = folder::Entity::find()
            .filter(folder::Column::UserId.eq(user.as_str()))
            .filter(folder::Column::DeletedAt.is_null())
            .order_by_asc(folder::Column::CreatedAt)
            .order_by_asc(folder::Column::Id)
            .all(&self.connection)
            .await?;
        Ok(rows.into_iter().map(Folder::from).collect())
    }

    /// Changes the user's folder; `None` if there is none of that id.
    ///
    /// # Errors
    /// [`StoreError::Limit`] if `is_writable` changes while an open job has its data there;
    /// others if it was not changed, or it is not known whether it was.
    pub async fn change_folder(
        &self,
        user: &UserId,
        id: &FolderId,
        patch: FolderPatch,
    ) -> Result<Option<Folder>, StoreError> {
        let FolderPatch { name, is_writable } = patch;
        let row = folder::ActiveModel {
            name: name.map(Some).into_active_value(),
            is_writable: is_writable.into_active_value(),
            updated_at: Set(Some(self.now().millis())),
            ..Default::default()
        };
        self.write_folder(user, id, row).await?;
        self.folder_of(user, id).await
    }

    /// Marks the user's folder as deleted; false if there is none of that id. What
    /// is in it stays on the HPC. A job that names it is not submitted any more.
    ///
    /// # Errors
    /// [`StoreError`] if it was not marked, or it is not known whether it was.
    pub async fn delete_folder(&self, user: &UserId, id: &FolderId) -> Result<bool, StoreError> {
        let row = folder::ActiveModel {
            deleted_at: Set(Some(self.now().millis())),
            ..Default::default()
        };
        self.write_folder(user, id, row).await
    }

    /// Marks the user's folder as deleted if no open job needs it: from now on no job that
    /// names it is submitted, so that it can be removed from the HPC. False if there is no
    /// such folder, or a job needs it.
    ///
    /// # Errors
    /// [`StoreError`] if it was not marked, or it is not known whether it was.
    pub async fn retire_folder(&self, user: &UserId, id: &FolderId) -> Result<bool, StoreError> {
        let deleted_at = Some(self.now().millis());
        self.make_user_slot(user).await?;
        self.write(|transaction| async move {
            lock_user(&*transaction, user).await?;
            let names = Condition::any()
                .add(job::Column::RemoteExecutableFolderId.eq(id.as_str()))
                .add(job::Column::ExecutableCopyId.eq(id.as_str()))
                .add(job::Column::RemoteDataFolderId.eq(id.as_str()))
                .add(job::Column::RemoteResultFolderId.eq(id.as_str()));
            let open = job::Entity::find()
                .filter(job::Column::UserId.eq(user.as_str()))
                .filter(job::Column::State.is_in(open_states()))
                .filter(names);
            if open.count(&*transaction).await? > 0 {
                return Ok(false);
            }
            let retired = folder::Entity::update_many()
                .set(folder::ActiveModel {
                    deleted_at: Set(deleted_at),
                    ..Default::default()
                })
                .filter(folder::Column::Id.eq(id.as_str()))
                .filter(folder::Column::UserId.eq(user.as_str()))
                .filter(folder::Column::DeletedAt.is_null())
                .exec(&*transaction)
                .await?;
            Ok(retired.rows_affected > 0)
        })
        .await
    }

    /// Takes back that the user's folder was retired: it is still on the HPC.
    ///
    /// # Errors
    /// [`StoreError`] if it was not written, or it is not known whether it was.
    pub async fn unretire_folder(&self, user: &UserId, id: &FolderId) -> Result<(), StoreError> {
        self.write(|transaction| async move {
            folder::Entity::update_many()
                .set(folder::ActiveModel {
                    deleted_at: Set(None),
                    ..Default::default()
                })
                .filter(folder::Column::Id.eq(id.as_str()))
                .filter(folder::Column::UserId.eq(user.as_str()))
                .exec(&*transaction)
                .await?;
            Ok(())
        })
        .await
    }

    async fn write_folder(
        &self,
        user: &UserId,
        id: &FolderId,
        row: folder::ActiveModel,
    ) -> Result<bool, StoreError> {
        if !may_be_id(id.as_str()) {
            return Ok(false);
        }
        let row = &row;
        self.make_user_slot(user).await?;
        self.write(|transaction| async move {
            lock_user(&*transaction, user).await?;
            if changes_binding(&*transaction, user, id, row).await? {
                return Err(LimitReached::FolderInUse.into());
            }
            let written = folder::Entity::update_many()
                .set(row.clone())
                .filter(folder::Column::Id.eq(id.as_str()))
                .filter(folder::Column::UserId.eq(user.as_str()))
                .filter(folder::Column::DeletedAt.is_null())
                .exec(&*transaction)
                .await?;
            Ok(written.rows_affected > 0)
        })
        .await
    }

    /// The user's folders on `hpcs` that were made before `before` and that no job needs: none
    /// that is not over, and none that was made since. Oldest first, `limit` at the
    /// most.
    ///
    /// # Errors
    /// [`StoreError`] if they could not be read.
    pub async fn expired_folders_of(
        &self,
        user: &UserId,
        hpcs: &[&str],
        before: Timestamp,
        limit: usize,
    ) -> Result<Vec<Folder>, StoreError> {
        let ended = State::ALL.into_iter().filter(|state| state.is_terminal());
        let needs_folders = Condition::any()
            .add(job::Column::State.is_not_in(ended.map(State::as_str)))
            .add(job::Column::CreatedAt.gte(before.millis()));
        type Ids = (
            Option<String>,
            Option<String>,
            Option<String>,
            Option<String>,
        );
        let needed: Vec<Ids> = job::Entity::find()
            .select_only()
            .columns([
                job::Column::RemoteExecutableFolderId,
                job::Column::ExecutableCopyId,
                job::Column::RemoteDataFolderId,
                job::Column::RemoteResultFolderId,
            ])
            .filter(job::Column::UserId.eq(user.as_str()))
            .filter(needs_folders)
            .into_tuple()
            .all(&self.connection)
            .await?;
        let needed: BTreeSet<String> = needed
            .into_iter()
            .flat_map(|(executable, copy, data, result)| [executable, copy, data, result])
            .flatten()
            .collect();
        let mut folders = self.folders_of(user).await?;
        folders.retain(|folder| {
            hpcs.contains(&folder.hpc.as_str())
                && folder.created_at < before
                && !needed.contains(folder.id.as_str())
        });
        folders.truncate(limit);
        Ok(folders)
    }

    /// The user's jobs whose results are in that folder.
    ///
    /// # Errors
    /// [`StoreError`] if they could not be read.
    pub async fn jobs_with_result_in(
        &self,
        user: &UserId,
        id: &FolderId,
    ) -> Result<Vec<JobId>, StoreError> {
        let ids: Vec<String> = job::Entity::find()
            .select_only()
            .column(job::Column::Id)
            .filter(job::Column::UserId.eq(user.as_str()))
            .filter(job::Column::RemoteResultFolderId.eq(id.as_str()))
            .into_tuple()
            .all(&self.connection)
            .await?;
        Ok(ids.into_iter().map(JobId::from_text).collect())
    }

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

/// Whether the folder would become writable, or read-only, while an open job of the user has
/// its data there: what was checked when that job was submitted would not hold for it.
async fn changes_binding(
    transaction: &impl ConnectionTrait,
    user: &UserId,
    id: &FolderId,
    row: &folder::ActiveModel,
) -> Result<bool, StoreError> {
    if row.is_writable.is_not_set() || row.is_writable == Set(is_writable(transaction, id).await?) {
        return Ok(false);
    }
    let open = job::Entity::find()
        .filter(job::Column::UserId.eq(user.as_str()))
        .filter(job::Column::State.is_in(open_states()))
        .filter(job::Column::RemoteDataFolderId.eq(id.as_str()));
    Ok(open.count(transaction).await? > 0)
}

/// Whether jobs may write to the folder; false for one that is not known.
pub(super) async fn is_writable(
    connection: &impl ConnectionTrait,
    id: &FolderId,
) -> Result<bool, StoreError> {
    let folder = folder::Entity::find_by_id(id.as_str())
        .one(connection)
        .await?;
    Ok(folder.is_some_and(|folder| folder.is_writable))
}
