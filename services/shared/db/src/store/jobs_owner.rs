//! Jobs, as their owner sees and changes them: nobody else's can be reached.

use compute_domain::{
    Timestamp,
    ids::{FolderId, JobId, UserId},
    job::{Job, State, Step},
};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait, IntoActiveValue as _, QueryFilter,
    Select, Set,
};
use serde_json::{Map, Value};

use super::{fits, may_be_id, user_limits::lock_user};
use crate::{Store, StoreError, convert::write_json, entity::job};

/// Maximum number of characters in the name of a job or folder.
pub const NAME_LIMIT: usize = 255;

/// A job that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJob {
    /// Its id, of [`Store::new_job_id`]: what is sealed for the job names it.
    pub id: JobId,
    /// Who owns it.
    pub user_id: UserId,
    /// Maintainer, a key of `maintainer.json`.
    pub maintainer: String,
    /// HPC, a key of `hpc.json`.
    pub hpc: String,
    /// Its owner's account there, if the HPC has private ones.
    pub account: Option<String>,
    /// What its owner computes access tokens from, sealed; if they want any.
    pub secret_token: Option<String>,
}

/// What an owner changes before submitting; what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct JobPatch {
    /// A name of at most [`NAME_LIMIT`] characters.
    pub name: Option<String>,
    /// Parameters for the program, all of them.
    pub param: Option<Map<String, Value>>,
    /// Environment for the program, all of it.
    pub env: Option<Map<String, Value>>,
    /// Slurm options, all of them.
    pub slurm: Option<Map<String, Value>>,
    /// Where the program comes from.
    pub local_executable_folder: Option<Value>,
    /// Where the data comes from.
    pub local_data_folder: Option<Value>,
    /// A folder on the HPC that holds the data; the caller has checked whose it is.
    pub remote_data_folder_id: Option<FolderId>,
    /// A folder on the HPC that holds the program; the caller has checked whose it is.
    pub remote_executable_folder_id: Option<FolderId>,
}

/// What became of a change.
#[derive(Debug, Clone, PartialEq)]
pub enum ChangeOutcome {
    /// Done.
    Changed(Box<Job>),
    /// The user has no such job.
    NotFound,
    /// The job is submitted: nothing would read the change.
    AlreadySubmitted,
}

impl Store {
    /// Makes a job, if the user may have one more that is not submitted.
    ///
    /// # Errors
    /// [`StoreError::Limit`] if not; [`StoreError::Unfit`] if the id of its owner is longer
    /// than 255 characters, or begins or ends with white space; others if it was not made,
    /// or it is not known whether it was.
    pub async fn create_job(&self, new: NewJob) -> Result<Job, StoreError> {
        if !fits(new.user_id.as_str()) {
            // SQLite would keep it, and MariaDB would take it for another's.
            let words = "the id of a user is too long, or begins or ends with white space";
            return Err(StoreError::Unfit(DbErr::Custom(words.to_owned())));
        }
        let now = self.now();
        let NewJob {
            id,
            user_id,
            maintainer,
            hpc,
            account,
            secret_token,
        } = new;
        let (user, id) = (&user_id, &id);
        let row = &job::ActiveModel {
            id: Set(id.to_string()),
            user_id: Set(user_id.to_string()),
            maintainer: Set(maintainer),
            hpc: Set(hpc),
            account: Set(account),
            param: Set(write_json(&Map::new())),
            env: Set(write_json(&Map::new())),
            slurm: Set(write_json(&Map::new())),
            state: Set(State::Created.as_str().to_owned()),
            step: Set(Step::Prepare.as_str().to_owned()),
            fence: Set(0),
            attempts: Set(0),
            is_failed: Set(false),
            is_mpi_approved: Set(false),
            secret_token: Set(secret_token),
            created_at: Set(now.millis()),
            ..Default::default()
        };
        self.make_user_slot(user).await?;
        self.write(|transaction| async move {
            lock_user(&*transaction, user).await?;
            self.check_drafts(&*transaction, user).await?;
            job::Entity::insert(row.clone())
                .exec_without_returning(&*transaction)
                .await?;
            self.mark_done(&*transaction).await?;
            find(&*transaction, user, id)
                .await?
                .ok_or(StoreError::LeaseLost)
        })
        .await
    }

    /// The user's job of that id.
    ///
    /// # Errors
    /// [`StoreError`] if it could not be read.
    pub async fn job_of(&self, user: &UserId, id: &JobId) -> Result<Option<Job>, StoreError> {
        find(&self.connection, user, id).await
    }

    /// Changes a job that is not submitted yet, if the user's drafts stay within their
    /// limit.
    ///
    /// # Errors
    /// [`StoreError::Limit`] if they do not; any other if it was not changed, or it is not known whether it was.
    pub async fn change_job(
        &self,
        user: &UserId,
        id: &JobId,
        patch: JobPatch,
    ) -> Result<ChangeOutcome, StoreError> {
        if !may_be_id(id.as_str()) {
            return Ok(ChangeOutcome::NotFound);
        }
        let row = &patch_row(patch, self.now());
        self.make_user_slot(user).await?;
        self.write(|transaction| async move {
            lock_user(&*transaction, user).await?;
            let changed = job::Entity::update_many()
                .set(row.clone())
                .filter(job::Column::Id.eq(id.as_str()))
                .filter(job::Column::UserId.eq(user.as_str()))
                .filter(job::Column::State.eq(State::Created.as_str()))
                .exec(&*transaction)
                .await?;
            Ok(match find(&*transaction, user, id).await? {
                None => ChangeOutcome::NotFound,
                Some(_) if changed.rows_affected == 0 => ChangeOutcome::AlreadySubmitted,
                Some(job) => {
                    self.check_draft_bytes(&*transaction, user).await?;
                    ChangeOutcome::Changed(Box::new(job))
                }
            })
        })
        .await
    }
}

/// Every question of an owner begins here.
pub(super) fn of_user(user: &UserId) -> Select<job::Entity> {
    job::Entity::find()
        .filter(job::Column::UserId.eq(user.as_str()))
        .filter(job::Column::DeletedAt.is_null())
}

pub(super) async fn find(
    connection: &impl ConnectionTrait,
    user: &UserId,
    id: &JobId,
) -> Result<Option<Job>, StoreError> {
    if !may_be_id(id.as_str()) {
        return Ok(None);
    }
    let row = of_user(user)
        .filter(job::Column::Id.eq(id.as_str()))
        .one(connection)
        .await?;
    row.map(Job::try_from).transpose()
}

fn patch_row(patch: JobPatch, now: Timestamp) -> job::ActiveModel {
    let JobPatch {
        name,
        param,
        env,
        slurm,
        local_executable_folder,
        local_data_folder,
        remote_data_folder_id,
        remote_executable_folder_id,
    } = patch;
    let json = |value: Option<Value>| value.as_ref().map(|value| Some(write_json(value)));
    let map = |value: Option<Map<String, Value>>| value.as_ref().map(write_json);
    let id = |value: Option<FolderId>| value.map(|id| Some(id.to_string()));
    job::ActiveModel {
        name: name.map(Some).into_active_value(),
        param: map(param).into_active_value(),
        env: map(env).into_active_value(),
        slurm: map(slurm).into_active_value(),
        local_executable_folder: json(local_executable_folder).into_active_value(),
        local_data_folder: json(local_data_folder).into_active_value(),
        remote_data_folder_id: id(remote_data_folder_id).into_active_value(),
        remote_executable_folder_id: id(remote_executable_folder_id).into_active_value(),
        updated_at: Set(Some(now.millis())),
        ..Default::default()
    }
}
