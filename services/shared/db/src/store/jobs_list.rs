//! A user's jobs, a page at a time, without what only one job's own routes show. How much a
//! page takes is bounded, whatever the rows hold.

use compute_domain::{
    Timestamp,
    ids::{FolderId, JobId, UserId},
    job::Job,
};
use sea_orm::{
    ColumnTrait as _, Condition, FromQueryResult, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
    sea_query::{Expr, ExprTrait as _, Func, SimpleExpr},
};

use super::{jobs_owner::of_user, user_limits::bytes_of};
use crate::{Store, StoreError, entity::job};

/// Jobs in a page.
pub const LISTED_JOBS: u64 = 16;

/// Largest `param` or `env` in the list, bytes. A larger one, of the time before there were
/// limits, is listed as empty; the job's own route shows it.
const LISTED_MAP: i64 = 256 << 10;

/// The same for `slurm` and for what the local folders are.
const LISTED_VALUE: i64 = 16 << 10;

/// Longest reason in the list, characters.
const LISTED_REASON: i32 = 4000;

/// The last job of a page: the next page begins behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedUntil {
    created_at: Timestamp,
    id: JobId,
}

impl ListedUntil {
    /// The page that ends with `job`.
    pub fn of(job: &Job) -> Self {
        Self {
            created_at: job.created_at,
            id: job.id.clone(),
        }
    }
}

#[derive(FromQueryResult)]
struct Row {
    id: String,
    user_id: String,
    name: Option<String>,
    maintainer: String,
    hpc: String,
    account: Option<String>,
    local_executable_folder: Option<String>,
    local_data_folder: Option<String>,
    param: String,
    env: String,
    slurm: String,
    slurm_id: Option<String>,
    state: String,
    step: String,
    fence: i64,
    intent: Option<String>,
    intent_by: Option<String>,
    cause: Option<String>,
    blocked_reason: Option<String>,
    attempts: i32,
    template_id: Option<String>,
    template_sha: Option<String>,
    remote_executable_folder_id: Option<String>,
    remote_data_folder_id: Option<String>,
    remote_result_folder_id: Option<String>,
    is_failed: bool,
    created_at: i64,
    updated_at: Option<i64>,
    deleted_at: Option<i64>,
    submitted_at: Option<i64>,
    queued_at: Option<i64>,
    initialized_at: Option<i64>,
    started_at: Option<i64>,
    finished_at: Option<i64>,
}

impl Store {
    /// The next [`LISTED_JOBS`] jobs of the user behind `after`, in the order in which they
    /// were made. Manifest, result listing, secrets, usage and lease are left out.
    ///
    /// # Errors
    /// [`StoreError`] if they could not be read.
    pub async fn listed_of(
        &self,
        user: &UserId,
        after: Option<&ListedUntil>,
    ) -> Result<Vec<Listed>, StoreError> {
        use job::Column as C;
        let mut page = of_user(user)
            .select_only()
            .columns([
                C::Id,
                C::UserId,
                C::Name,
                C::Maintainer,
                C::Hpc,
                C::Account,
                C::SlurmId,
                C::State,
                C::Step,
                C::Fence,
                C::Intent,
                C::IntentBy,
                C::Attempts,
                C::TemplateId,
                C::TemplateSha,
                C::RemoteExecutableFolderId,
                C::RemoteDataFolderId,
                C::RemoteResultFolderId,
                C::IsFailed,
                C::CreatedAt,
                C::UpdatedAt,
                C::DeletedAt,
                C::SubmittedAt,
                C::QueuedAt,
                C::InitializedAt,
                C::StartedAt,
                C::FinishedAt,
            ])
            .column_as(up_to(C::Param, LISTED_MAP, Some("{}")), "param")
            .column_as(up_to(C::Env, LISTED_MAP, Some("{}")), "env")
            .column_as(up_to(C::Slurm, LISTED_VALUE, Some("{}")), "slurm")
            .column_as(
                up_to(C::LocalExecutableFolder, LISTED_VALUE, None),
                "local_executable_folder",
            )
            .column_as(
                up_to(C::LocalDataFolder, LISTED_VALUE, None),
                "local_data_folder",
            )
            .column_as(beginning(C::Cause), "cause")
            .column_as(beginning(C::BlockedReason), "blocked_reason")
            .order_by_asc(C::CreatedAt)
            .order_by_asc(C::Id)
            .limit(LISTED_JOBS);
        if let Some(ListedUntil { created_at, id }) = after {
            let same_moment = Condition::all()
                .add(C::CreatedAt.eq(created_at.millis()))
                .add(C::Id.gt(id.as_str()));
            let later = Condition::any()
                .add(C::CreatedAt.gt(created_at.millis()))
                .add(same_moment);
            page = page.filter(later);
        }
        let rows = page.into_model::<Row>().all(&self.connection).await?;
        Ok(rows.into_iter().map(Listed).collect())
    }

