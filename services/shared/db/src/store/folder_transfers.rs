//! Globus transfers out of folders: the latest one of each.

use compute_domain::{
    Timestamp,
    ids::{FolderId, JobId, UserId},
    job::Job,
};
use sea_orm::{
    ActiveValue::NotSet, ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _,
    QueryFilter as _, Set, sea_query::OnConflict,
};
use serde_json::Value;

use super::{folders::is_writable, jobs_of_folder::find_job_writing_to, user_limits::lock_user};
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
    /// Whether it is known that Globus reads the folder no more.
    pub is_over: bool,
}

/// What came of writing down a new transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransferOutcome {
    /// It is the latest one of its folder.
    Begun,
    /// Another transfer of the folder was begun meanwhile.
    Another,
    /// A job of the folder's owner that is not over may write to the folder.
    Written(JobId),
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

    /// Writes down a transfer of the user's folder before it is asked for, in the place
    /// of the one with the submission id `instead_of`, or of none. A job that may write to
    /// the folder is either seen here, or its submit sees the transfer.
    ///
    /// # Errors
    /// [`StoreError`] if it was not written, or it is not known whether it was.
    pub async fn begin_folder_transfer(
        &self,
        user: &UserId,
        new: FolderTransfer,
        instead_of: Option<&str>,
        keeps_read_only: bool,
    ) -> Result<TransferOutcome, StoreError> {
        let row = &folder_transfer::ActiveModel {
            folder_id: Set(new.folder_id.to_string()),
            submission_id: Set(new.submission_id.clone()),
            transfer: Set(write_json(&new.transfer)),
            task_id: Set(new.task_id),
            created_at: Set(new.created_at.millis()),
            over_submission_id: Set(new.is_over.then(|| new.submission_id.clone())),
        };
        let (id, submission) = (&new.folder_id, &new.submission_id);
        self.make_user_slot(user).await?;
        self.write(|transaction| async move {
            lock_user(&*transaction, user).await?;
            if let Some(job) = find_job_writing_to(&*transaction, user, id, keeps_read_only).await?
            {
                return Ok(TransferOutcome::Written(job));
            }
            let Some(instead_of) = instead_of else {
                let ignore = OnConflict::column(folder_transfer::Column::FolderId)
                    .do_nothing_on([folder_transfer::Column::FolderId])
                    .to_owned();
                folder_transfer::Entity::insert(row.clone())
                    .on_conflict(ignore)
                    .exec_without_returning(&*transaction)
                    .await?;
                // MariaDB counts a row that it left alone, too.
                let kept = folder_transfer::Entity::find_by_id(id.as_str())
                    .one(&*transaction)
                    .await?;
                let is_new = kept.is_some_and(|kept| kept.submission_id == *submission);
                return Ok(TransferOutcome::of(is_new));
            };
            let replaced = folder_transfer::Entity::update_many()
                .set(folder_transfer::ActiveModel {
                    folder_id: NotSet,
                    ..row.clone()
                })
                .filter(folder_transfer::Column::FolderId.eq(id.as_str()))
                .filter(folder_transfer::Column::SubmissionId.eq(instead_of))
                .exec(&*transaction)
                .await?;
            Ok(TransferOutcome::of(replaced.rows_affected > 0))
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
        let row = folder_transfer::ActiveModel {
            task_id: Set(Some(task_id.to_owned())),
            over_submission_id: Set(None),
            ..Default::default()
        };
        self.change_transfer(of_submission(folder, submission_id), row)
            .await
    }

    /// Writes down that Globus reads the folder no more for the transfer of that submission id.
    ///
    /// # Errors
    /// [`StoreError`] if it was not written, or it is not known whether it was.
    pub async fn folder_transfer_is_over(
        &self,
        folder: &FolderId,
        submission_id: &str,
    ) -> Result<(), StoreError> {
        let transfer = of_submission(folder, submission_id);
        self.change_transfer(transfer, over(submission_id)).await
    }

    /// Writes down that the transfer of that submission id was refused, and is not
    /// running; nothing if Globus has accepted it meanwhile.
    ///
    /// # Errors
    /// [`StoreError`] if it was not written, or it is not known whether it was.
    pub async fn folder_transfer_refused(
        &self,
        folder: &FolderId,
        submission_id: &str,
    ) -> Result<(), StoreError> {
        let not_accepted =
            of_submission(folder, submission_id).add(folder_transfer::Column::TaskId.is_null());
        self.change_transfer(not_accepted, over(submission_id))
            .await
    }

    async fn change_transfer(
        &self,
        transfer: Condition,
        row: folder_transfer::ActiveModel,
    ) -> Result<(), StoreError> {
        let (transfer, row) = (&transfer, &row);
        self.write(|transaction| async move {
            folder_transfer::Entity::update_many()
                .set(row.clone())
                .filter(transfer.clone())
                .exec(&*transaction)
                .await?;
            Ok(())
        })
        .await
    }
}

/// A transfer that another one has replaced has another submission id.
fn of_submission(folder: &FolderId, submission_id: &str) -> Condition {
    Condition::all()
        .add(folder_transfer::Column::FolderId.eq(folder.as_str()))
        .add(folder_transfer::Column::SubmissionId.eq(submission_id))
}

fn over(submission_id: &str) -> folder_transfer::ActiveModel {
    folder_transfer::ActiveModel {
        over_submission_id: Set(Some(submission_id.to_owned())),
        ..Default::default()
    }
}

impl TransferOutcome {
    fn of(is_begun: bool) -> Self {
        if is_begun { Self::Begun } else { Self::Another }
    }
}

/// The first folder that the job may write to once it runs, and that Globus may still be
/// reading: its data folder, as it runs in and writes to folders of its own else.
pub(super) async fn find_transferred(
    connection: &impl ConnectionTrait,
    job: &Job,
    keeps_read_only: bool,
) -> Result<Option<FolderId>, StoreError> {
    let Some(id) = &job.remote_data_folder_id else {
        return Ok(None);
    };
    let transfer = folder_transfer::Entity::find_by_id(id.as_str())
        .one(connection)
        .await?;
    if transfer.is_none_or(|transfer| transfer.is_over()) {
        return Ok(None);
    }
    let is_written = !keeps_read_only || is_writable(connection, id).await?;
    Ok(is_written.then(|| id.clone()))
}

impl folder_transfer::Model {
    fn is_over(&self) -> bool {
        self.over_submission_id.as_ref() == Some(&self.submission_id)
    }
}

impl TryFrom<folder_transfer::Model> for FolderTransfer {
    type Error = StoreError;

    fn try_from(row: folder_transfer::Model) -> Result<Self, StoreError> {
        let is_over = row.is_over();
        let folder_transfer::Model {
            folder_id,
            submission_id,
            transfer,
            task_id,
            created_at,
            over_submission_id: _,
        } = row;
        Ok(Self {
            transfer: read_json("folder_transfers", &folder_id, "transfer", &transfer)?,
            folder_id: FolderId::from_text(folder_id),
            submission_id,
            task_id,
            created_at: Timestamp::from_millis(created_at),
            is_over,
        })
    }
}
