//! The writes of the maintainer that holds a job's lease.

use compute_domain::{
    Timestamp,
    ids::{JobId, UserId},
    job::{Change, Folder, Intent, Job, State, Usage},
};
use sea_orm::{
    ActiveValue, ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _,
    QuerySelect as _, Set, sea_query::SimpleExpr,
};

use super::{
    events,
    lease_rules::{LeaseHolder, is_live},
};
use crate::{
    Progress, Store, StoreError,
    convert::{folder_row, storable, write_json},
    entity::{folder, job},
};

/// What a maintainer shows when it writes to a job: the row must still name the same lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseToken {
    /// The job.
    pub id: JobId,
    /// The fence with which the lease was taken.
    pub fence: i64,
    /// The process that took it, and under which of its leases.
    pub holder: LeaseHolder,
}

/// When a write of a maintainer happens.
#[derive(Clone)]
pub(super) struct Moment {
    /// For what is shown.
    pub(super) now: Timestamp,
    /// For the lease.
    pub(super) lease_now: SimpleExpr,
}

/// What of the row others may have changed, or decides what is written.
struct Locked {
    revision: i64,
    state: State,
    intent: Option<Intent>,
    intent_by: Option<UserId>,
    initialized_at: Option<Timestamp>,
    started_at: Option<Timestamp>,
}

impl Store {
    /// Writes `progress` of `job`, which the caller has read under this lease: all of it, or
    /// nothing. Returns the job as it is afterwards; the whole row is not read again.
    ///
    /// Accepting sets `initialized_at`. The first start sets `started_at`: as the HPC
    /// says, between `initialized_at` and now since its clock is another one; else now.
    /// An end sets `finished_at` and `is_failed`, and ends the lease.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] if the caller no longer holds the lease,
    /// [`StoreError::Illegal`] if the job's state does not allow the change,
    /// [`StoreError::Stale`] if `job` was read before the latest write; others if the
    /// database fails. After [`StoreError::Unavailable`] the write may have happened:
    /// [`Store::advance_again`] repeats it.
    pub async fn advance(
        &self,
        token: &LeaseToken,
        job: &Job,
        progress: Progress,
    ) -> Result<Job, StoreError> {
        let (progress, at) = (&progress, self.moment());
        self.write(|transaction| {
            let at = at.clone();
            async move { advance(&*transaction, token, job, progress, at).await }
        })
        .await
    }

    /// Repeats [`Store::advance`] with the same `job` and `progress` after
    /// [`StoreError::Unavailable`]. If the first write happened, nothing is written again.
    ///
    /// # Errors
    /// As [`Store::advance`].
    pub async fn advance_again(
        &self,
        token: &LeaseToken,
        job: &Job,
        progress: Progress,
    ) -> Result<Job, StoreError> {
        let (progress, at) = (&progress, self.moment());
        self.write(|transaction| {
            let at = at.clone();
            async move {
                if let Some(job) = written_before(&*transaction, token, job).await? {
                    return Ok(job);
                }
                advance(&*transaction, token, job, progress, at).await
            }
        })
        .await
    }

    pub(super) fn moment(&self) -> Moment {
        Moment {
            now: self.now(),
            lease_now: self.lease_now(),
        }
    }
}

/// The job, if the write to `before` under this lease has happened. An end ends the lease as
/// well, so the row may name no holder. Only one runner ever writes under a fence, and one write
/// after the other.
async fn written_before(
    transaction: &impl ConnectionTrait,
    token: &LeaseToken,
    before: &Job,
) -> Result<Option<Job>, StoreError> {
    // Locked whatever its revision: the first write may still be on its way.
    let row = job::Entity::find_by_id(token.id.as_str())
        .filter(job::Column::Fence.eq(token.fence))
        .lock_exclusive()
        .one(transaction)
        .await?;
    let expected = before.revision.saturating_add(1);
    let written = row.filter(|row| row.revision == expected);
    written.map(Job::try_from).transpose()
}

