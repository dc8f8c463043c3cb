//! Pause and resume in every state of a job.

use compute_integration_tests::{
    Client, Template, World, WorldOptions, client::event_types, eventually,
};
use serde_json::{Value, json};

use crate::SOON;

async fn ask(client: &Client, id: &str, what: &str) -> anyhow::Result<()> {
    let answer = client.put(&format!("/job/{id}/{what}"), json!({})).await?;
    assert_eq!(answer.status, 200, "{answer:?}");
    Ok(())
}

/// Waits for an event of that type and returns its message.
async fn event(client: &Client, id: &str, kind: &str) -> anyhow::Result<String> {
    eventually(&format!("{kind} of {id}"), SOON, async || {
        let events = client.get(&format!("/job/{id}/events")).await?.body;
        let events = events.as_array().cloned().unwrap_or_default();
        let found = events.into_iter().find(|event| event["type"] == kind);
        Ok(found.and_then(|event| event["message"].as_str().map(str::to_owned)))
    })
    .await
}

#[tokio::test]
async fn in_the_queue_others_go_first() -> anyhow::Result<()> {
    let templates = vec![
        Template::bare("sleep", "sleep 300"),
        Template::bare("quick", "true"),
    ];
    let world = World::start(WorldOptions {
        capacity: 1,
        templates,
        ..WorldOptions::default()
    })
    .await?;
    let alice = world.client("alice")?;
    let first = alice.submit("sleep", json!({})).await?;
    alice.until(&first, &["submitted", "running"], SOON).await?;
    let held = alice.submit("quick", json!({})).await?;
    ask(&alice, &held, "pause").await?;
    let later = alice.submit("quick", json!({})).await?;
    ask(&alice, &first, "cancel").await?;
    // The free place goes to the job that was submitted later.
    assert_eq!(alice.over(&later, SOON).await?["state"], "ended");
    assert_eq!(alice.job(&held).await?["state"], "queued");
    ask(&alice, &held, "resume").await?;
    assert_eq!(alice.over(&held, SOON).await?["state"], "ended");
    Ok(())
}

#[tokio::test]
async fn pending_in_slurm_it_is_held_and_released() -> anyhow::Result<()> {
    let options = WorldOptions {
        sbatch_options: vec!["#SBATCH --begin=now+1hour".to_owned()],
        templates: vec![Template::bare("quick", "true")],
        ..WorldOptions::default()
    };
    let world = World::start(options).await?;
    let (alice, account) = (world.client("alice")?, world.account()?);
    let id = alice.submit("quick", json!({})).await?;
    alice.until(&id, &["submitted"], SOON).await?;
    ask(&alice, &id, "pause").await?;
    event(&alice, &id, "JOB_PAUSED").await?;
    assert_eq!(alice.job(&id).await?["state"], "paused");
    let reason = account.slurm("squeue", &["-h", "-n", &id, "-o", "%r"])?;
    assert_eq!(reason.trim(), "JobHeldUser");
    ask(&alice, &id, "resume").await?;
    event(&alice, &id, "JOB_RESUMED").await?;
    // Until its next cycle the scheduler gives no reason.
    let reason = account.slurm("squeue", &["-h", "-n", &id, "-o", "%r"])?;
    assert!(["None", "BeginTime"].contains(&reason.trim()), "{reason}");
    ask(&alice, &id, "cancel").await?;
    assert_eq!(alice.over(&id, SOON).await?["state"], "cancelled");
    Ok(())
}

#[tokio::test]
async fn what_the_scheduler_refuses_is_told_in_its_words() -> anyhow::Result<()> {
    let templates = vec![Template::bare("sleep", "sleep 300")];
    let world = World::start(WorldOptions {
        templates,
        ..WorldOptions::default()
    })
    .await?;
    let alice = world.client("alice")?;
    let id = alice.submit("sleep", json!({})).await?;
    alice.until(&id, &["running"], SOON).await?;
    ask(&alice, &id, "pause").await?;
    // Slurm 22.05 lets only its operators suspend a running job.
    let message = event(&alice, &id, "JOB_CONTROL_REFUSED").await?;
    assert!(
        message.contains("cannot pause") && message.contains("denied"),
        "{message}"
    );
    ask(&alice, &id, "cancel").await?;
    let job = alice.over(&id, SOON).await?;
    assert_eq!(job["state"], "cancelled");
    assert!(!event_types(&job).contains(&"JOB_PAUSED".to_owned()));
    assert_ne!(job["startedAt"], Value::Null);
    Ok(())
}
