//! Services killed with `kill -9` at the worst time: no job is lost, and none runs twice.

use std::{process::Command, time::Duration};

use compute_integration_tests::{
    Client, Template, World, WorldOptions, client::event_types, eventually, parts::local_script,
};
use serde_json::json;

const LONG: Duration = Duration::from_secs(90);

/// States of a job that Slurm has accepted. On a busy machine it may have ended before it is looked at.
const IN_SLURM: [&str; 4] = ["submitted", "running", "collecting", "ended"];

fn nap(seconds: u32) -> Template {
    Template::bare("nap", &format!("sleep {seconds}"))
}

async fn submit(client: &Client, count: usize) -> anyhow::Result<Vec<String>> {
    let mut ids = Vec::new();
    for _ in 0..count {
        ids.push(client.submit("nap", json!({})).await?);
    }
    Ok(ids)
}

/// Checks that every job succeeds, has one closing event, and was submitted once.
async fn all_end_once(world: &World, client: &Client, ids: &[String]) -> anyhow::Result<()> {
    for id in ids {
        let job = client.over(id, LONG).await?;
        assert_eq!(job["state"], "ended", "{job}\n{}", world.logs());
        let types = event_types(&job);
        for once in [
            "JOB_QUEUED",
            "JOB_REGISTERED",
            "SLURM_SUBMIT_SUCCESS",
            "JOB_INIT",
            "JOB_ENDED",
        ] {
            assert_eq!(
                types.iter().filter(|t| *t == once).count(),
                1,
                "{once} in {types:?}"
            );
        }
    }
    let account = world.account()?;
    for id in ids {
        let counted = eventually("accounting", LONG, async || {
            Ok(Some(account.accounted(id)?).filter(|&count| count > 0))
        })
        .await?;
        assert_eq!(counted, 1, "job {id} was submitted {counted} times");
    }
    Ok(())
}

#[tokio::test]
async fn a_maintainer_is_killed_with_five_jobs_in_flight() -> anyhow::Result<()> {
    let options = WorldOptions {
        maintainers: 1,
        templates: vec![nap(6)],
        ..WorldOptions::default()
    };
    let mut world = World::start(options).await?;
    let alice = world.client("alice")?;
    let ids = submit(&alice, 5).await?;
    // Some are being prepared, others are running.
    alice.until(&ids[1], &IN_SLURM, LONG).await?;
    world.maintainers[0].kill()?;
    world.maintainers[0].restart()?;
    all_end_once(&world, &alice, &ids).await
}

#[tokio::test]
async fn another_maintainer_finishes_what_one_began() -> anyhow::Result<()> {
    let options = WorldOptions {
        maintainers: 2,
        templates: vec![nap(6)],
        ..WorldOptions::default()
    };
    let mut world = World::start(options).await?;
    let alice = world.client("alice")?;
    let ids = submit(&alice, 5).await?;
    for id in &ids {
        alice.until(id, &IN_SLURM, LONG).await?;
    }
    world.maintainers[0].kill()?;
    all_end_once(&world, &alice, &ids).await
}

#[tokio::test]
async fn a_maintainer_that_is_stopped_hands_its_jobs_back() -> anyhow::Result<()> {
    let options = WorldOptions {
        maintainers: 2,
        // Far longer than the scenario: jobs continue only because their leases were released.
        lease_seconds: 600,
        templates: vec![nap(4)],
        ..WorldOptions::default()
    };
    let mut world = World::start(options).await?;
    let alice = world.client("alice")?;
    let ids = submit(&alice, 5).await?;
    alice.until(&ids[2], &IN_SLURM, LONG).await?;
    world.maintainers[0].stop()?;
    world.gateway.stop()?;
    world.gateway.restart()?;
    // The connections of the former process are closed.
    let alice = world.client("alice")?;
    all_end_once(&world, &alice, &ids).await
}

#[tokio::test]
async fn the_connector_is_killed() -> anyhow::Result<()> {
    let mut world = World::with([nap(5)]).await?;
    let alice = world.client("alice")?;
    let ids = submit(&alice, 5).await?;
    alice.until(&ids[0], &IN_SLURM, LONG).await?;
    world.connector.kill()?;
    world.connector.restart()?;
    all_end_once(&world, &alice, &ids).await
}

#[tokio::test]
async fn redis_is_killed_and_comes_back_empty() -> anyhow::Result<()> {
    let own = tempfile::tempdir()?;
    let redis = |verb: &str| -> anyhow::Result<()> {
        let status = Command::new(local_script("redis"))
            .arg(verb)
            .arg(own.path())
            .status()?;
        anyhow::ensure!(status.success(), "redis {verb}");
        Ok(())
    };
    redis("up")?;
    let outcome = async {
        let options = WorldOptions {
            redis: Some(own.path().to_owned()),
            capacity: 2,
            templates: vec![nap(3)],
            ..WorldOptions::default()
        };
        let world = World::start(options).await?;
        let alice = world.client("alice")?;
        // Two run, three wait in the stream that is about to be lost.
        let ids = submit(&alice, 5).await?;
        alice.until(&ids[0], &IN_SLURM, LONG).await?;
        redis("restart")?;
        all_end_once(&world, &alice, &ids).await
    }
    .await;
    redis("down")?;
    outcome
}

/// Any of several gateways can be replaced at any time: the new one accepts every
/// request that the others accept.
#[tokio::test]
async fn a_gateway_that_has_just_started_knows_the_templates() -> anyhow::Result<()> {
    let mut world = World::with([Template::bare("quick", "true")]).await?;
    world.gateway.stop()?;
    world.gateway.restart()?;
    let alice = world.client("alice")?;
    let id = alice.submit("quick", json!({})).await?;
    alice.until(&id, &["ended"], LONG).await?;
    Ok(())
}

/// A gateway that loaded the templates a while ago accepts a new one, too.
#[tokio::test]
async fn a_template_approved_a_moment_ago_is_taken_by_each_gateway() -> anyhow::Result<()> {
    let world = World::start(WorldOptions {
        config: json!({"template_refresh_seconds": 3600}),
        ..WorldOptions::default()
    })
    .await?;
    let address = Template::bare("new", "true").write(&world.folder().join("templates"))?;
    let add = [
        "template",
        "add",
        "new",
        &address,
        "--approve",
        "--raw-sbatch",
    ];
    world.operator(&add)?;
    let alice = world.client("alice")?;
    let id = alice.submit("new", json!({})).await?;
    alice.until(&id, &["ended"], LONG).await?;
    Ok(())
}