/// [`Store::advance`], within a transaction.
pub(super) async fn advance(
    transaction: &impl ConnectionTrait,
    token: &LeaseToken,
    before: &Job,
    progress: &Progress,
    at: Moment,
) -> Result<Job, StoreError> {
    let Moment { now, lease_now } = at;
    let locked = lock(transaction, token).await?;
    if locked.revision != before.revision {
        return Err(StoreError::Stale);
    }
    let clears_intent = progress.clear_intent.is_some() && progress.clear_intent == locked.intent;
    let job = applied(before, locked, progress, now)?;
    for folder in new_folders(progress) {
        folder::Entity::insert(folder_row(folder))
            .exec_without_returning(transaction)
            .await?;
    }
    // A statement of its own, after the one that may have waited for the row: on PostgreSQL, a
    // statement that waits sees the maintainer's row as it was before.
    let written = job::Entity::update_many()
        .set(row_of(&job, progress, clears_intent))
        .filter(job::Column::Id.eq(token.id.as_str()))
        .filter(job::Column::Fence.eq(token.fence))
        .filter(is_live(&token.holder, &lease_now))
        .exec(transaction)
        .await?;
    if written.rows_affected == 0 {
        return Err(StoreError::LeaseLost);
    }
    for event in &progress.events {
        events::insert_event(transaction, &token.id, event, now).await?;
    }
    for log in &progress.logs {
        events::insert_log(transaction, &token.id, log, now).await?;
    }
    Ok(job)
}

type LockedRow = (
    i64,
    String,
    Option<String>,
    Option<String>,
    Option<i64>,
    Option<i64>,
);

/// Locks the job's row, if it still names the lease: nobody else writes to it, or takes it over,
/// until the end of the transaction.
async fn lock(
    transaction: &impl ConnectionTrait,
    token: &LeaseToken,
) -> Result<Locked, StoreError> {
    let row: Option<LockedRow> = job::Entity::find_by_id(token.id.as_str())
        .select_only()
        .columns([
            job::Column::Revision,
            job::Column::State,
            job::Column::Intent,
            job::Column::IntentBy,
            job::Column::InitializedAt,
            job::Column::StartedAt,
        ])
        .filter(job::Column::Fence.eq(token.fence))
        .filter(job::Column::LeaseHolder.eq(token.holder.id.as_str()))
        .filter(job::Column::LeaseEpoch.eq(token.holder.epoch))
        .lock_exclusive()
        .into_tuple()
        .one(transaction)
        .await?;
    let (revision, state, intent, intent_by, initialized_at, started_at) =
        row.ok_or(StoreError::LeaseLost)?;
    Ok(Locked {
        revision,
        state: read_state(&token.id, &state)?,
        // An intent that cannot be read is ignored: the job must be able to end.
        intent: intent.as_deref().and_then(Intent::from_name),
        intent_by: intent_by.map(UserId::from_text),
        initialized_at: initialized_at.map(Timestamp::from_millis),
        started_at: started_at.map(Timestamp::from_millis),
    })
}

