//! Jobs that are built not to end: they take no place of other users, and can be cancelled.

use std::time::Instant;

use compute_integration_tests::{
    Client, Template, World, WorldOptions,
    attack::report,
    client::{event_types, log_text},
    eventually,
};
use serde_json::{Value, json};

use crate::SOON;

/// 900 nested folders with names of 250 letters, in the result folder.
const NEST: &str = "
import os
os.chdir('/job/result')
for n in range(900):
    name = f'{n:03}' + 'x' * 247
    os.mkdir(name)
    os.chdir(name)
";

/// Ways to make one's own result folder unreadable.
const SPOIL: &str = "
import os, shutil, sys
result, how = '/job/result', os.environ['param_how']
log = result + '/slurm_log'
if how == 'no rights':
    os.chmod(result, 0)
elif how == 'a file in the place of the folder':
    shutil.rmtree(log, ignore_errors=True)
    open(log, 'w').close()
elif how == 'pipes in the place of logs':
    os.makedirs(log, exist_ok=True)
    for name in ('job.stdout', 'job.stderr', 'job.exit'):
        path = os.path.join(log, name)
        if os.path.exists(path):
            os.remove(path)
        os.mkfifo(path)
elif how == 'a ring of links':
    shutil.rmtree(log, ignore_errors=True)
    os.symlink('slurm_log', log)
elif how == 'names that are no text':
    for n in range(2000):
        os.mkdir(os.fsencode(result) + b'/' + b'\\xff' * 200 + str(n).encode())
";

fn templates() -> Vec<Template> {
    vec![
        Template::new("nest", "python nest.py").file("nest.py", NEST),
        Template::new("spoil", "python spoil.py").file("spoil.py", SPOIL),
        Template::bare("sleep", "sleep 600"),
        Template::bare("quick", "true"),
    ]
}

/// Ten places, eight of them for one user, as by default.
async fn world() -> anyhow::Result<World> {
    World::start(WorldOptions {
        capacity: 10,
        hpc: json!({"jobs_per_user": Value::Null}),
        templates: templates(),
        ..WorldOptions::default()
    })
    .await
}

async fn twelve(client: &Client, template: &str) -> anyhow::Result<Vec<String>> {
    let mut ids = Vec::new();
    for _ in 0..12 {
        ids.push(client.submit(template, json!({})).await?);
    }
    Ok(ids)
}

#[tokio::test]
async fn twelve_jobs_that_stay_leave_places_and_are_ended_by_the_operator() -> anyhow::Result<()> {
    let world = world().await?;
    let (alice, bob) = (world.client("alice")?, world.client("bob")?);
    let ids = twelve(&alice, "sleep").await?;
    for id in &ids[..8] {
        alice.until(id, &["running"], SOON).await?;
    }
    let began = Instant::now();
    let of_bob = bob.submit("quick", json!({})).await?;
    assert_eq!(bob.over(&of_bob, SOON).await?["state"], "ended");
    let waited = began.elapsed();
    let on_hpc = world.account()?.on_hpc(&ids)?;
    assert_eq!(on_hpc, 8, "two places are left to others");
    report(
        "twelve jobs on ten places",
        "12 jobs of 10 minutes each",
        format!("{on_hpc} of them on the HPC; another user's job is over in {waited:.1?}"),
    );

    let began = Instant::now();
    for id in &ids {
        let ended = world.operator(&["job", "cancel", id])?;
        assert!(ended.status.success(), "{ended:?}");
    }
    for id in &ids {
        let job = alice.over(id, SOON).await?;
        assert_eq!(job["state"], "cancelled", "{job}");
        assert_eq!(job["cause"], "cancelled by the operator");
    }
    assert_eq!(world.account()?.on_hpc(&ids)?, 0);
    report(
        "jobs that nobody can end",
        "12 jobs, running and queued",
        format!("`job cancel` ends all of them in {:.1?}", began.elapsed()),
    );
    Ok(())
}

#[tokio::test]
async fn results_that_cannot_be_shown_hold_no_place() -> anyhow::Result<()> {
    let world = world().await?;
    let (alice, bob) = (world.client("alice")?, world.client("bob")?);
    let ids = twelve(&alice, "nest").await?;
    let of_bob = bob.submit("quick", json!({})).await?;
    assert_eq!(bob.over(&of_bob, SOON).await?["state"], "ended");
    for id in &ids {
        let job = alice.over(id, 2 * SOON).await?;
        assert_eq!(job["state"], "ended", "{}", log_text(&job));
        let types = event_types(&job);
        assert!(!types.contains(&"JOB_RETRY".to_owned()), "{types:?}");
        assert!(
            types.contains(&"JOB_RESULT_INCOMPLETE".to_owned()),
            "{types:?}"
        );
        let listing = alice
            .get(&format!("/job/{id}/result-folder-content"))
            .await?;
        assert_eq!(listing.status, 200);
        assert_eq!(listing.body[0], "/");
    }
    report(
        "a listing too large",
        "900 nested folders with names of 250 letters, in 12 jobs",
        "the listing is cut; all jobs end well, with a note",
    );
    for how in [
        "no rights",
        "a file in the place of the folder",
        "pipes in the place of logs",
        "a ring of links",
        "names that are no text",
    ] {
        let id = alice
            .submit("spoil", json!({"param": {"how": how}}))
            .await?;
        let job = alice.over(&id, SOON).await?;
        let types = event_types(&job);
        assert!(!types.contains(&"JOB_RETRY".to_owned()), "{how}: {job}");
        report(
            "a result folder that cannot be read",
            how,
            format!("the job is {}", job["state"]),
        );
    }
    Ok(())
}

/// Waits until the job's cause contains `words`.
async fn says(client: &Client, id: &str, words: &str) -> anyhow::Result<Value> {
    eventually(&format!("job {id} to say {words:?}"), SOON, async || {
        let job = client.job(id).await?;
        Ok(job.to_string().contains(words).then_some(job))
    })
    .await
}

#[tokio::test]
async fn cancelling_waits_for_the_hpc_only_where_it_must() -> anyhow::Result<()> {
    let mut world = world().await?;
    let alice = world.client("alice")?;
    let running = alice.submit("sleep", json!({})).await?;
    alice.until(&running, &["running"], SOON).await?;
    world.connector.stop()?;

    let blocked = alice.submit("quick", json!({})).await?;
    alice.until(&blocked, &["blocked"], SOON).await?;
    for id in [&blocked, &running] {
        let answer = alice.put(&format!("/job/{id}/cancel"), json!({})).await?;
        assert_eq!(answer.status, 200);
    }
    let job = alice.over(&blocked, SOON).await?;
    assert_eq!(job["state"], "cancelled", "{job}");
    report(
        "cancel, blocked before submit",
        "the HPC does not answer",
        "ended at once",
    );

    let job = says(&alice, &running, "is to be cancelled, and is not yet").await?;
    assert_eq!(job["state"], "running", "{job}");
    let cause = job["cause"].as_str().unwrap_or_default();
    assert!(cause.starts_with("to be cancelled, as alice@"), "{cause}");
    world.connector.restart()?;
    let job = alice.over(&running, SOON).await?;
    assert_eq!(job["state"], "cancelled", "{job}");
    assert_eq!(world.account()?.on_hpc(&[running])?, 0);
    report(
        "cancel, running",
        "the HPC does not answer",
        "reported in an event and by the job; done as soon as the HPC responds",
    );
    Ok(())
}
