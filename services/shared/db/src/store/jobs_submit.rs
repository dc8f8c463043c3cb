//! Submitting: what was checked must still hold when the job is queued.

use compute_domain::{
    ids::{FolderId, JobId},
    job::{Change, Job, NewEvent, State},
};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QuerySelect as _, Set,
};
use serde_json::Value;

use super::{
    Template, events,
    folder_transfers::find_transferred,
    jobs_owner::{find, of_user},
    jobs_sharing_folder::find_job_sharing_folder,
    may_be_id,
    user_limits::lock_user,
};
use crate::{
    Store, StoreError,
    convert::write_json,
    entity::{folder, job, template},
};

/// What of the template is pinned when a job is submitted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pinned {
    /// The template, if the job has one.
    pub template_id: Option<String>,
    /// Its commit.
    pub template_sha: Option<String>,
    /// Address of its repository: the commit can be fetched after the template is removed.
    pub template_address: Option<String>,
    /// Its manifest at that commit.
    pub manifest: Option<Value>,
    /// Whether it is approved for MPI.
    pub is_mpi_approved: bool,
    /// What the job's owner should know of it, for the event.
    pub notice: Option<String>,
}

/// What a submit was checked against. The values are compared, not a version of the row:
/// a gateway of the version before changes rows without counting.
#[derive(Debug, Clone)]
pub struct Checked {
    /// The job as it was validated.
    pub job: Job,
    /// Its template as it was looked up, if it has one.
    pub template: Option<Template>,
    /// Whether programs on its HPC are kept from writing to data that is not writable.
    pub keeps_read_only: bool,
}

impl Checked {
    /// `job`, without a template, where data that is not writable is bound read-only.
    pub fn of(job: &Job) -> Self {
        Self {
            job: job.clone(),
            template: None,
            keeps_read_only: true,
        }
    }
}

/// What became of a submit.
#[derive(Debug, Clone, PartialEq)]
pub enum SubmitOutcome {
    /// The job waits for a maintainer.
    Queued(Box<Job>),
    /// Another submit was first.
    AlreadySubmitted,
    /// The user has no such job.
    NotFound,
    /// The job's values are not the ones that were checked.
    JobChanged,
    /// The template is not the one that was looked up, or not approved as it was.
    TemplateChanged,
    /// A folder of the job is deleted, or not the user's.
    NoFolder(FolderId),
    /// Another open job may write to a folder that this one uses, or the other way round.
    FolderShared(JobId),
    /// The job may write to a folder that Globus may still be reading.
    Transferred(FolderId),
}

impl Store {
    /// Submits a job: `created` → `queued`, with its event, if what was checked still
    /// holds. Of several submits at once, one wins; a change comes before, and is seen,
    /// or after, and is refused.
    ///
    /// # Errors
    /// [`StoreError::Limit`] if the user has too many open jobs; any other if it was not
    /// submitted, or it is not known whether it was.
    pub async fn submit_job(
        &self,
        checked: &Checked,
        pinned: Pinned,
    ) -> Result<SubmitOutcome, StoreError> {
        let (user, id) = (&checked.job.user_id, &checked.job.id);
        if !may_be_id(id.as_str()) {
            return Ok(SubmitOutcome::NotFound);
        }
        let now = self.now();
        let queued = State::Created.after(Change::Submit)?;
        let Pinned {
            template_id,
            template_sha,
            template_address,
            manifest,
            is_mpi_approved,
            notice,
        } = pinned;
        let event = &NewEvent::queued(id, notice.as_deref());
        let row = &job::ActiveModel {
            state: Set(queued.as_str().to_owned()),
            submitted_at: Set(Some(now.millis())),
            updated_at: Set(Some(now.millis())),
            template_id: Set(template_id),
            template_sha: Set(template_sha),
            template_address: Set(template_address),
            manifest: Set(manifest.as_ref().map(write_json)),
            is_mpi_approved: Set(is_mpi_approved),
            ..Default::default()
        };
        self.make_user_slot(user).await?;
        self.write(|transaction| async move {
            lock_user(&*transaction, user).await?;
            if let Some(outcome) = self.obstacle(&*transaction, checked).await? {
                return Ok(outcome);
            }
            job::Entity::update_many()
                .set(row.clone())
                .filter(job::Column::Id.eq(id.as_str()))
                .exec(&*transaction)
                .await?;
            let Some(job) = find(&*transaction, user, id).await? else {
                return Ok(SubmitOutcome::NotFound);
            };
            events::insert_event(&*transaction, id, event, now).await?;
            self.mark_done(&*transaction).await?;
            Ok(SubmitOutcome::Queued(Box::new(job)))
        })
        .await
    }

