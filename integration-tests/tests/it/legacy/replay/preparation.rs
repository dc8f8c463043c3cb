//! Events before some cases that are not in the recording itself: the
//! numbers of the cases have gaps, and some jobs were created in another way.

mod transfers;

use std::{fs, path::Path};

use anyhow::Context as _;
use compute_integration_tests::{Client, World, client::Answer, eventually, service::Service};
use serde_json::{Value, json};

use super::world::Scene;
use crate::SOON;

/// The job that the recording follows from its beginning to its end.
const FLOW: &str = "1795457902k6qgj";
/// The one that is configured and not submitted.
const DRAFT: &str = "1795457551sZyxD";

/// Brings the world to its state when that case was recorded.
///
/// # Errors
/// If that state is not reached.
pub(crate) async fn before(case: &str, scene: &mut Scene) -> anyhow::Result<()> {
    if ["261", "263", "264", "265", "296"].contains(&case) {
        return transfers::before(case, scene).await;
    }
    let alice = scene.alice.clone();
    let Scene { world, names, .. } = scene;
    let change = async |path: String, body: Value| alice.put(&names.text(&path), body).await;
    let job = |id: &str| format!("/job/{id}");
    let result = "/folder/1795457905CwpWD".to_owned();
    match case {
        "173" => done(change(job(DRAFT), json!({"param": {}})).await?),
        "179" => {
            let data = json!({"type": "globus", "endpoint": "e", "path": "/p"});
            done(change(job(DRAFT), json!({"localDataFolder": data})).await?)
        }
        "201" => done(change(job(DRAFT), json!({"slurm": {"memory": 9000}})).await?),
        // A maintainer would claim the job at once, and it would no longer be queued.
        "232" | "282" => {
            stop_maintainers(world)?;
            if case == "282" {
                let id = alice.submit("sleep", sleep()).await?;
                names.bind("1795457913sIeaA", &id);
            }
            Ok(())
        }
        "235" => {
            start_maintainers(world)?;
            alice.over(&names.text(FLOW), SOON).await?;
            Ok(())
        }
        "252" => done(change(result, json!({"name": "my result"})).await?),
        "255" => done(change(result, json!({"isWritable": true, "name": "n2"})).await?),
        "256" => done(change(result, json!({"name": "n2"})).await?),
        "269" => gone_hpc(scene).await,
        "276" => {
            let path = names.text("/folder/1795457905xovic");
            done(
                alice
                    .call(reqwest::Method::DELETE, &path, json!({}))
                    .await?,
            )
        }
        "283" => {
            start_maintainers(world)?;
            alice.over(&names.text("1795457913sIeaA"), SOON).await?;
            names.bind("1795457913sIeaA", &running(&alice, sleep()).await?);
            Ok(())
        }
        "284" => cancelled(&alice, &names.text("1795457913sIeaA")).await,
        "285" => {
            names.bind("17954579178b5EC", &running(&alice, sleep()).await?);
            Ok(())
        }
        "287" => {
            // Two that need all of the cluster.
            let mut all = sleep();
            all["slurm"] = json!({"num_of_task": 4, "cpu_per_task": 16});
            let first = running(&alice, all.clone()).await?;
            let second = alice.submit("sleep", all).await?;
            alice.until(&second, &["submitted"], SOON).await?;
            names.bind("1795457930qkibP", &second);
            cancelled(&alice, &first).await
        }
        "290" => choose_quick(&alice, &names.text("17954587988WHrW")).await,
        "292" => choose_quick(&alice, &names.text("1795458805gZIL6")).await,
        _ => Ok(()),
    }
}

fn done(answer: Answer) -> anyhow::Result<()> {
    anyhow::ensure!(answer.status == 200, "{answer:?}");
    Ok(())
}

fn stop_maintainers(world: &mut World) -> anyhow::Result<()> {
    world
        .maintainers
        .iter_mut()
        .try_for_each(|maintainer| maintainer.kill())
}

fn start_maintainers(world: &mut World) -> anyhow::Result<()> {
    world
        .maintainers
        .iter_mut()
        .try_for_each(|maintainer| maintainer.restart())
}

fn sleep() -> Value {
    json!({"hpc": "local_hpc", "param": {"secs": "60"}})
}

/// A job whose program runs, not only its batch script.
async fn running(alice: &Client, settings: Value) -> anyhow::Result<String> {
    let id = alice.submit("sleep", settings).await?;
    let job = alice.until(&id, &["running"], SOON).await?;
    let folder = job["remoteResultFolder"]["hpcPath"]
        .as_str()
        .context("no folder")?;
    // It is written into the result folder when the job ends.
    let root = Path::new(folder).parent().context("no root path")?;
    let output = root.join(".cgc/jobs").join(&id).join("job.stdout");
    eventually("the program's output", SOON, async || {
        let written = fs::read_to_string(&output).unwrap_or_default();
        Ok(written.contains("sleeping").then_some(()))
    })
    .await?;
    Ok(id)
}

/// Creates a folder on an HPC that the operator then removes from the configuration.
async fn gone_hpc(scene: &mut Scene) -> anyhow::Result<()> {
    let world = &mut scene.world;
    let file = world.folder().join("config/hpc.json");
    let usual = fs::read_to_string(&file)?;
    let mut hpcs: Value = serde_json::from_str(&usual)?;
    let mut gone = hpcs["local_hpc"].clone();
    // That HPC has no image for the template's container.
    gone["container_runtime"] = json!("none");
    hpcs["gone_hpc"] = gone;
    fs::write(&file, hpcs.to_string())?;
    for service in services(world) {
        service.stop()?;
        service.restart()?;
    }
    let alice = world.client("alice")?;
    let id = alice.submit("quick", json!({"hpc": "gone_hpc"})).await?;
    let job = alice.over(&id, SOON).await?;
    let folder = job["remoteResultFolder"]["id"]
        .as_str()
        .context("no folder")?;
    scene.names.bind("gonehpc", folder);
    fs::write(&file, usual)?;
    for service in services(world) {
        service.stop()?;
        service.restart()?;
    }
    // The former client would reuse connections to the former gateway.
    scene.alice = world.client("alice")?;
    Ok(())
}

fn services(world: &mut World) -> impl Iterator<Item = &mut Service> {
    [&mut world.connector, &mut world.gateway]
        .into_iter()
        .chain(&mut world.maintainers)
}

async fn cancelled(alice: &Client, id: &str) -> anyhow::Result<()> {
    done(alice.put(&format!("/job/{id}/cancel"), json!({})).await?)?;
    alice.over(id, SOON).await.context("not cancelled")?;
    Ok(())
}

async fn choose_quick(alice: &Client, id: &str) -> anyhow::Result<()> {
    let folder = json!({"type": "git", "gitId": "quick"});
    done(
        alice
            .put(
                &format!("/job/{id}"),
                json!({"localExecutableFolder": folder}),
            )
            .await?,
    )
}
