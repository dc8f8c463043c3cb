//! One query of the scheduler for all callers.
//!
//! However many callers ask about however many jobs: from the reply of one `squeue` to
//! the next one passes at least the poll interval of the HPC, and queries never
//! overlap. A query is one `squeue` for the whole account and, if followed jobs are
//! missing in its output, one `sacct` for all of these. The end of a job is remembered,
//! and never queried again.
//!
//! A caller that asks shortly before the interval has passed waits for the next query.
//! So a caller that asks once per interval gets a new result each time.

mod memory;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use compute_domain::{
    Clock, Timestamp,
    job::{JobObservation, Mark, Phase, SlurmJob},
};
use compute_proto::LiveJob;
use futures::{
    FutureExt as _,
    future::{BoxFuture, Shared},
};
use tokio::task::AbortHandle;
use tokio_util::task::TaskTracker;

use crate::{
    error::Error,
    scheduler::{Listed, Scheduler},
};
use memory::Memory;

/// Maximum number of ids in one `sacct`; others wait for the next query.
const MAX_IDS_PER_QUERY: usize = 2000;

/// In the last part of the interval, 1/4, callers wait for the next query.
const WAIT_FRACTION: u32 = 4;

/// Job states from shared queries of one scheduler.
pub(crate) struct States {
    scheduler: Arc<dyn Scheduler>,
    poll_interval: Duration,
    clock: Arc<dyn Clock>,
    tasks: TaskTracker,
    shared: Arc<Mutex<SharedState>>,
}

#[derive(Default)]
struct SharedState {
    memory: Memory,
    query: Option<Query>,
    /// When `squeue` last replied or failed.
    replied: Option<Timestamp>,
}

/// A query that is in progress or complete.
struct Query {
    task: AbortHandle,
    result: SharedSnapshot,
}

type SharedSnapshot = Shared<BoxFuture<'static, Result<Arc<Snapshot>, Error>>>;

/// The result of a query.
#[derive(Debug)]
struct Snapshot {
    queue: BTreeMap<String, Listed>,
    /// Active jobs of deployments.
    marked: Vec<(String, Mark)>,
    /// Jobs that left the queue, and about which accounting was asked.
    asked: BTreeSet<String>,
    /// Those of them that have not ended according to accounting.
    alive: BTreeMap<String, Listed>,
    /// Why accounting could not be queried, if it was needed.
    accounting: Option<Error>,
}

impl States {
    /// States of the jobs of `scheduler`. Queries run in `tasks`.
    pub(crate) fn new(
        scheduler: Arc<dyn Scheduler>,
        poll_interval: Duration,
        clock: Arc<dyn Clock>,
        tasks: TaskTracker,
    ) -> Self {
        Self {
            scheduler,
            poll_interval,
            clock,
            tasks,
            shared: Arc::default(),
        }
    }

    /// One observation for each job, not older than the poll interval. A job that neither
    /// queue nor accounting knows (yet), or whose id belongs to another job, is absent. What a
    /// missing row of the queue means is unknown while accounting has the job as pending or
    /// running, or does not answer.
    ///
    /// # Errors
    /// If the scheduler could not be queried; then nothing is known about any job.
    pub(crate) async fn observe(&self, jobs: &[SlurmJob]) -> Result<Vec<JobObservation>, Error> {
        let ids: Vec<_> = jobs.iter().map(|job| job.slurm_id.clone()).collect();
        let result = self.query(&ids);
        let snapshot = result.await?;
        let shared = lock(&self.shared);
        Ok(jobs
            .iter()
            .map(|job| observation(job, &snapshot, &shared.memory))
            .collect())
    }

    /// The active jobs of `deployment`, not older than the poll interval.
    ///
    /// # Errors
    /// If the scheduler could not be queried.
    pub(crate) async fn of_deployment(&self, deployment: &str) -> Result<Vec<LiveJob>, Error> {
        let snapshot = self.query(&[]).await?;
        let ours = snapshot.marked.iter();
        let ours = ours.filter(|(_, mark)| mark.deployment == deployment);
        Ok(ours
            .map(|(slurm_id, mark)| LiveJob {
                slurm_id: slurm_id.clone(),
                job: mark.job.clone(),
            })
            .collect())
    }

