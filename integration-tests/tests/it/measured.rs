//! Measurements, each with its bound. They run alone.

use std::time::{Duration, Instant};

use compute_integration_tests::{Client, Template, World, WorldOptions, account::Account};
use serde_json::{Value, json};

use crate::SOON;

const LONG: Duration = Duration::from_secs(120);

async fn submit(client: &Client, template: &str, count: usize) -> anyhow::Result<Vec<String>> {
    let mut ids = Vec::new();
    for _ in 0..count {
        ids.push(client.submit(template, json!({})).await?);
    }
    Ok(ids)
}

#[tokio::test]
async fn twenty_jobs_on_ten_places() -> anyhow::Result<()> {
    let options = WorldOptions {
        maintainers: 2,
        capacity: 10,
        templates: vec![Template::bare("nap", "sleep 10")],
        ..WorldOptions::default()
    };
    let world = World::start(options).await?;
    let (alice, account) = (world.client("alice")?, world.account()?);
    let mut prepared = Vec::new();
    for _ in 0..20 {
        prepared.push(alice.prepare("nap", json!({})).await?);
    }
    let began = Instant::now();
    for id in &prepared {
        let answer = alice.post(&format!("/job/{id}/submit"), json!({})).await?;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let mut most = 0;
    let mut last = Duration::ZERO;
    compute_integration_tests::eventually("all 20 over", LONG, async || {
        most = most.max(account.on_hpc(&prepared)?);
        let jobs = alice.get("/user/job").await?.body;
        let jobs = jobs["job"].as_array().cloned().unwrap_or_default();
        let over = jobs
            .iter()
            .filter(|job| job["finishedAt"] != Value::Null)
            .count();
        last = began.elapsed();
        Ok((over == 20).then_some(()))
    })
    .await?;
    for id in &prepared {
        assert_eq!(alice.job(id).await?["state"], "ended");
    }
    println!(
        "20 jobs of 10 s, capacity 10: at most {most} on the HPC, all over in {last:.1?} (bound 60 s, two bare waves 20 s)"
    );
    assert!(most <= 10, "{most} jobs on the HPC at once");
    assert!(last < Duration::from_secs(60), "{last:?}");
    Ok(())
}

/// How long polls of the scheduler are counted.
const COUNTED_FOR: Duration = Duration::from_secs(10);

/// Maximum number of polls in that time: one a second, as the HPC is configured.
const MOST_LOOKS: usize = 11;

/// Counts polls of the scheduler on the login node.
async fn looks(account: &Account) -> anyhow::Result<usize> {
    let count = |commands: Vec<(u64, String)>| {
        commands
            .iter()
            .filter(|(_, c)| c.starts_with("squeue") || c.starts_with("sacct"))
            .count()
    };
    let before = count(account.commands()?);
    tokio::time::sleep(COUNTED_FOR).await;
    Ok(count(account.commands()?) - before)
}

#[tokio::test]
async fn fifty_jobs_are_watched_as_cheaply_as_one() -> anyhow::Result<()> {
    let options = WorldOptions {
        maintainers: 2,
        capacity: 60,
        templates: vec![Template::bare("nap", "sleep 600")],
        ..WorldOptions::default()
    };
    let world = World::start(options).await?;
    let (alice, account) = (world.client("alice")?, world.account()?);
    let mut ids = submit(&alice, "nap", 1).await?;
    alice.until(&ids[0], &["running"], SOON).await?;
    let with_one = looks(&account).await?;
    ids.extend(submit(&alice, "nap", 49).await?);
    for id in &ids {
        alice.until(id, &["running"], LONG).await?;
    }
    let with_fifty = looks(&account).await?;
    for id in &ids {
        alice.put(&format!("/job/{id}/cancel"), json!({})).await?;
    }
    for id in &ids {
        alice.over(id, LONG).await?;
    }
    println!(
        "squeue and sacct a minute: {} with 1 job, {} with 50",
        with_one * 6,
        with_fifty * 6
    );
    assert!(with_one > 0);
    // A busy machine polls less often, never more often.
    assert!(
        with_one <= MOST_LOOKS && with_fifty <= MOST_LOOKS,
        "{with_one} with one job, {with_fifty} with 50"
    );
    Ok(())
}

#[tokio::test]
async fn from_submit_to_acceptance() -> anyhow::Result<()> {
    let options = WorldOptions {
        maintainers: 2,
        capacity: 60,
        templates: vec![Template::bare("quick", "true")],
        ..WorldOptions::default()
    };
    let world = World::start(options).await?;
    let (alice, account) = (world.client("alice")?, world.account()?);
    let warm = alice.submit("quick", json!({})).await?;
    alice.over(&warm, SOON).await?;
    let (mut taken, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..20 {
        let id = alice.prepare("quick", json!({})).await?;
        let began = epoch_ms();
        let answer = alice.post(&format!("/job/{id}/submit"), json!({})).await?;
        assert_eq!(answer.status, 200);
        let job = alice.over(&id, SOON).await?;
        let accepted = job["initializedAt"]
            .as_str()
            .map(millis)
            .unwrap_or_default();
        taken.push(accepted.saturating_sub(began));
        bare.push(bare_sbatch(&world, &account)?);
    }
    taken.sort_unstable();
    bare.sort_unstable();
    let (median, sbatch) = (taken[10], bare[10]);
    // 0.2 s on two quiet cores; a machine five times slower meets the bound
    let bound = Duration::from_secs(1).max(30 * sbatch);
    println!(
        "POST submit to acceptance: median of 20 {median} ms (bound {bound:?}; a bare sbatch {sbatch:?}), {taken:?}"
    );
    assert!(u128::from(median) < bound.as_millis(), "{taken:?}");
    Ok(())
}

/// The time that the site's own `sbatch` takes.
fn bare_sbatch(world: &World, account: &Account) -> anyhow::Result<Duration> {
    let user = world.parts.text("hpc", "user")?;
    let began = Instant::now();
    account.slurm(
        "sbatch",
        &[
            "--parsable",
            "--uid",
            &user,
            "--chdir=/",
            "--output=/dev/null",
            "--wrap=true",
        ],
    )?;
    Ok(began.elapsed())
}

#[expect(
    clippy::disallowed_methods,
    reason = "compared with the services' clock"
)]
fn epoch_ms() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |now| u64::try_from(now.as_millis()).unwrap_or(0))
}

fn millis(iso: &str) -> u64 {
    chrono::DateTime::parse_from_rfc3339(iso)
        .ok()
        .and_then(|at| u64::try_from(at.timestamp_millis()).ok())
        .unwrap_or(0)
}
