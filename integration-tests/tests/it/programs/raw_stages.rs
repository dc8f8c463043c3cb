//! Programs outside containers need a separate approval.

use compute_integration_tests::{Client, Template, World, WorldOptions, eventually};
use serde_json::{Value, json};

/// Submits a new job of `template` on `hpc`. Returns the status and the error.
async fn submitted(alice: &Client, template: &str, hpc: &str) -> anyhow::Result<(u16, String)> {
    let id = alice.prepare(template, json!({"hpc": hpc})).await?;
    let answer = alice.post(&format!("/job/{id}/submit"), json!({})).await?;
    let words = answer.body["error"].as_str().unwrap_or_default();
    Ok((answer.status, words.to_owned()))
}

fn refusal(template: &str, outside: &str) -> (u16, String) {
    let words = format!(
        "template {template} runs outside of a container ({outside}) and is not approved for that: \
         ask the operator to read it and to say `cybergis-compute template approve {template} \
         --raw-sbatch`"
    );
    (402, words)
}

/// Waits until `GET /git` lists the template, or no longer does.
async fn shown(alice: &Client, template: &str, is: bool) -> anyhow::Result<()> {
    eventually(
        &format!("{template} shown: {is}"),
        crate::SOON,
        async || {
            let all = alice.get("/git").await?.body;
            let one = alice.get(&format!("/git/{template}")).await?;
            let there = (all["git"].get(template).is_some(), one.status == 200);
            Ok((there == (is, is)).then_some(()))
        },
    )
    .await
}

#[tokio::test]
async fn a_template_runs_them_only_if_it_is_approved_for_them() -> anyhow::Result<()> {
    let raw = Template::of_manifest(
        "raw",
        json!({"name": "raw", "connector": "SlurmConnector", "supported_hpc": ["local_hpc"],
            "execution_stage_in_raw_sbatch": ["id > \"$result_folder/who\""]}),
    );
    let world = World::with([raw]).await?;
    let alice = world.client("alice")?;
    world.operator(&["template", "withdraw", "raw", "--raw-sbatch"])?;
    // At once, even while the gateway still lists the template.
    let refused = submitted(&alice, "raw", "local_hpc").await?;
    assert_eq!(refused, refusal("raw", "*_in_raw_sbatch"));
    shown(&alice, "raw", false).await?;

    world.operator(&["template", "approve", "raw", "--raw-sbatch"])?;
    shown(&alice, "raw", true).await?;
    let id = alice.submit("raw", json!({})).await?;
    let job = alice.over(&id, crate::SOON).await?;
    assert_eq!(job["state"], "ended", "{job}");
    Ok(())
}

#[tokio::test]
async fn a_newer_commit_that_begins_to_use_them_is_not_run() -> anyhow::Result<()> {
    let tame = Template::new("turns", "true");
    let world = World::with([tame]).await?;
    let alice = world.client("alice")?;
    world.operator(&["template", "withdraw", "turns", "--raw-sbatch"])?;
    let (status, words) = submitted(&alice, "turns", "local_hpc").await?;
    assert_eq!((status, words.as_str()), (200, ""), "it is tame yet");

    let wild = Template::new("turns", "true").with(
        "pre_processing_stage_in_raw_sbatch",
        json!(["cat ~/.ssh/*"]),
    );
    wild.write(&world.folder().join("templates"))?;
    shown(&alice, "turns", false).await?;
    let refused = submitted(&alice, "turns", "local_hpc").await?;
    assert_eq!(refused, refusal("turns", "*_in_raw_sbatch"));
    Ok(())
}

/// Without a container, nothing contains the program.
#[tokio::test]
async fn nor_is_slurm_connector_where_programs_are_contained() -> anyhow::Result<()> {
    for (containment, is_refused) in [(Value::Null, true), (json!(false), false)] {
        let world = World::start(WorldOptions {
            hpc: json!({"containment": containment}),
            templates: vec![Template::bare("bare", "true")],
            ..WorldOptions::default()
        })
        .await?;
        let alice = world.client("alice")?;
        world.operator(&["template", "withdraw", "bare", "--raw-sbatch"])?;
        let (status, words) = submitted(&alice, "bare", "local_hpc").await?;
        if is_refused {
            assert_eq!((status, words), refusal("bare", "SlurmConnector"));
        } else {
            assert_eq!((status, words.as_str()), (200, ""));
        }
    }
    Ok(())
}