    /// The same, read whole.
    ///
    /// # Errors
    /// As [`listed_of`](Self::listed_of), and if a row is not one of a job.
    pub async fn jobs_of(
        &self,
        user: &UserId,
        after: Option<&ListedUntil>,
    ) -> Result<Vec<Job>, StoreError> {
        let listed = self.listed_of(user, after).await?;
        listed.into_iter().map(Listed::into_job).collect()
    }
}

/// The text of `column`, if it has no more than `bytes`; else `instead`.
fn up_to(column: job::Column, bytes: i64, instead: Option<&'static str>) -> SimpleExpr {
    let fits = bytes_of(column).lte(bytes);
    let text = Expr::case(fits, Expr::col(column));
    match instead {
        Some(instead) => text.finally(Expr::val(instead)).into(),
        None => text.into(),
    }
}

/// The first characters of `column`.
fn beginning(column: job::Column) -> SimpleExpr {
    Func::cust("SUBSTR")
        .arg(Expr::col(column))
        .arg(Expr::val(1))
        .arg(Expr::val(LISTED_REASON))
        .into()
}

/// A job of a page, its values still as text: as values they take many times the room.
pub struct Listed(Row);

impl Listed {
    /// The page that ends with it.
    pub fn until(&self) -> ListedUntil {
        ListedUntil {
            created_at: Timestamp::from_millis(self.0.created_at),
            id: JobId::from_text(self.0.id.clone()),
        }
    }

    /// The folders that its owner sees.
    pub fn folder_ids(&self) -> impl Iterator<Item = FolderId> {
        let Row {
            remote_executable_folder_id: executable,
            remote_data_folder_id: data,
            remote_result_folder_id: result,
            ..
        } = &self.0;
        [executable, data, result]
            .into_iter()
            .flatten()
            .map(|id| FolderId::from_text(id.clone()))
    }

    /// The job.
    ///
    /// # Errors
    /// [`StoreError`] if the row is not one of a job.
    pub fn into_job(self) -> Result<Job, StoreError> {
        Job::try_from(job::Model::from(self.0))
    }
}

impl From<Row> for job::Model {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            user_id: row.user_id,
            name: row.name,
            maintainer: row.maintainer,
            hpc: row.hpc,
            account: row.account,
            local_executable_folder: row.local_executable_folder,
            local_data_folder: row.local_data_folder,
            param: row.param,
            env: row.env,
            slurm: row.slurm,
            slurm_id: row.slurm_id,
            state: row.state,
            step: row.step,
            lease_holder: None,
            lease_until: None,
            lease_epoch: None,
            fence: row.fence,
            revision: 0,
            intent: row.intent,
            intent_by: row.intent_by,
            cause: row.cause,
            blocked_reason: row.blocked_reason,
            next_probe_at: None,
            attempts: row.attempts,
            template_id: row.template_id,
            template_sha: row.template_sha,
            template_address: None,
            manifest: None,
            result_listing: None,
            remote_executable_folder_id: row.remote_executable_folder_id,
            remote_data_folder_id: row.remote_data_folder_id,
            remote_result_folder_id: row.remote_result_folder_id,
            executable_copy_id: None,
            is_mpi_approved: false,
            nodes: None,
            cpus: None,
            cpu_time: None,
            memory: None,
            memory_usage: None,
            walltime: None,
            is_failed: row.is_failed,
            secret_token: None,
            data_transfer: None,
            created_at: row.created_at,
            updated_at: row.updated_at,
            deleted_at: row.deleted_at,
            submitted_at: row.submitted_at,
            queued_at: row.queued_at,
            initialized_at: row.initialized_at,
            started_at: row.started_at,
            finished_at: row.finished_at,
        }
    }
}
