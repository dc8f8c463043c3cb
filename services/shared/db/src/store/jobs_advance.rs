//! The carrier's writes.

use compute_domain::{
    Timestamp,
    ids::{JobId, MaintainerId},
    job::{Change, Folder, Job, State, Usage},
};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, IntoActiveValue as _, QueryFilter as _,
    QuerySelect as _, Set,
};

use super::events;
use crate::{
    Progress, Store, StoreError,
    convert::{folder_row, storable, write_json},
    entity::{folder, job},
};

/// Proof of carrying a job: what the row must still say for a write to happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The job.
    pub id: JobId,
    /// The fence with which it was taken.
    pub fence: i64,
    /// Who took it.
    pub owner: MaintainerId,
}

impl Store {
    /// Writes what a carrier has to write down: all of it, or nothing. The job as
    /// it is afterwards.
    ///
    /// Accepting sets `initialized_at`. The first start sets `started_at`: as the HPC
    /// says, between `initialized_at` and now since its clock is another one; else now.
    /// An end sets `finished_at` and `is_failed`, and ends the lease.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] if the caller does not carry the job (any more),
    /// [`StoreError::Illegal`] if its state does not allow the change; else as
    /// anywhere. After [`StoreError::Unavailable`] the write may have happened.
    pub async fn advance(&self, held: &Held, progress: Progress) -> Result<Job, StoreError> {
        let progress = &progress;
        self.write(
            |transaction| async move { advance(&*transaction, held, progress, self.now()).await },
        )
        .await
    }
}

/// [`Store::advance`], within a transaction.
pub(super) async fn advance(
    transaction: &impl ConnectionTrait,
    held: &Held,
    progress: &Progress,
    now: Timestamp,
) -> Result<Job, StoreError> {
    let before = lock(transaction, held).await?;
    let state = match progress.change {
        Some(change) => before.state.after(change)?,
        None => before.state,
    };
    for folder in new_folders(progress) {
        folder::Entity::insert(folder_row(folder))
            .exec_without_returning(transaction)
            .await?;
    }
    job::Entity::update_many()
        .set(row_of(&before, progress, state, now))
        .filter(job::Column::Id.eq(held.id.as_str()))
        .filter(job::Column::Fence.eq(held.fence))
        .exec(transaction)
        .await?;
    for event in &progress.events {
        events::insert_event(transaction, &held.id, event, now).await?;
    }
    for log in &progress.logs {
        events::insert_log(transaction, &held.id, log, now).await?;
    }
    let row = job::Entity::find_by_id(held.id.as_str())
        .one(transaction)
        .await?;
    row.map(Job::try_from)
        .transpose()?
        .ok_or(StoreError::LeaseLost)
}

/// The job's row, if `held` still holds; nobody else writes to it until the end of
/// the transaction.
async fn lock(transaction: &impl ConnectionTrait, held: &Held) -> Result<Job, StoreError> {
    let row = job::Entity::find_by_id(held.id.as_str())
        .filter(job::Column::Fence.eq(held.fence))
        .filter(job::Column::Owner.eq(held.owner.as_str()))
        .lock_exclusive()
        .one(transaction)
        .await?;
    row.map(Job::try_from)
        .transpose()?
        .ok_or(StoreError::LeaseLost)
}

fn new_folders(progress: &Progress) -> impl Iterator<Item = &Folder> {
    [
        &progress.executable_folder,
        &progress.executable_copy,
        &progress.data_folder,
        &progress.result_folder,
    ]
    .into_iter()
    .flatten()
}

fn row_of(before: &Job, progress: &Progress, state: State, now: Timestamp) -> job::ActiveModel {
    let time = now.millis();
    let text = |text: &Option<String>| text.as_deref().map(|text| Some(storable(text)));
    let folder = |folder: &Option<Folder>| folder.as_ref().map(|f| Some(f.id.to_string()));
    let mut row = job::ActiveModel {
        state: Set(state.as_str().to_owned()),
        step: progress
            .step
            .map(|step| step.as_str().to_owned())
            .into_active_value(),
        slurm_id: text(&progress.slurm_id).into_active_value(),
        cause: text(&progress.cause).into_active_value(),
        blocked_reason: progress
            .blocked_reason
            .as_ref()
            .map(|reason| reason.as_deref().map(storable))
            .into_active_value(),
        next_probe_at: progress
            .next_probe_at
            .map(|at| at.map(Timestamp::millis))
            .into_active_value(),
        attempts: progress.attempts.into_active_value(),
        remote_executable_folder_id: folder(&progress.executable_folder).into_active_value(),
        executable_copy_id: folder(&progress.executable_copy).into_active_value(),
        remote_data_folder_id: folder(&progress.data_folder).into_active_value(),
        remote_result_folder_id: folder(&progress.result_folder).into_active_value(),
        result_listing: progress
            .result_listing
            .as_ref()
            .map(|listing| Some(write_json(listing)))
            .into_active_value(),
        data_transfer: progress
            .data_transfer
            .as_ref()
            .map(|transfer| Some(write_json(transfer)))
            .into_active_value(),
        updated_at: Set(Some(time)),
        ..Default::default()
    };
    if let Some(usage) = progress.usage {
        set_usage(&mut row, usage);
    }
    if progress.clear_intent.is_some() && progress.clear_intent == before.intent {
        row.intent = Set(None);
        row.intent_by = Set(None);
    }
    if progress.change == Some(Change::Accept) {
        row.initialized_at = Set(Some(time));
    }
    if before.started_at.is_none()
        && let Some(at) = start(before, progress, now)
    {
        row.started_at = Set(Some(at.millis()));
    }
    if state.is_terminal() {
        row.finished_at = Set(Some(time));
        row.is_failed = Set(state != State::Ended);
        row.blocked_reason = Set(None);
        row.next_probe_at = Set(None);
    }
    if state.is_terminal() || progress.release {
        row.owner = Set(None);
        row.lease_until = Set(None);
    }
    row
}

/// When the job began to run, if it has.
fn start(before: &Job, progress: &Progress, now: Timestamp) -> Option<Timestamp> {
    let seen = (progress.change == Some(Change::Start)).then_some(now);
    let at = progress.started_at.or(seen)?;
    Some(at.max(before.initialized_at.unwrap_or(at)).min(now))
}

fn set_usage(row: &mut job::ActiveModel, usage: Usage) {
    let Usage {
        nodes,
        cpus,
        cpu_time,
        memory,
        memory_usage,
        walltime,
    } = usage;
    row.nodes = Set(nodes);
    row.cpus = Set(cpus);
    row.cpu_time = Set(cpu_time);
    row.memory = Set(memory);
    row.memory_usage = Set(memory_usage);
    row.walltime = Set(walltime);
}
