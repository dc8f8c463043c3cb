//! One look at the scheduler for all callers.
//!
//! However many ask about however many jobs: from the answer of one `squeue` to
//! the next there is at least the poll interval of the HPC, and looks never
//! overlap. A look is one `squeue` for the whole account and, if jobs that
//! somebody follows are not in it, one `sacct` for those together. How a job ended
//! is remembered, so that it is not asked about again.
//!
//! Whoever asks a little before the interval has passed waits for the next look:
//! callers that ask once an interval see each time something new.

mod memory;

use std::{
    collections::BTreeMap,
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

/// Ids that one `sacct` is asked about; others wait for the next look.
const MAX_IDS_OF_A_LOOK: usize = 2000;

/// In the last one of so many parts of the interval, callers wait for the next look.
const SOON: u32 = 4;

/// Answers from shared looks at one scheduler.
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
    look: Option<Look>,
    /// When `squeue` last answered, or failed to.
    answered: Option<Timestamp>,
}

/// A look that is under way or done.
struct Look {
    task: AbortHandle,
    result: Answer,
}

type Answer = Shared<BoxFuture<'static, Result<Arc<Seen>, Error>>>;

/// What a look has seen.
#[derive(Debug)]
struct Seen {
    queue: BTreeMap<String, Listed>,
    /// Jobs of deployments that are not over.
    marked: Vec<(String, Mark)>,
    /// Why accounting did not answer, if it was asked.
    accounting: Option<Error>,
}

impl States {
    /// Answers about the jobs of `scheduler`; looks run in `tasks`.
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

    /// One observation for each job, from a look that is not older than the poll
    /// interval. A job that neither queue nor accounting knows (yet), or whose
    /// id is another job's, is unknown.
    ///
    /// # Errors
    /// If the scheduler could not be asked; then nothing is known about any job.
    pub(crate) async fn observe(&self, jobs: &[SlurmJob]) -> Result<Vec<JobObservation>, Error> {
        let ids: Vec<_> = jobs.iter().map(|job| job.slurm_id.clone()).collect();
        let result = self.look(&ids);
        let seen = result.await?;
        let shared = lock(&self.shared);
        Ok(jobs
            .iter()
            .map(|job| answer(job, &seen, &shared.memory))
            .collect())
    }

    /// The jobs of `deployment` that the scheduler has and that are not over, from a
    /// look that is not older than the poll interval.
    ///
    /// # Errors
    /// If the scheduler could not be asked.
    pub(crate) async fn of_deployment(&self, deployment: &str) -> Result<Vec<LiveJob>, Error> {
        let seen = self.look(&[]).await?;
        let ours = seen.marked.iter();
        let ours = ours.filter(|(_, mark)| mark.deployment == deployment);
        Ok(ours
            .map(|(slurm_id, mark)| LiveJob {
                slurm_id: slurm_id.clone(),
                job: mark.job.clone(),
            })
            .collect())
    }

    /// The look that is under way or fresh, or a new one.
    fn look(&self, ids: &[String]) -> Answer {
        let now = self.clock.now();
        let mut shared = lock(&self.shared);
        shared.memory.follow(ids, now);
        let wait = shared
            .answered
            .map_or(Duration::ZERO, |answered| self.rest(answered, now));
        if let Some(look) = &shared.look
            && (!look.task.is_finished() || wait > self.poll_interval / SOON)
        {
            return look.result.clone();
        }
        let (scheduler, clock) = (Arc::clone(&self.scheduler), Arc::clone(&self.clock));
        let for_look = Arc::clone(&self.shared);
        let task = self.tasks.spawn(async move {
            tokio::time::sleep(wait).await;
            look(&*scheduler, &*clock, &for_look).await
        });
        let abort = task.abort_handle();
        let result = async move {
            task.await
                .unwrap_or_else(|error| Err(Error::Internal(format!("look: {error}"))))
        };
        let result = result.boxed().shared();
        shared.look = Some(Look {
            task: abort,
            result: result.clone(),
        });
        result
    }

    /// How long a look that was answered then is still fresh.
    fn rest(&self, answered: Timestamp, now: Timestamp) -> Duration {
        if now < answered {
            // A clock that was set back must not stop the looks.
            return Duration::ZERO;
        }
        self.poll_interval.saturating_sub(now.since(answered))
    }
}

fn lock(shared: &Mutex<SharedState>) -> MutexGuard<'_, SharedState> {
    // A panic elsewhere leaves at worst a job that is asked about again.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn look(
    scheduler: &dyn Scheduler,
    clock: &dyn Clock,
    shared: &Mutex<SharedState>,
) -> Result<Arc<Seen>, Error> {
    let answer = scheduler.queue().await;
    let now = clock.now();
    lock(shared).answered = Some(now);
    let (mut marked, mut queue) = (Vec::new(), BTreeMap::new());
    for listed in answer? {
        let slurm_id = listed.seen.slurm_id.clone();
        if let Some(mark) = listed.mark()
            && !matches!(listed.seen.phase, Phase::Ended(_))
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
    gone.truncate(MAX_IDS_OF_A_LOOK);
    let mut accounting = None;
    if !gone.is_empty() {
        match scheduler.ended(&gone).await {
            Ok(ended) => lock(shared).memory.remember(ended),
            Err(error) => {
                if !matches!(error, Error::Refused(_)) {
                    tracing::warn!(%error, jobs = gone.len(), "could not ask accounting");
                }
                accounting = Some(error);
            }
        }
    }
    lock(shared).memory.forget_old(now);
    Ok(Arc::new(Seen {
        queue,
        marked,
        accounting,
    }))
}

fn answer(job: &SlurmJob, seen: &Seen, memory: &Memory) -> JobObservation {
    let id = &job.slurm_id;
    // The queue goes first: a cluster that was set up anew gives out old ids again.
    let listed = [seen.queue.get(id), memory.end_of(id)];
    let mut ours = listed.into_iter().flatten().filter(|row| row.is(&job.mark));
    if let Some(listed) = ours.next() {
        return listed.seen.clone();
    }
    let reason = match &seen.accounting {
        _ if seen.queue.contains_key(id) => "another job has its id by now".to_owned(),
        Some(error) => format!("not in the queue; accounting: {error}"),
        None => String::new(),
    };
    JobObservation {
        slurm_id: id.clone(),
        phase: Phase::Unknown,
        started_at: None,
        reason,
    }
}

#[cfg(test)]
mod tests;
