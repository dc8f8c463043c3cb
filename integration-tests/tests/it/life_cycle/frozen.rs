//! A maintainer that is frozen (SIGSTOP) for longer than its lease, and goes on.
//!
//! On PostgreSQL in any run: a server ends the transaction of a frozen process, and nobody can
//! take the lock of a SQLite file away from it.

use std::time::Duration;

use anyhow::Context as _;
use compute_integration_tests::{
    Client, Template, World, WorldOptions, client::event_types, database, eventually,
};
use serde_json::json;

const LONG: Duration = Duration::from_secs(90);

/// Which of the two maintainers runs the job.
async fn runner_of(world: &World, id: &str) -> anyhow::Result<usize> {
    eventually("the start of the job", LONG, async || {
        Ok(world
            .maintainers
            .iter()
            .position(|one| has_started(&one.log(), id)))
    })
    .await
}

fn has_started(log: &str, id: &str) -> bool {
    log.lines()
        .any(|line| line.contains("job started") && line.contains(id))
}

/// Lines of the connector's log that name the job.
fn calls(world: &World, id: &str) -> usize {
    let log = world.connector.log();
    log.lines().filter(|line| line.contains(id)).count()
}

async fn ends_once(world: &World, client: &Client, id: &str) -> anyhow::Result<()> {
    let job = client.over(id, LONG).await?;
    assert_eq!(job["state"], "ended", "{job}\n{}", world.logs());
    let types = event_types(&job);
    for once in [
        "JOB_REGISTERED",
        "SLURM_SUBMIT_SUCCESS",
        "JOB_INIT",
        "JOB_ENDED",
    ] {
        let count = types.iter().filter(|kind| *kind == once).count();
        assert_eq!(count, 1, "{once} in {types:?}");
    }
    let account = world.account()?;
    let counted = eventually("accounting", LONG, async || {
        Ok(Some(account.accounted(id)?).filter(|&count| count > 0))
    })
    .await?;
    assert_eq!(counted, 1, "job {id} was submitted {counted} times");
    Ok(())
}

#[tokio::test]
async fn it_writes_nothing_calls_nothing_and_serves_again() -> anyhow::Result<()> {
    let options = WorldOptions {
        maintainers: 2,
        database: Some(database::on_postgres("frozen")?),
        json_logs: true,
        templates: vec![Template::bare("nap", "sleep 20")],
        ..WorldOptions::default()
    };
    let mut world = World::start(options).await?;
    let alice = world.client("alice")?;
    let id = alice.submit("nap", json!({})).await?;
    let frozen = runner_of(&world, &id).await?;
    let other = 1 - frozen;
    alice.until(&id, &["submitted", "running"], LONG).await?;
    world.maintainers[frozen].signal("STOP")?;
    eventually("the other takes over", LONG, async || {
        Ok(has_started(&world.maintainers[other].log(), &id).then_some(()))
    })
    .await
    .with_context(|| world.logs())?;
    ends_once(&world, &alice, &id).await?;
    let (row, called) = (alice.job(&id).await?, calls(&world, &id));

    world.maintainers[frozen].signal("CONT")?;
    eventually("another lease", LONG, async || {
        let log = world.maintainers[frozen].log();
        Ok(log.contains("another one has begun").then_some(()))
    })
    .await?;
    eventually("its runner stops", LONG, async || {
        let log = world.maintainers[frozen].log();
        let stopped = |line: &str| line.contains("runner stopped") && line.contains(&id);
        Ok(log.lines().any(stopped).then_some(()))
    })
    .await?;
    world.maintainers[other].kill()?;
    let next = alice.submit("nap", json!({})).await?;
    ends_once(&world, &alice, &next).await?;
    assert_eq!(runner_of(&world, &next).await?, frozen);
    assert_eq!(alice.job(&id).await?, row, "nothing was written");
    assert_eq!(calls(&world, &id), called, "nothing was called");
    Ok(())
}
