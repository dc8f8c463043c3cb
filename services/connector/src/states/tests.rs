//! Queries of a scheduler in memory, which counts them.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use compute_domain::{
    clock::ManualClock,
    job::{EndState, Usage},
};
use compute_proto::Submitted;
use futures::future::join_all;

use super::*;
use crate::{fence::Fence, scheduler::Submission};

const POLL: Duration = Duration::from_secs(10);

/// Jobs, or an error.
type Jobs = Option<BTreeMap<String, Phase>>;

/// A scheduler with a queue and accounting in memory.
struct Counted {
    queue: Mutex<Jobs>,
    accounting: Mutex<Jobs>,
    queue_runs: AtomicUsize,
    accounting_runs: Mutex<Vec<Vec<String>>>,
}

/// Even ids belong to `ours`, odd ones to another deployment.
fn mark(id: &str) -> Mark {
    let is_even = id.ends_with(['0', '2', '4', '6', '8']);
    let deployment = if is_even { "ours" } else { "theirs" };
    Mark::parse(&format!("{deployment}:job{id}")).unwrap()
}

fn job(id: &str) -> SlurmJob {
    SlurmJob {
        slurm_id: id.to_owned(),
        mark: mark(id),
    }
}

fn rows(jobs: &Mutex<Jobs>) -> Result<Vec<Listed>, Error> {
    let Some(jobs) = jobs.lock().map_or(None, |jobs| jobs.clone()) else {
        return Err(Error::Trouble("Socket timed out".to_owned()));
    };
    let row = |(id, phase): (&String, &Phase)| Listed {
        observation: JobObservation {
            slurm_id: id.clone(),
            phase: phase.clone(),
            started_at: None,
            reason: String::new(),
        },
        name: mark(id).job.to_string(),
        comment: mark(id).to_string(),
    };
    Ok(jobs.iter().map(row).collect())
}

#[async_trait]
impl Scheduler for Counted {
    async fn queue(&self) -> Result<Vec<Listed>, Error> {
        self.queue_runs.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(20)).await;
        rows(&self.queue)
    }

    async fn accounted(&self, ids: &[String]) -> Result<Vec<Listed>, Error> {
        self.accounting_runs.lock().unwrap().push(ids.to_vec());
        Ok(rows(&self.accounting)?
            .into_iter()
            .filter(|row| ids.contains(&row.observation.slurm_id))
            .collect())
    }

    async fn submit(&self, _: &Submission) -> Result<Submitted, Error> {
        unreachable!()
    }

    async fn find_submission(&self, _: &Submission) -> Result<Option<String>, Error> {
        unreachable!()
    }

    async fn cancel(&self, _: &Fence, _: &SlurmJob) -> Result<(), Error> {
        unreachable!()
    }

    async fn suspend(&self, _: &Fence, _: &SlurmJob) -> Result<(), Error> {
        unreachable!()
    }

    async fn resume(&self, _: &Fence, _: &SlurmJob) -> Result<(), Error> {
        unreachable!()
    }

    async fn usage(&self, _: &SlurmJob) -> Result<Usage, Error> {
        unreachable!()
    }
}

struct Site {
    scheduler: Arc<Counted>,
    clock: Arc<ManualClock>,
    states: Arc<States>,
}

fn ended(state: &str) -> Phase {
    let slurm_state = state.to_owned();
    Phase::Ended(EndState {
        slurm_state,
        exit_code: Some(0),
        signal: Some(0),
    })
}

fn jobs(jobs: &[(&str, Phase)]) -> Jobs {
    Some(
        jobs.iter()
            .map(|(id, phase)| ((*id).to_owned(), phase.clone()))
            .collect(),
    )
}

impl Site {
    fn with(queue: Jobs, accounting: Jobs) -> Self {
        let scheduler = Arc::new(Counted {
            queue: Mutex::new(queue),
            accounting: Mutex::new(accounting),
            queue_runs: AtomicUsize::default(),
            accounting_runs: Mutex::default(),
        });
        let clock = Arc::new(ManualClock::at(Timestamp::from_millis(0)));
        let shared: Arc<dyn Scheduler> = scheduler.clone();
        let states = States::new(shared, POLL, clock.clone(), TaskTracker::new());
        Self {
            scheduler,
            clock,
            states: Arc::new(states),
        }
    }

    async fn phases(&self, ids: &[&str]) -> Result<Vec<Phase>, Error> {
        let jobs: Vec<_> = ids.iter().map(|id| job(id)).collect();
        let seen = self.states.observe(&jobs).await?;
        assert!(
            seen.iter()
                .map(|seen| seen.slurm_id.as_str())
                .eq(ids.iter().copied()),
            "one for each, in order"
        );
        Ok(seen.into_iter().map(|seen| seen.phase).collect())
    }

