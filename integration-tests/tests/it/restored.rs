//! The database is restored from a dump while the HPC has gone on. The dump is a copy of the SQLite file, so this module is
//! not one of those that run on other databases.

use std::{fs, path::Path, time::Duration};

use compute_integration_tests::{Template, World, WorldOptions, client::event_types, eventually};
use serde_json::json;

const LONG: Duration = Duration::from_secs(120);

/// Copies the database, whose services are stopped.
fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    for end in ["-wal", "-shm"] {
        let _ = fs::remove_file(format!("{}{end}", to.display()));
    }
    fs::copy(from, to)?;
    let wal = format!("{}-wal", from.display());
    if Path::new(&wal).exists() {
        fs::copy(&wal, format!("{}-wal", to.display()))?;
    }
    Ok(())
}

/// The dump was made while the job was queued; the job has ended since.
#[tokio::test]
async fn a_job_that_was_queued_in_the_dump_is_adopted() -> anyhow::Result<()> {
    if std::env::var("CYBERGIS_SCENARIO_DATABASE").is_ok_and(|database| database != "sqlite") {
        return Ok(());
    }
    let mut world = World::start(WorldOptions {
        maintainers: 1,
        templates: vec![Template::bare("nap", "sleep 1; echo done")],
        ..WorldOptions::default()
    })
    .await?;
    let database = world.folder().join("compute.sqlite");
    let dump = world.folder().join("dump.sqlite");
    world.maintainers[0].stop()?;
    let alice = world.client("alice")?;
    let id = alice.submit("nap", json!({})).await?;
    world.gateway.stop()?;
    copy(&database, &dump)?;
    world.gateway.restart()?;
    world.maintainers[0].restart()?;
    let alice = world.client("alice")?;
    let first = alice.over(&id, LONG).await?;
    assert_eq!(first["state"], "ended", "{first}\n{}", world.logs());

    world.maintainers[0].stop()?;
    world.gateway.stop()?;
    copy(&dump, &database)?;
    world.gateway.restart()?;
    world.maintainers[0].restart()?;
    let alice = world.client("alice")?;
    let restored = alice.over(&id, LONG).await?;
    assert_eq!(restored["state"], "ended", "{restored}\n{}", world.logs());
    assert_eq!(restored["slurmId"], first["slurmId"], "{restored}");
    let types = event_types(&restored);
    let submits = types.iter().filter(|t| *t == "SLURM_SUBMIT_SUCCESS");
    assert_eq!(submits.count(), 1, "{types:?}");
    let account = world.account()?;
    let counted = eventually("accounting", LONG, async || {
        Ok(Some(account.accounted(&id)?).filter(|&count| count > 0))
    })
    .await?;
    assert_eq!(counted, 1, "job {id} was submitted {counted} times");
    Ok(())
}
