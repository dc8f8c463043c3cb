//! Tests an upgrade under load: services of the previous version run jobs and are replaced one
//! after the other by those of this build; every job must end once, with its logs.
//!
//!     upgrade FOLDER_OF_THE_BINARIES_BEFORE FOLDER_OF_THOSE_OF_THIS_BUILD
//!
//! `deploy/local/test-upgrade` builds both and runs this program with real parts.
#![expect(clippy::print_stdout, reason = "its figures are its result")]
#![expect(
    clippy::indexing_slicing,
    reason = "it fails where something is not there"
)]

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context as _;
use compute_integration_tests::{
    Client, Template, World, WorldOptions,
    client::{event_types, log_text},
    eventually,
};
use serde_json::json;
use tokio::task::JoinHandle;

/// Run times of jobs, seconds: some end before the upgrade, some begin before and end after
/// it, some wait.
const LENGTHS: [u32; 4] = [1, 3, 8, 25];

/// Pause between two submissions: the rate of the load.
const PAUSE: Duration = Duration::from_millis(400);

/// Jobs that are submitted before and after the upgrade.
const LOAD: usize = 30;

const LAST_JOB: Duration = Duration::from_secs(300);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let [before, after] = [1, 2].map(|at| std::env::args_os().nth(at).map(PathBuf::from));
    let (before, after) = before.zip(after).context("which binaries, from and to?")?;
    let command = "sleep $param_seconds; echo slept $param_seconds";
    let mut world = World::start(WorldOptions {
        maintainers: 2,
        templates: vec![Template::new("sleeps", command)],
        binaries: Some(before),
        ..WorldOptions::default()
    })
    .await?;
    let stop = Arc::new(AtomicBool::new(false));
    let submitted = Arc::new(AtomicUsize::new(0));
    let load = load(
        world.client("alice")?,
        Arc::clone(&stop),
        Arc::clone(&submitted),
    );
    let load = tokio::spawn(load);
    submitted_more(&submitted, &load).await?;
    let began = Instant::now();
    world.upgrade(&after)?;
    println!("upgraded in {:?}", began.elapsed());
    submitted_more(&submitted, &load).await?;
    stop.store(true, Ordering::SeqCst);
    let (jobs, refused) = load.await??;
    let alice = world.client("alice")?;
    let mut wrong = Vec::new();
    for (id, seconds) in &jobs {
        let job = alice.over(id, LAST_JOB).await?;
        let closing = ["JOB_ENDED", "JOB_FAILED"];
        let closed = event_types(&job)
            .iter()
            .filter(|kind| closing.contains(&kind.as_str()))
            .count();
        let folder = job["remoteResultFolder"]["hpcPath"].as_str();
        let log = Path::new(folder.unwrap_or_default()).join("slurm_log/job.stdout");
        let seen = (
            job["state"].as_str().unwrap_or_default(),
            closed,
            world.account()?.accounted(id)?,
            log_text(&job).trim() == format!("slept {seconds}"),
            log.is_file(),
        );
        if seen != ("ended", 1, 1, true, true) {
            wrong.push(format!("{seen:?} {job}"));
        }
    }
    println!(
        "{} jobs; {refused} requests met a gateway that was being replaced; ended otherwise than \
         once, with logs: {}",
        jobs.len(),
        wrong.len()
    );
    anyhow::ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

/// Waits until [`LOAD`] more jobs are submitted, or the load has ended with an error, which `main` returns.
async fn submitted_more<T>(submitted: &AtomicUsize, load: &JoinHandle<T>) -> anyhow::Result<()> {
    let wanted = submitted.load(Ordering::SeqCst) + LOAD;
    eventually("jobs of the load", LAST_JOB, async || {
        let enough = submitted.load(Ordering::SeqCst) >= wanted;
        Ok((enough || load.is_finished()).then_some(()))
    })
    .await
}

/// Submits jobs until `stop`. Returns them, and the number of requests without a response.
async fn load(
    client: Client,
    stop: Arc<AtomicBool>,
    submitted: Arc<AtomicUsize>,
) -> anyhow::Result<(Vec<(String, u32)>, usize)> {
    let (mut jobs, mut refused) = (Vec::new(), 0);
    for seconds in LENGTHS.into_iter().cycle() {
        if stop.load(Ordering::SeqCst) {
            break;
        }
        match client
            .submit("sleeps", json!({"param": {"seconds": seconds}}))
            .await
        {
            Ok(id) => {
                jobs.push((id, seconds));
                submitted.fetch_add(1, Ordering::SeqCst);
            }
            Err(error) if error.is::<reqwest::Error>() => refused += 1,
            Err(error) => return Err(error),
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok((jobs, refused))
}
