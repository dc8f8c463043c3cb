//! Globus transfers out of folders: the latest one of each.

use compute_domain::{Timestamp, ids::FolderId};
use sea_orm::{
    ActiveValue::NotSet, ColumnTrait as _, EntityTrait as _, QueryFilter as _, Set,
    sea_query::OnConflict,
};
use serde_json::Value;

use crate::{
    Store, StoreError,
    convert::{read_json, write_json},
    entity::folder_transfer,
};

/// A transfer that was, or is about to be, asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct FolderTransfer {
    /// The folder that is transferred.
    pub folder_id: FolderId,
    /// Globus' key of "once and only once".
    pub submission_id: String,
    /// What is asked of Globus, so that it can be asked again.
    pub transfer: Value,
    /// Globus' id of the transfer, once it is known.
    pub task_id: Option<String>,
    /// Begun at.
    pub created_at: Timestamp,
}

impl Store {
    /// The latest transfer out of the folder.
    ///
    /// # Errors
    /// [`StoreError`] if it could not be read.
    pub async fn folder_transfer(
        &self,
        folder: &FolderId,
    ) -> Result<Option<FolderTransfer>, StoreError> {
        let row = folder_transfer::Entity::find_by_id(folder.as_str())
            .one(&self.connection)
            .await?;
        row.map(FolderTransfer::try_from).transpose()
    }

    /// Writes down a transfer before it is asked for, in the place of the one
    /// with the submission id `instead_of`, or of none. False if another one was
    /// begun meanwhile.
    ///
    /// # Errors
    /// [`StoreError`] if it was not written, or it is not known whether it was.
    pub async fn begin_folder_transfer(
        &self,
        new: FolderTransfer,
        instead_of: Option<&str>,
    ) -> Result<bool, StoreError> {
        let row = &folder_transfer::ActiveModel {
            folder_id: Set(new.folder_id.to_string()),
            submission_id: Set(new.submission_id.clone()),
            transfer: Set(write_json(&new.transfer)),
            task_id: Set(new.task_id),
            created_at: Set(new.created_at.millis()),
        };
        let (folder, submission) = (&new.folder_id, &new.submission_id);
        self.write(|transaction| async move {
            let Some(instead_of) = instead_of else {
                let ignore = OnConflict::column(folder_transfer::Column::FolderId)
                    .do_nothing_on([folder_transfer::Column::FolderId])
                    .to_owned();
                folder_transfer::Entity::insert(row.clone())
                    .on_conflict(ignore)
                    .exec_without_returning(&*transaction)
                    .await?;
                // MariaDB counts a row that it left alone, too.
                let kept = folder_transfer::Entity::find_by_id(folder.as_str())
                    .one(&*transaction)
                    .await?;
                return Ok(kept.is_some_and(|kept| kept.submission_id == *submission));
            };
            let replaced = folder_transfer::Entity::update_many()
                .set(folder_transfer::ActiveModel {
                    folder_id: NotSet,
                    ..row.clone()
                })
                .filter(folder_transfer::Column::FolderId.eq(folder.as_str()))
                .filter(folder_transfer::Column::SubmissionId.eq(instead_of))
                .exec(&*transaction)
                .await?;
            Ok(replaced.rows_affected > 0)
        })
        .await
    }

    /// Writes down the id under which Globus knows the transfer.
    ///
    /// # Errors
    /// [`StoreError`] if it was not written, or it is not known whether it was.
    pub async fn folder_transfer_accepted(
        &self,
        folder: &FolderId,
        submission_id: &str,
        task_id: &str,
    ) -> Result<(), StoreError> {
        self.write(|transaction| async move {
            folder_transfer::Entity::update_many()
                .set(folder_transfer::ActiveModel {
                    task_id: Set(Some(task_id.to_owned())),
                    ..Default::default()
                })
                .filter(folder_transfer::Column::FolderId.eq(folder.as_str()))
                .filter(folder_transfer::Column::SubmissionId.eq(submission_id))
                .exec(&*transaction)
                .await?;
            Ok(())
        })
        .await
    }
}

impl TryFrom<folder_transfer::Model> for FolderTransfer {
    type Error = StoreError;

    fn try_from(row: folder_transfer::Model) -> Result<Self, StoreError> {
        let folder_transfer::Model {
            folder_id,
            submission_id,
            transfer,
            task_id,
            created_at,
        } = row;
        Ok(Self {
            transfer: read_json("folder_transfers", &folder_id, "transfer", &transfer)?,
            folder_id: FolderId::from_text(folder_id),
            submission_id,
            task_id,
            created_at: Timestamp::from_millis(created_at),
        })
    }
}
