//! Cancel in every state of a job.

use compute_integration_tests::{Client, Template, World, WorldOptions, client::event_types};
use serde_json::{Value, json};

use crate::SOON;

fn sleeper() -> Template {
    Template::bare("sleep", "sleep 300")
}

async fn cancel(client: &Client, id: &str) -> anyhow::Result<Value> {
    let answer = client
        .put(&format!("/job/{id}/cancel"), json!({"jobId": id}))
        .await?;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(
        answer.body,
        json!({"messages": ["job successfully added to cancel queue"]})
    );
    let job = client.over(id, SOON).await?;
    assert_eq!(job["state"], "cancelled", "{job}");
    assert_eq!(job["isFailed"], true);
    let types = event_types(&job);
    assert_eq!(
        types[types.len() - 2..],
        ["JOB_CANCELLED", "JOB_FAILED"],
        "{types:?}"
    );
    let cause = job["cause"].as_str().unwrap_or_default();
    assert!(cause.starts_with("cancelled by alice@"), "{cause}");
    Ok(job)
}

#[tokio::test]
async fn never_submitted_is_refused() -> anyhow::Result<()> {
    let world = World::with([sleeper()]).await?;
    let alice = world.client("alice")?;
    let id = alice.prepare("sleep", json!({})).await?;
    let answer = alice
        .put(&format!("/job/{id}/cancel"), json!({"jobId": id}))
        .await?;
    assert_eq!(answer.status, 402);
    assert_eq!(answer.body["error"], "job is not in queue or running jobs");
    Ok(())
}

#[tokio::test]
async fn while_queued() -> anyhow::Result<()> {
    let options = WorldOptions {
        capacity: 1,
        templates: vec![sleeper()],
        ..WorldOptions::default()
    };
    let world = World::start(options).await?;
    let alice = world.client("alice")?;
    let first = alice.submit("sleep", json!({})).await?;
    alice.until(&first, &["submitted", "running"], SOON).await?;
    let second = alice.submit("sleep", json!({})).await?;
    assert_eq!(alice.job(&second).await?["state"], "queued");
    let job = cancel(&alice, &second).await?;
    assert_eq!(job["slurmId"], Value::Null, "it never came to the HPC");
    cancel(&alice, &first).await?;
    Ok(())
}

#[tokio::test]
async fn while_pending_in_slurm() -> anyhow::Result<()> {
    let options = WorldOptions {
        sbatch_options: vec!["#SBATCH --begin=now+1hour".to_owned()],
        templates: vec![sleeper()],
        ..WorldOptions::default()
    };
    let world = World::start(options).await?;
    let (alice, account) = (world.client("alice")?, world.account()?);
    let id = alice.submit("sleep", json!({})).await?;
    alice.until(&id, &["submitted"], SOON).await?;
    assert_eq!(account.on_hpc(std::slice::from_ref(&id))?, 1);
    let job = cancel(&alice, &id).await?;
    assert_eq!(job["startedAt"], Value::Null, "it never ran");
    assert_eq!(account.on_hpc(&[id])?, 0, "gone from Slurm");
    Ok(())
}

#[tokio::test]
async fn while_running() -> anyhow::Result<()> {
    let world = World::with([sleeper()]).await?;
    let alice = world.client("alice")?;
    let id = alice.submit("sleep", json!({})).await?;
    alice.until(&id, &["running"], SOON).await?;
    let job = cancel(&alice, &id).await?;
    assert_ne!(job["startedAt"], Value::Null);
    assert_eq!(world.account()?.on_hpc(&[id])?, 0);
    Ok(())
}