    /// The query that is in progress or fresh, or a new one.
    fn query(&self, ids: &[String]) -> SharedSnapshot {
        let now = self.clock.now();
        let mut shared = lock(&self.shared);
        shared.memory.follow(ids, now);
        let wait = shared
            .replied
            .map_or(Duration::ZERO, |replied| self.rest(replied, now));
        if let Some(current) = &shared.query
            && (!current.task.is_finished() || wait > self.poll_interval / WAIT_FRACTION)
        {
            return current.result.clone();
        }
        let (scheduler, clock) = (Arc::clone(&self.scheduler), Arc::clone(&self.clock));
        let for_query = Arc::clone(&self.shared);
        let task = self.tasks.spawn(async move {
            tokio::time::sleep(wait).await;
            query(&*scheduler, &*clock, &for_query).await
        });
        let abort = task.abort_handle();
        let result = async move {
            task.await.unwrap_or_else(|error| {
                Err(Error::Internal(format!("query of the scheduler: {error}")))
            })
        };
        let result = result.boxed().shared();
        shared.query = Some(Query {
            task: abort,
            result: result.clone(),
        });
        result
    }

    /// How long a result of that time is still fresh.
    fn rest(&self, replied: Timestamp, now: Timestamp) -> Duration {
        if now < replied {
            // A clock that was set back must not stop the queries.
            return Duration::ZERO;
        }
        self.poll_interval.saturating_sub(now.since(replied))
    }
}

fn lock(shared: &Mutex<SharedState>) -> MutexGuard<'_, SharedState> {
    // After a panic elsewhere, at worst a job is queried again.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn query(
    scheduler: &dyn Scheduler,
    clock: &dyn Clock,
    shared: &Mutex<SharedState>,
) -> Result<Arc<Snapshot>, Error> {
    let listing = scheduler.queue().await;
    let now = clock.now();
    lock(shared).replied = Some(now);
    let (mut marked, mut queue) = (Vec::new(), BTreeMap::new());
    for listed in listing? {
        let slurm_id = listed.observation.slurm_id.clone();
        if let Some(mark) = listed.mark()
            && !matches!(listed.observation.phase, Phase::Ended(_))
        {
            marked.push((slurm_id.clone(), mark));
        }
        queue.insert(slurm_id, listed);
    }
    let mut gone = {
        let mut shared = lock(shared);
        shared.memory.saw_queue(&queue);
        shared.memory.gone(&queue)
    };
    gone.truncate(MAX_IDS_PER_QUERY);
    let (mut accounting, mut alive) = (None, BTreeMap::new());
    if !gone.is_empty() {
        match scheduler.accounted(&gone).await {
            Ok(accounted) => {
                for row in &accounted {
                    if !matches!(row.observation.phase, Phase::Ended(_)) {
                        alive.insert(row.observation.slurm_id.clone(), row.clone());
                    }
                }
                lock(shared).memory.remember(accounted);
            }
            Err(error) => {
                if !matches!(error, Error::Refused(_)) {
                    tracing::warn!(%error, jobs = gone.len(), "could not query accounting");
                }
                accounting = Some(error);
            }
        }
    }
    lock(shared).memory.forget_old(now);
    Ok(Arc::new(Snapshot {
        queue,
        marked,
        asked: gone.into_iter().collect(),
        alive,
        accounting,
    }))
}

fn observation(job: &SlurmJob, snapshot: &Snapshot, memory: &Memory) -> JobObservation {
    let id = &job.slurm_id;
    // The queue has precedence: a cluster that was reinstalled reuses old ids.
    let listed = [snapshot.queue.get(id), memory.end_of(id)];
    let mut ours = listed.into_iter().flatten().filter(|row| row.is(&job.mark));
    if let Some(listed) = ours.next() {
        return listed.observation.clone();
    }
    let (phase, reason) = missing(job, snapshot, memory);
    JobObservation {
        slurm_id: id.clone(),
        phase,
        started_at: None,
        reason,
    }
}

/// What it means that neither the queue nor a remembered end is the job's. Only the word of all
/// parts of the scheduler counts as absence.
fn missing(job: &SlurmJob, snapshot: &Snapshot, memory: &Memory) -> (Phase, String) {
    let id = &job.slurm_id;
    if snapshot.queue.contains_key(id) || memory.end_of(id).is_some() {
        let reason = "its Slurm id belongs to another job by now";
        return (Phase::Absent, reason.to_owned());
    }
    match &snapshot.accounting {
        _ if !snapshot.asked.contains(id) => (Phase::Unknown, String::new()),
        // Without accounting the queue is all that there is.
        Some(error @ Error::Refused(_)) => (
            Phase::Absent,
            format!("not in the queue; accounting: {error}"),
        ),
        Some(error) => (
            Phase::Unknown,
            format!("not in the queue; accounting: {error}"),
        ),
        None if snapshot.alive.get(id).is_some_and(|row| row.is(&job.mark)) => {
            let reason = "not in the queue, but accounting does not have its end";
            (Phase::Unknown, reason.to_owned())
        }
        None => (
            Phase::Absent,
            "neither in the queue nor in accounting".to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests;
