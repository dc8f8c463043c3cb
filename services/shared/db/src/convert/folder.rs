//! Folders.

use compute_domain::{
    Timestamp,
    ids::{FolderId, UserId},
    job::Folder,
};
use sea_orm::Set;

use crate::entity::folder;

impl From<folder::Model> for Folder {
    fn from(row: folder::Model) -> Self {
        let folder::Model {
            id,
            name,
            hpc,
            hpc_path,
            globus_path,
            user_id,
            is_writable,
            created_at,
            updated_at,
            deleted_at,
        } = row;
        Self {
            id: FolderId::from_text(id),
            name,
            hpc,
            hpc_path,
            globus_path,
            user_id: UserId::from_text(user_id),
            is_writable,
            created_at: Timestamp::from_millis(created_at),
            updated_at: updated_at.map(Timestamp::from_millis),
            deleted_at: deleted_at.map(Timestamp::from_millis),
        }
    }
}

/// The row of a new folder.
pub(crate) fn folder_row(folder: &Folder) -> folder::ActiveModel {
    let Folder {
        id,
        name,
        hpc,
        hpc_path,
        globus_path,
        user_id,
        is_writable,
        created_at,
        updated_at,
        deleted_at,
    } = folder.clone();
    folder::ActiveModel {
        id: Set(id.to_string()),
        name: Set(name),
        hpc: Set(hpc),
        hpc_path: Set(hpc_path),
        globus_path: Set(globus_path),
        user_id: Set(user_id.to_string()),
        is_writable: Set(is_writable),
        created_at: Set(created_at.millis()),
        updated_at: Set(updated_at.map(Timestamp::millis)),
        deleted_at: Set(deleted_at.map(Timestamp::millis)),
    }
}
