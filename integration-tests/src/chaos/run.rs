//! A run: faults and clients for some time, then rest, then the books.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use compute_domain::{Clock as _, SystemClock};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    books::{Evidence, Row, balance},
    clients::{Ledger, TEMPLATE, submit_jobs},
    evidence,
    faults::{Fault, Part},
    random::Random,
    report::Report,
    schedule::{Planned, schedule},
    world::ChaosWorld,
};
use crate::{Template, eventually};

/// Settings of a run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Decides faults and clients.
    pub seed: u64,
    /// How long faults occur and jobs are submitted.
    pub time: Duration,
    /// How long jobs have after the last fault until they must be at rest.
    pub rest: Duration,
    /// The folder of the run; its short path contains sockets.
    pub folder: PathBuf,
    /// Only faults whose kind contains this text.
    pub only: Option<String>,
}

/// A fault that is over.
#[derive(Debug, Clone, Copy)]
struct Ended {
    fault: Fault,
    /// Milliseconds since 1970.
    at: i64,
}

type Shared<T> = Arc<Mutex<Vec<T>>>;

/// Runs everything.
///
/// # Errors
/// If a part or service does not start. Wrong jobs are not an error, but part of the report.
pub async fn run(settings: &Settings) -> anyhow::Result<Report> {
    let template = Template::bare(TEMPLATE, "sleep $param_seconds");
    let world = ChaosWorld::start(&settings.folder, &[template]).await?;
    let mut plan = schedule(settings.seed, settings.time);
    if let Some(only) = &settings.only {
        plan.retain(|planned| planned.fault.kind().contains(only.as_str()));
    }
    let (ledger, ends, stop) = (
        Ledger::default(),
        Shared::default(),
        CancellationToken::new(),
    );
    let random = Random::new(settings.seed.wrapping_add(1));
    let clients = tokio::spawn(submit_jobs(
        world.clone(),
        random,
        ledger.clone(),
        stop.clone(),
    ));
    let exited = bring_about(&world, &plan, settings.time, &ends).await?;
    stop.cancel();
    world.note("all faults have ended");
    let began = Instant::now();
    let deadline = tokio::time::timeout(settings.rest, clients).await;
    deadline.map_err(|_| anyhow::anyhow!("a client has no answer"))???;
    world.note("all clients have their answers");
    let facts = world.parts().facts();
    let waited = eventually("all jobs at rest", settings.rest, async || {
        let (rows, slurm) = (evidence::rows(&facts), evidence::accounted(&facts));
        let (Ok(rows), Ok(slurm)) = (rows, slurm) else {
            return Ok(None);
        };
        let are_over = rows
            .values()
            .all(|row| is_over(row) || row.state == "created");
        let is_active = |state: &str| matches!(state, "RUNNING" | "COMPLETING" | "SUSPENDED");
        let is_done = !slurm.values().flatten().any(|one| is_active(&one.state));
        Ok((are_over && is_done).then_some(()))
    })
    .await;
    let rest = began.elapsed();
    world.note(&format!("at rest: {waited:?}"));
    // Jobs that are not at rest are found by the books.
    drop(waited);
    let told = ledger
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    let mut slurm = evidence::accounted(&facts)?;
    // Jobs of the site itself.
    slurm.retain(|name, _| name != "wrap");
    let ends = ends.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let evidence = Evidence {
        told,
        rows: evidence::rows(&facts)?,
        slurm,
        has_killed_controller: ends
            .iter()
            .any(|ended| ended.fault == Fault::Stop(Part::KilledSlurmctld)),
    };
    let mut faults: BTreeMap<_, usize> = BTreeMap::new();
    for ended in &ends {
        *faults.entry(ended.fault.kind()).or_default() += 1;
    }
    Ok(Report {
        seed: settings.seed,
        faults,
        lost_commits: world.lost_commits(),
        exited,
        longest_recovery: longest_recovery(&ends, &evidence.rows),
        rest,
        balance: balance(&evidence),
        evidence,
    })
}

/// Brings the faults about and waits until all have ended. Returns the number of services that exited by
/// themselves.
async fn bring_about(
    world: &Arc<ChaosWorld>,
    plan: &[Planned],
    time: Duration,
    ends: &Shared<Ended>,
) -> anyhow::Result<usize> {
    let (began, tracker) = (Instant::now(), TaskTracker::new());
    let failures = Shared::<String>::default();
    for &planned in plan {
        let (world, ends, failures) = (world.clone(), ends.clone(), failures.clone());
        tracker.spawn(async move {
            tokio::time::sleep(planned.at.saturating_sub(began.elapsed())).await;
            match bring_one_about(&world, planned).await {
                Ok(None) => {}
                Ok(Some(ended)) => push(&ends, ended),
                Err(error) => push(&failures, format!("{:?}: {error:#}", planned.fault)),
            }
        });
    }
    tokio::time::sleep(time).await;
    tracker.close();
    tracker.wait().await;
    let exited = blocking(world, |world| world.start_exited()).await?;
    let failures = failures.lock().unwrap_or_else(PoisonError::into_inner);
    anyhow::ensure!(failures.is_empty(), "{}", failures.join("\n"));
    Ok(exited)
}

/// Brings one fault about and ends it. `None` if there was nothing to strike.
async fn bring_one_about(
    world: &Arc<ChaosWorld>,
    Planned { length, fault, .. }: Planned,
) -> anyhow::Result<Option<Ended>> {
    world.note(&format!("begin {fault:?}"));
    if !blocking(world, move |world| world.begin(fault)).await? {
        world.note(&format!("left out {fault:?}"));
        return Ok(None);
    }
    tokio::time::sleep(length).await;
    blocking(world, move |world| world.end(fault)).await?;
    world.note(&format!("end {fault:?}"));
    let at = SystemClock.now().millis();
    Ok(Some(Ended { fault, at }))
}

fn push<T>(all: &Shared<T>, one: T) {
    all.lock().unwrap_or_else(PoisonError::into_inner).push(one);
}

async fn blocking<T: Send + 'static>(
    world: &Arc<ChaosWorld>,
    work: impl FnOnce(&ChaosWorld) -> anyhow::Result<T> + Send + 'static,
) -> anyhow::Result<T> {
    let world = world.clone();
    tokio::task::spawn_blocking(move || work(&world)).await?
}

fn is_over(row: &Row) -> bool {
    matches!(row.state.as_str(), "ended" | "failed" | "cancelled")
}

/// The longest time from the end of a fault to the next event of any job, if there was a job that was not
/// over.
fn longest_recovery(ends: &[Ended], rows: &BTreeMap<String, Row>) -> Duration {
    let events = || rows.values().flat_map(|row| &row.events);
    let waits = ends.iter().map(|ended| ended.at).filter_map(|end| {
        let next = events()
            .map(|event| event.at)
            .filter(|at| *at >= end)
            .min()?;
        u64::try_from(next - end).ok()
    });
    Duration::from_millis(waits.max().unwrap_or(0))
}