fn read_state(id: &JobId, name: &str) -> Result<State, StoreError> {
    name.parse().map_err(|error| StoreError::Corrupt {
        table: "jobs",
        id: id.to_string(),
        column: "state",
        reason: format!("{error}"),
    })
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

/// `before` with everything that `progress` changes.
fn applied(
    before: &Job,
    locked: Locked,
    progress: &Progress,
    now: Timestamp,
) -> Result<Job, StoreError> {
    let state = match progress.change {
        Some(change) => locked.state.after(change)?,
        None => locked.state,
    };
    let mut job = Job {
        revision: locked.revision.saturating_add(1),
        state,
        updated_at: Some(now),
        intent: locked.intent,
        intent_by: locked.intent_by,
        initialized_at: locked.initialized_at,
        started_at: locked.started_at,
        ..before.clone()
    };
    if progress.clear_intent.is_some() && progress.clear_intent == job.intent {
        (job.intent, job.intent_by) = (None, None);
    }
    if progress.change == Some(Change::Accept) {
        job.initialized_at = Some(now);
    }
    if job.started_at.is_none() {
        job.started_at = start(&job, progress, now);
    }
    set_values(&mut job, progress);
    if state.is_terminal() {
        job.finished_at = Some(now);
        job.is_failed = state != State::Ended;
        job.blocked_reason = None;
        job.next_probe_at = None;
    }
    if state.is_terminal() || progress.release {
        (job.lease_holder, job.lease_epoch, job.lease_until) = (None, None, None);
    }
    Ok(job)
}

fn set_values(job: &mut Job, progress: &Progress) {
    fn set<T: Clone>(value: &mut T, new: Option<&T>) {
        if let Some(new) = new {
            value.clone_from(new);
        }
    }
    let text = |text: &Option<String>| text.as_deref().map(|text| Some(storable(text)));
    let folder = |folder: &Option<Folder>| folder.as_ref().map(|f| Some(f.id.clone()));
    set(&mut job.step, progress.step.as_ref());
    set(&mut job.slurm_id, text(&progress.slurm_id).as_ref());
    set(&mut job.cause, text(&progress.cause).as_ref());
    let reason = progress.blocked_reason.as_ref();
    let reason = reason.map(|reason| reason.as_deref().map(storable));
    set(&mut job.blocked_reason, reason.as_ref());
    set(&mut job.next_probe_at, progress.next_probe_at.as_ref());
    set(&mut job.attempts, progress.attempts.as_ref());
    let executable = folder(&progress.executable_folder);
    set(&mut job.remote_executable_folder_id, executable.as_ref());
    let copy = folder(&progress.executable_copy);
    set(&mut job.executable_copy_id, copy.as_ref());
    let data = folder(&progress.data_folder);
    set(&mut job.remote_data_folder_id, data.as_ref());
    let result = folder(&progress.result_folder);
    set(&mut job.remote_result_folder_id, result.as_ref());
    if progress.result_listing.is_some() {
        job.result_listing.clone_from(&progress.result_listing);
    }
    if progress.data_transfer.is_some() {
        job.data_transfer.clone_from(&progress.data_transfer);
    }
    set(&mut job.usage, progress.usage.as_ref());
}

/// When the job began to run, if it has.
fn start(job: &Job, progress: &Progress, now: Timestamp) -> Option<Timestamp> {
    let seen = (progress.change == Some(Change::Start)).then_some(now);
    let at = progress.started_at.or(seen)?;
    Some(at.max(job.initialized_at.unwrap_or(at)).min(now))
}

/// The columns that `progress` changes, with the values of `job`.
fn row_of(job: &Job, progress: &Progress, clears_intent: bool) -> job::ActiveModel {
    fn given<T: Into<sea_orm::Value>>(is_given: bool, value: T) -> ActiveValue<T> {
        if is_given {
            Set(value)
        } else {
            ActiveValue::NotSet
        }
    }
    let millis = |at: Option<Timestamp>| at.map(Timestamp::millis);
    let is_over = job.state.is_terminal();
    let ends_lease = is_over || progress.release;
    let starts = progress.started_at.is_some() || progress.change == Some(Change::Start);
    let mut row = job::ActiveModel {
        revision: Set(job.revision),
        state: Set(job.state.as_str().to_owned()),
        step: given(progress.step.is_some(), job.step.as_str().to_owned()),
        slurm_id: given(progress.slurm_id.is_some(), job.slurm_id.clone()),
        cause: given(progress.cause.is_some(), job.cause.clone()),
        blocked_reason: given(
            is_over || progress.blocked_reason.is_some(),
            job.blocked_reason.clone(),
        ),
        next_probe_at: given(
            is_over || progress.next_probe_at.is_some(),
            millis(job.next_probe_at),
        ),
        attempts: given(progress.attempts.is_some(), job.attempts),
        remote_executable_folder_id: given(
            progress.executable_folder.is_some(),
            job.remote_executable_folder_id
                .as_ref()
                .map(ToString::to_string),
        ),
        executable_copy_id: given(
            progress.executable_copy.is_some(),
            job.executable_copy_id.as_ref().map(ToString::to_string),
        ),
        remote_data_folder_id: given(
            progress.data_folder.is_some(),
            job.remote_data_folder_id.as_ref().map(ToString::to_string),
        ),
        remote_result_folder_id: given(
            progress.result_folder.is_some(),
            job.remote_result_folder_id
                .as_ref()
                .map(ToString::to_string),
        ),
        result_listing: given(
            progress.result_listing.is_some(),
            job.result_listing.as_ref().map(write_json),
        ),
        data_transfer: given(
            progress.data_transfer.is_some(),
            job.data_transfer.as_ref().map(write_json),
        ),
        intent: given(clears_intent, None),
        intent_by: given(clears_intent, None),
        initialized_at: given(
            progress.change == Some(Change::Accept),
            millis(job.initialized_at),
        ),
        started_at: given(starts, millis(job.started_at)),
        finished_at: given(is_over, millis(job.finished_at)),
        is_failed: given(is_over, job.is_failed),
        lease_holder: given(ends_lease, None),
        lease_epoch: given(ends_lease, None),
        lease_until: given(ends_lease, None),
        updated_at: Set(millis(job.updated_at)),
        ..Default::default()
    };
    if progress.usage.is_some() {
        set_usage(&mut row, job.usage);
    }
    row
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
