//! Orphans: Slurm jobs with the deployment's name that no maintainer follows.

use compute_integration_tests::{Template, World, WorldOptions, eventually};
use serde_json::{Value, json};

use crate::{
    SOON,
    documentation::metrics::{scraped, value},
};

#[tokio::test]
async fn orphaned_jobs_are_reported_and_never_cancelled() -> anyhow::Result<()> {
    let mut world = World::start(WorldOptions {
        json_logs: true,
        templates: vec![Template::bare("sleep", "sleep 600")],
        ..WorldOptions::default()
    })
    .await?;
    let alice = world.client("alice")?;
    let followed = alice.submit("sleep", json!({})).await?;
    alice.until(&followed, &["running"], SOON).await?;

    // As if the job had been submitted after the backup from which the database was restored.
    let account = world.account()?;
    let (user, job) = (world.parts.text("hpc", "user")?, "1795457659Ab3dE");
    let mark = format!("{}:{job}", world.deployment());
    let submit = [
        "--parsable",
        "--uid",
        &user,
        "--chdir",
        "/",
        "--output",
        "/dev/null",
    ];
    let comment = ["--comment", &mark, "--job-name", job, "--wrap", "sleep 600"];
    let id = account.slurm("sbatch", &[&submit[..], &comment[..]].concat())?;
    let id = id.trim();

    // A poll that shows this job has also seen the earlier one.
    let later = alice.submit("sleep", json!({})).await?;
    alice.until(&later, &["running"], SOON).await?;

    // A maintainer checks when it starts.
    world.maintainers[0].stop()?;
    world.maintainers[0].restart()?;
    eventually("one orphan in the metrics", SOON, async || {
        let text = scraped(&world.maintainers[0]).await?;
        let orphans = value(&text, "cybergis_maintainer_orphans", &["local_hpc"]);
        Ok((orphans == Some(1.0)).then_some(()))
    })
    .await?;
    let log = world.maintainers[0].log();
    let reported = log
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    let is_about_one = |line: &Value| line["target"] == "compute_maintainer::orphans";
    let reported: Vec<Value> = reported.filter(is_about_one).collect();
    // Two names of the same cluster, with one account.
    assert!(
        reported.iter().all(|line| line["slurm.id"] == id),
        "{reported:?}"
    );
    let reported: Vec<_> = reported
        .iter()
        .filter(|line| line["hpc"] == "local_hpc")
        .collect();
    let [reported] = &reported[..] else {
        anyhow::bail!("reported {} times: {reported:?}", reported.len());
    };
    assert_eq!(reported["job.id"], job);
    assert_eq!(reported["why"], "the database has no such job");
    let state = account.slurm("squeue", &["-h", "-j", id, "-o", "%T"])?;
    assert!(["PENDING", "RUNNING"].contains(&state.trim()), "{state}");
    alice.until(&followed, &["running"], SOON).await?;
    Ok(())
}