    /// Why the job is not queued; its row stays locked.
    async fn obstacle(
        &self,
        transaction: &impl ConnectionTrait,
        checked: &Checked,
    ) -> Result<Option<SubmitOutcome>, StoreError> {
        let Checked {
            job,
            template,
            keeps_read_only,
        } = checked;
        let row = of_user(&job.user_id)
            .filter(job::Column::Id.eq(job.id.as_str()))
            .lock_exclusive()
            .one(transaction)
            .await?;
        let Some(current) = row.map(Job::try_from).transpose()? else {
            return Ok(Some(SubmitOutcome::NotFound));
        };
        if current.state != State::Created {
            return Ok(Some(SubmitOutcome::AlreadySubmitted));
        }
        if !has_same_values(job, &current) {
            return Ok(Some(SubmitOutcome::JobChanged));
        }
        if let Some(template) = template
            && !is_unchanged(transaction, template).await?
        {
            return Ok(Some(SubmitOutcome::TemplateChanged));
        }
        if let Some(id) = missing_folder(transaction, &current).await? {
            return Ok(Some(SubmitOutcome::NoFolder(id)));
        }
        if let Some(other) =
            find_job_sharing_folder(transaction, &current, *keeps_read_only).await?
        {
            return Ok(Some(SubmitOutcome::FolderShared(other)));
        }
        if let Some(id) = find_transferred(transaction, &current, *keeps_read_only).await? {
            return Ok(Some(SubmitOutcome::Transferred(id)));
        }
        self.check_open_job_limit(transaction, &job.user_id).await?;
        Ok(None)
    }
}

/// Whether everything that an owner can change, and that decides what runs, is the same.
fn has_same_values(one: &Job, other: &Job) -> bool {
    let values = |job: &Job| {
        (
            [job.param.clone(), job.env.clone(), job.slurm.clone()],
            [
                job.local_executable_folder.clone(),
                job.local_data_folder.clone(),
            ],
            [
                job.remote_executable_folder_id.clone(),
                job.remote_data_folder_id.clone(),
            ],
            [job.maintainer.clone(), job.hpc.clone()],
        )
    };
    values(one) == values(other)
}

async fn is_unchanged(
    transaction: &impl ConnectionTrait,
    looked_up: &Template,
) -> Result<bool, StoreError> {
    let row = template::Entity::find_by_id(looked_up.id.as_str())
        .one(transaction)
        .await?;
    Ok(row.is_some_and(|row| Template::from(row) == *looked_up))
}

/// The first folder that the job names and that its owner does not have.
async fn missing_folder(
    transaction: &impl ConnectionTrait,
    job: &Job,
) -> Result<Option<FolderId>, StoreError> {
    let named = [&job.remote_executable_folder_id, &job.remote_data_folder_id];
    for id in named.into_iter().flatten() {
        let row = folder::Entity::find_by_id(id.as_str())
            .filter(folder::Column::UserId.eq(job.user_id.as_str()))
            .filter(folder::Column::DeletedAt.is_null())
            .one(transaction)
            .await?;
        if row.is_none() {
            return Ok(Some(id.clone()));
        }
    }
    Ok(None)
}
