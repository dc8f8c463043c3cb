//! Sums over jobs: what was used, how long they ran, how many are open.

use compute_domain::{
    Timestamp,
    ids::UserId,
    job::{State, Usage},
};
use sea_orm::{
    ColumnTrait as _, DbBackend, EntityTrait as _, FromQueryResult, QueryFilter as _,
    QuerySelect as _,
    sea_query::{Alias, Expr, ExprTrait as _, SimpleExpr},
};

use super::{jobs_operator::read_state, user_limits::count_open_jobs};
use crate::{Store, StoreError, entity::job};

/// How long the jobs of an HPC ran, all together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runtime {
    /// The HPC.
    pub hpc: String,
    /// From the scheduler's acceptance to the end, milliseconds.
    pub millis: i64,
}

/// Jobs of an HPC in a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenJobs {
    /// The HPC.
    pub hpc: String,
    /// The state.
    pub state: State,
    /// How many.
    pub jobs: u64,
    /// When the first of them was submitted.
    pub oldest: Option<Timestamp>,
}

#[derive(FromQueryResult)]
struct Sums {
    nodes: Option<i64>,
    cpus: Option<i64>,
    cpu_time: Option<i64>,
    memory: Option<i64>,
    memory_usage: Option<i64>,
    walltime: Option<i64>,
}

impl Store {
    /// How long the jobs that are over ran, by HPC in the order of its name.
    ///
    /// # Errors
    /// [`StoreError`] if they could not be summed.
    pub async fn runtimes(&self) -> Result<Vec<Runtime>, StoreError> {
        let ran = Expr::col(job::Column::FinishedAt).sub(Expr::col(job::Column::InitializedAt));
        let rows = job::Entity::find()
            .select_only()
            .column(job::Column::Hpc)
            .column_as(
                whole_sum(self.connection.get_database_backend(), ran),
                "millis",
            )
            .filter(job::Column::FinishedAt.is_not_null())
            .filter(job::Column::InitializedAt.is_not_null())
            .group_by(job::Column::Hpc)
            .into_tuple::<(String, i64)>()
            .all(&self.connection)
            .await?;
        let mut runtimes: Vec<_> = rows
            .into_iter()
            .map(|(hpc, millis)| Runtime { hpc, millis })
            .collect();
        runtimes.sort_by(|one, other| one.hpc.cmp(&other.hpc));
        Ok(runtimes)
    }

    /// What all jobs of the user have used, as far as it is known.
    ///
    /// # Errors
    /// [`StoreError`] if it could not be summed.
    pub async fn usage_of(&self, user: &UserId) -> Result<Usage, StoreError> {
        let backend = self.connection.get_database_backend();
        let sum = |column: job::Column| whole_sum(backend, Expr::col(column));
        let sums = job::Entity::find()
            .select_only()
            .column_as(sum(job::Column::Nodes), "nodes")
            .column_as(sum(job::Column::Cpus), "cpus")
            .column_as(sum(job::Column::CpuTime), "cpu_time")
            .column_as(sum(job::Column::Memory), "memory")
            .column_as(sum(job::Column::MemoryUsage), "memory_usage")
            .column_as(sum(job::Column::Walltime), "walltime")
            .filter(job::Column::UserId.eq(user.as_str()))
            .into_model::<Sums>()
            .one(&self.connection)
            .await?;
        Ok(sums.map_or_else(Usage::default, |sums| Usage {
            nodes: sums.nodes,
            cpus: sums.cpus,
            cpu_time: sums.cpu_time,
            memory: sums.memory,
            memory_usage: sums.memory_usage,
            walltime: sums.walltime,
        }))
    }

    /// How many jobs of the user are submitted and not over.
    ///
    /// # Errors
    /// [`StoreError`] if they could not be counted.
    pub async fn open_jobs_of(&self, user: &UserId) -> Result<u64, StoreError> {
        count_open_jobs(&self.connection, user).await
    }

    /// The jobs of these HPCs that are submitted and not over, counted by HPC and
    /// state; in no particular order.
    ///
    /// # Errors
    /// [`StoreError`] if they could not be counted.
    pub async fn open_jobs(&self, hpcs: &[&str]) -> Result<Vec<OpenJobs>, StoreError> {
        let counts = job::Entity::find()
            .select_only()
            .columns([job::Column::Hpc, job::Column::State])
            .column_as(job::Column::Id.count(), "jobs")
            .column_as(job::Column::SubmittedAt.min(), "oldest")
            .filter(job::Column::Hpc.is_in(hpcs.iter().copied()))
            .filter(job::Column::State.is_in(open_states()))
            .group_by(job::Column::Hpc)
            .group_by(job::Column::State)
            .into_tuple::<(String, String, i64, Option<i64>)>()
            .all(&self.connection)
            .await?;
        let counted = counts.into_iter().map(|(hpc, state, jobs, oldest)| {
            Ok(OpenJobs {
                state: read_state(&hpc, &state)?,
                hpc,
                jobs: u64::try_from(jobs).unwrap_or(0),
                oldest: oldest.map(Timestamp::from_millis),
            })
        });
        counted.collect()
    }
}

/// A sum as a 64-bit number: PostgreSQL and MariaDB would make a decimal of it.
pub(super) fn whole_sum(backend: DbBackend, of: SimpleExpr) -> SimpleExpr {
    let kind = match backend {
        DbBackend::MySql => "SIGNED",
        _ => "BIGINT",
    };
    of.sum().cast_as(Alias::new(kind))
}

pub(super) fn open_states() -> impl Iterator<Item = &'static str> {
    State::ALL
        .into_iter()
        .filter(|state| state.is_open())
        .map(State::as_str)
}