    fn queue_runs(&self) -> usize {
        self.scheduler.queue_runs.load(Ordering::SeqCst)
    }

    fn accounting_runs(&self) -> Vec<Vec<String>> {
        self.scheduler.accounting_runs.lock().unwrap().clone()
    }
}

#[tokio::test]
async fn fifty_callers_share_one_query() {
    let site = Site::with(jobs(&[("1", Phase::Running)]), jobs(&[]));
    let seen = join_all((0..50).map(|_| site.phases(&["1"]))).await;
    assert!(
        seen.iter()
            .all(|seen| seen.as_ref().unwrap() == &[Phase::Running])
    );
    assert_eq!(site.queue_runs(), 1);
    site.clock.advance(POLL / 2);
    site.phases(&["1"]).await.unwrap();
    assert_eq!(site.queue_runs(), 1, "still fresh");
    site.clock.advance(POLL / 2);
    join_all((0..50).map(|_| site.phases(&["1"]))).await;
    assert_eq!(site.queue_runs(), 2);
}

#[tokio::test]
async fn an_early_caller_waits_for_the_next_query() {
    let site = Site::with(jobs(&[("1", Phase::Pending)]), jobs(&[]));
    site.phases(&["1"]).await.unwrap();
    *site.scheduler.queue.lock().unwrap() = jobs(&[("1", Phase::Running)]);
    site.clock.advance(POLL - Duration::from_millis(100));
    let begun = tokio::time::Instant::now();
    assert_eq!(site.phases(&["1"]).await.unwrap(), [Phase::Running]);
    assert!(
        begun.elapsed() >= Duration::from_millis(100),
        "not before the interval has passed"
    );
    assert_eq!(site.queue_runs(), 2);
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_stop_the_query() {
    let site = Site::with(jobs(&[("1", Phase::Running)]), jobs(&[]));
    let gone = tokio::time::timeout(Duration::from_millis(5), site.phases(&["1"])).await;
    assert!(gone.is_err());
    assert_eq!(site.phases(&["1"]).await.unwrap(), [Phase::Running]);
    assert_eq!(site.queue_runs(), 1);
}

#[tokio::test]
async fn jobs_that_left_the_queue_are_queried_once_and_together() {
    let site = Site::with(
        jobs(&[("1", Phase::Running), ("2", ended("FAILED"))]),
        jobs(&[("3", ended("COMPLETED")), ("4", ended("TIMEOUT"))]),
    );
    let expected = [
        Phase::Running,
        ended("FAILED"),
        ended("COMPLETED"),
        ended("TIMEOUT"),
        Phase::Absent,
    ];
    assert_eq!(
        site.phases(&["1", "2", "3", "4", "5"]).await.unwrap(),
        expected
    );
    assert_eq!(site.accounting_runs(), [["3", "4", "5"]]);

    // Slurm forgets job 2 after a while: its end is remembered.
    *site.scheduler.queue.lock().unwrap() = jobs(&[("1", Phase::Running)]);
    site.clock.advance(POLL);
    assert_eq!(
        site.phases(&["1", "2", "3", "4", "5"]).await.unwrap(),
        expected
    );
    assert_eq!(
        site.accounting_runs()[1..],
        [["5"]],
        "ends are not queried again"
    );
}

#[tokio::test]
async fn a_new_job_waits_for_the_next_query() {
    let site = Site::with(
        jobs(&[]),
        jobs(&[("1", ended("COMPLETED")), ("2", ended("FAILED"))]),
    );
    assert_eq!(site.phases(&["1"]).await.unwrap(), [ended("COMPLETED")]);
    assert_eq!(site.phases(&["2"]).await.unwrap(), [Phase::Unknown]);
    site.clock.advance(POLL);
    assert_eq!(site.phases(&["2"]).await.unwrap(), [ended("FAILED")]);
}

#[tokio::test]
async fn a_failed_query_is_never_an_end() {
    let site = Site::with(None, jobs(&[("1", ended("COMPLETED"))]));
    let seen = join_all((0..50).map(|_| site.phases(&["1"]))).await;
    assert!(
        seen.iter()
            .all(|seen| matches!(seen, Err(Error::Trouble(_))))
    );
    assert_eq!(site.queue_runs(), 1, "a failure is shared, too");
    assert!(site.accounting_runs().is_empty());
}

#[tokio::test]
async fn without_accounting_the_queue_still_counts() {
    let site = Site::with(jobs(&[("1", Phase::Running)]), None);
    assert_eq!(
        site.phases(&["1", "2"]).await.unwrap(),
        [Phase::Running, Phase::Unknown]
    );
    let seen = site.states.observe(&[job("2")]).await.unwrap();
    assert!(seen[0].reason.contains("Socket timed out"), "{seen:?}");
}

/// A controller that lists nothing contradicts accounting: that is doubt, not an end.
#[tokio::test]
async fn an_empty_queue_is_no_absence_while_accounting_has_the_job() {
    let alive = jobs(&[("2", Phase::Running), ("4", Phase::Pending)]);
    let site = Site::with(jobs(&[]), alive);
    for _ in 0..3 {
        assert_eq!(
            site.phases(&["2", "4", "6"]).await.unwrap(),
            [Phase::Unknown, Phase::Unknown, Phase::Absent]
        );
        site.clock.advance(POLL);
    }
    *site.scheduler.accounting.lock().unwrap() = None;
    assert_eq!(
        site.phases(&["2", "6"]).await.unwrap(),
        [Phase::Unknown, Phase::Unknown],
        "accounting was not asked"
    );
    site.clock.advance(POLL);
    *site.scheduler.accounting.lock().unwrap() = jobs(&[("2", ended("COMPLETED"))]);
    assert_eq!(site.phases(&["2"]).await.unwrap(), [ended("COMPLETED")]);
}

/// What accounting says about another job under the same id says nothing about this one.
#[tokio::test]
async fn another_jobs_row_in_accounting_is_no_doubt() {
    let site = Site::with(jobs(&[]), jobs(&[("2", Phase::Running)]));
    let other = SlurmJob {
        slurm_id: "2".to_owned(),
        mark: mark("4"),
    };
    let seen = site.states.observe(&[other]).await.unwrap();
    assert_eq!(seen[0].phase, Phase::Absent, "{seen:?}");
}

#[tokio::test]
async fn a_reused_id_is_the_new_job() {
    let site = Site::with(jobs(&[("1", ended("COMPLETED"))]), jobs(&[]));
    assert_eq!(site.phases(&["1"]).await.unwrap(), [ended("COMPLETED")]);
    *site.scheduler.queue.lock().unwrap() = jobs(&[("1", Phase::Pending)]);
    site.clock.advance(POLL);
    assert_eq!(site.phases(&["1"]).await.unwrap(), [Phase::Pending]);
    *site.scheduler.queue.lock().unwrap() = jobs(&[]);
    site.clock.advance(POLL);
    assert_eq!(
        site.phases(&["1"]).await.unwrap(),
        [Phase::Absent],
        "not the old job's end"
    );
}

#[tokio::test]
async fn an_id_of_another_job_tells_nothing_about_this_one() {
    let site = Site::with(
        jobs(&[("1", Phase::Running), ("2", ended("COMPLETED"))]),
        jobs(&[]),
    );
    let others = ["1", "2"].map(|id| SlurmJob {
        slurm_id: id.to_owned(),
        mark: mark("4"),
    });
    let seen = site.states.observe(&others).await.unwrap();
    assert!(
        seen.iter().all(|seen| seen.phase == Phase::Absent),
        "{seen:?}"
    );
    assert!(seen[0].reason.contains("another job"), "{seen:?}");
}

#[tokio::test]
async fn jobs_of_a_deployment_come_from_the_same_query() {
    let site = Site::with(
        jobs(&[
            ("1", Phase::Running),
            ("2", Phase::Pending),
            ("4", ended("COMPLETED")),
            ("6", Phase::Suspended),
        ]),
        jobs(&[]),
    );
    site.phases(&["1"]).await.unwrap();
    let ours = site.states.of_deployment("ours").await.unwrap();
    let ours: Vec<_> = ours
        .iter()
        .map(|live| (live.slurm_id.as_str(), live.job.as_str()))
        .collect();
    assert_eq!(ours, [("2", "job2"), ("6", "job6")]);
    assert_eq!(site.states.of_deployment("our").await.unwrap(), []);
    assert_eq!(site.queue_runs(), 1);
    assert!(site.accounting_runs().is_empty(), "no job is followed");
}

#[tokio::test]
async fn a_clock_that_is_set_back_does_not_stop_the_queries() {
    let site = Site::with(jobs(&[("1", Phase::Running)]), jobs(&[]));
    site.clock.advance(Duration::from_secs(3600));
    site.phases(&["1"]).await.unwrap();
    let back: Arc<dyn Clock> = Arc::new(ManualClock::at(Timestamp::from_millis(0)));
    let states = States {
        scheduler: Arc::clone(&site.states.scheduler),
        poll_interval: POLL,
        clock: back,
        tasks: TaskTracker::new(),
        shared: Arc::clone(&site.states.shared),
    };
    states.observe(&[job("1")]).await.unwrap();
    assert_eq!(site.queue_runs(), 2);
}
