//! Values that change between the check and their use.

use compute_integration_tests::{Template, World, WorldOptions, attack};
use serde_json::json;

/// Rounds of the race, enough to see it in some of them.
const ROUNDS: usize = 60;

#[tokio::test]
async fn a_change_fired_beside_a_submit_slips_past_no_limit() -> anyhow::Result<()> {
    let world = World::start(WorldOptions {
        // No job needs to run: the queued rows show the outcome.
        maintainers: 0,
        templates: vec![Template::bare("program", "true")],
        ..WorldOptions::default()
    })
    .await?;
    let alice = world.client("alice")?;
    let (mut queued, mut refused) = (0, 0);
    for _ in 0..ROUNDS {
        let id = alice
            .prepare("program", json!({"slurm": {"num_of_task": 1}}))
            .await?;
        let (path, submit) = (format!("/job/{id}"), format!("/job/{id}/submit"));
        let over = json!({"slurm": {"num_of_task": 12, "time": "09:59:00"}});
        let (changed, submitted) =
            tokio::join!(alice.put(&path, over), alice.post(&submit, json!({})));
        let (changed, submitted) = (changed?, submitted?);
        let job = alice.job(&id).await?;
        if submitted.status == 200 {
            assert_eq!(job["slurm"], json!({"num_of_task": 1}), "{job}");
            assert_eq!(changed.status, 402, "{changed:?}");
            queued += 1;
        } else {
            assert_eq!(submitted.status, 402, "{submitted:?}");
            assert_eq!(job["state"], "created", "{job}");
            refused += 1;
        }
    }
    attack::report(
        "changed beside a submit",
        "PUT /job/:id {slurm over all limits} with POST /job/:id/submit, 60 rounds",
        format!("{queued} queued as checked, {refused} not queued, 0 slipped past"),
    );
    Ok(())
}

#[tokio::test]
async fn many_submits_at_once_find_one_place_once() -> anyhow::Result<()> {
    const LIMIT: usize = 3;
    let world = World::start(WorldOptions {
        maintainers: 0,
        config: json!({"limits": {"open_jobs": LIMIT}}),
        templates: vec![Template::bare("program", "true")],
        ..WorldOptions::default()
    })
    .await?;
    let alice = world.client("alice")?;
    // The maximum number of drafts, created concurrently as well.
    let made = at_once(12, async |_| {
        Ok(alice.post("/job", json!({})).await?.status == 200)
    })
    .await?;
    assert_eq!(made, LIMIT);
    let jobs = alice.get("/user/job").await?.body;
    let id = jobs["job"][0]["id"].as_str().unwrap_or_default().to_owned();
    let template = json!({"localExecutableFolder": {"type": "git", "gitId": "program"}});
    assert_eq!(
        alice.put(&format!("/job/{id}"), template).await?.status,
        200
    );
    let queued = at_once(6, async |_| {
        let path = format!("/job/{id}/submit");
        Ok(alice.post(&path, json!({})).await?.status == 200)
    })
    .await?;
    assert_eq!(queued, 1);
    attack::report(
        "limits counted at once",
        "12 POST /job and 6 submits of one job at once, with 3 drafts allowed",
        format!("{made} drafts made, {queued} submit taken"),
    );
    Ok(())
}

/// Runs `work` concurrently, and counts the runs that were accepted.
async fn at_once(
    times: usize,
    work: impl AsyncFn(usize) -> anyhow::Result<bool>,
) -> anyhow::Result<usize> {
    let work = &work;
    let all = futures::future::join_all((0..times).map(|number| work(number))).await;
    let passed: anyhow::Result<Vec<bool>> = all.into_iter().collect();
    Ok(passed?.into_iter().filter(|passed| *passed).count())
}
