//! Data transfers by Globus in both directions, with services killed meanwhile.

use std::{fs, path::PathBuf};

use compute_integration_tests::{
    GlobusFake, Template, World, WorldOptions,
    client::{event_types, log_text},
    eventually,
    globus_fake::Status,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::SOON;

const IDENTITY: &str = "tester@example.org";

/// A world, a Globus, and a laptop that is one of its endpoints.
struct Setup {
    world: World,
    globus: GlobusFake,
    laptop: TempDir,
}

impl Setup {
    async fn begin() -> anyhow::Result<Self> {
        let laptop = tempfile::tempdir()?;
        fs::create_dir_all(laptop.path().join("set/deep"))?;
        fs::write(laptop.path().join("set/deep/a"), "from far away\n")?;
        let parts = compute_integration_tests::Parts::of_this_run()?;
        let scratch = PathBuf::from(parts.text("hpc", "root_path")?);
        let globus =
            GlobusFake::start(&[("laptop", laptop.path().to_owned()), ("cluster", scratch)])
                .await?;
        let world = World::start(WorldOptions {
            config: globus.config(&["laptop"]),
            hpc: json!({"globus": {"identity": IDENTITY, "endpoint": "cluster", "root_path": "/"}}),
            lease_seconds: 2,
            templates: vec![
                Template::bare("cat", "cat \"$data_folder/deep/a\""),
                Template::bare(
                    "make",
                    "mkdir -p \"$result_folder/sub\" && echo hi > \"$result_folder/sub/b\"",
                ),
            ],
            ..WorldOptions::default()
        })
        .await?;
        Ok(Self {
            world,
            globus,
            laptop,
        })
    }

    /// The operator logs in.
    async fn log_in(&self) -> anyhow::Result<()> {
        self.globus.log_in(&self.world, IDENTITY).await
    }
}

fn from_laptop() -> Value {
    json!({"localDataFolder": {"type": "globus", "endpoint": "laptop", "path": "/set"}})
}

#[tokio::test]
async fn an_upload_survives_everything_and_is_one_transfer() -> anyhow::Result<()> {
    let mut setup = Setup::begin().await?;
    let alice = setup.world.client("alice")?;
    let id = alice.prepare("cat", from_laptop()).await?;
    let refused = alice.post(&format!("/job/{id}/submit"), json!({})).await?;
    assert_eq!(refused.status, 402);
    assert!(
        refused.body["error"].to_string().contains("globus login"),
        "{refused:?}"
    );
    setup.log_in().await?;

    setup.globus.hold(true);
    alice.post(&format!("/job/{id}/submit"), json!({})).await?;
    eventually("the transfer is asked for", SOON, async || {
        Ok((!setup.globus.transfers().is_empty()).then_some(()))
    })
    .await?;
    for service in [&mut setup.world.gateway, &mut setup.world.connector] {
        service.kill()?;
        service.restart()?;
    }
    for maintainer in &mut setup.world.maintainers {
        maintainer.kill()?;
        maintainer.restart()?;
    }
    let alice = setup.world.client("alice")?;
    assert_eq!(setup.globus.transfers(), [Status::Active]);
    setup.globus.expire_access();
    setup.globus.fail(503, None, 2);
    setup.globus.hold(false);
    let job = alice.over(&id, SOON).await?;
    assert_eq!(job["state"], "ended", "{job}");
    assert!(log_text(&job).contains("from far away"), "{job}");
    assert_eq!(
        setup.globus.transfers(),
        [Status::Succeeded],
        "one transfer"
    );
    let types = event_types(&job);
    let of_data: Vec<_> = types
        .iter()
        .filter(|kind| kind.contains("DATA") || kind.contains("GLOBUS"))
        .collect();
    assert_eq!(
        of_data,
        [
            "SLURM_UPLOAD_DATA",
            "GLOBUS_TRANSFER_INIT",
            "GLOBUS_TRANSFER_INIT_SUCCESS"
        ]
    );
    Ok(())
}

#[tokio::test]
async fn a_cancelled_job_cancels_its_transfer_and_a_failed_one_fails_its_job() -> anyhow::Result<()>
{
    let setup = Setup::begin().await?;
    setup.log_in().await?;
    let alice = setup.world.client("alice")?;
    setup.globus.hold(true);
    let id = alice.submit("cat", from_laptop()).await?;
    eventually("the transfer is asked for", SOON, async || {
        Ok((!setup.globus.transfers().is_empty()).then_some(()))
    })
    .await?;
    alice.put(&format!("/job/{id}/cancel"), json!({})).await?;
    assert_eq!(alice.over(&id, SOON).await?["state"], "cancelled");
    assert_eq!(setup.globus.transfers(), [Status::Failed]);

    setup.globus.hold(false);
    let nowhere =
        json!({"localDataFolder": {"type": "globus", "endpoint": "laptop", "path": "/no"}});
    let id = alice.submit("cat", nowhere).await?;
    let job = alice.over(&id, SOON).await?;
    assert_eq!(job["state"], "failed");
    assert!(
        job["cause"]
            .to_string()
            .contains("Globus could not bring the data"),
        "{job}"
    );
    Ok(())
}

#[tokio::test]
async fn a_result_is_fetched_by_its_owner_only_and_once_at_a_time() -> anyhow::Result<()> {
    let setup = Setup::begin().await?;
    let (alice, bob) = (setup.world.client("alice")?, setup.world.client("bob")?);
    let id = alice.submit("make", json!({})).await?;
    let job = alice.over(&id, SOON).await?;
    let folder = job["remoteResultFolder"]["id"].as_str().unwrap_or_default();
    let (init, status) = (
        format!("/folder/{folder}/download/globus-init"),
        format!("/folder/{folder}/download/globus-status"),
    );
    let to = |from: Value| json!({"toEndpoint": "laptop", "toPath": "/got", "fromPath": from, "jobId": id});
    let refused = alice.post(&init, to(Value::Null)).await?;
    assert_eq!(refused.status, 403);
    let words = refused.body["error"].as_str().unwrap_or_default();
    assert!(
        words.starts_with("failed to init globus with error: "),
        "{words}"
    );
    assert_eq!(alice.get(&status).await?.status, 403);
    setup.log_in().await?;
    assert_eq!(alice.get(&status).await?.body, json!({"status": null}));

    for path in ["../../../etc", "/sub/../..", "a\u{0}"] {
        let refused = alice.post(&init, to(json!(path))).await?;
        assert_eq!(refused.status, 403, "{path} {refused:?}");
    }
    assert_eq!(bob.post(&init, to(Value::Null)).await?.status, 403);
    assert_eq!(bob.get(&status).await?.status, 403);
    assert_eq!(setup.globus.transfers(), []);

    setup.globus.hold(true);
    // Of two at the same time, one starts.
    let (one, other) = tokio::join!(
        alice.post(&init, to(json!("/sub"))),
        alice.post(&init, to(json!("/sub")))
    );
    let mut statuses = [one?.status, other?.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 403]);
    assert_eq!(alice.get(&status).await?.body, json!({"status": "ACTIVE"}));
    assert_eq!(alice.post(&init, to(Value::Null)).await?.status, 403);
    setup.globus.hold(false);
    eventually("the folder is there", SOON, async || {
        let answer = alice.get(&status).await?;
        Ok((answer.body["status"] == "SUCCEEDED").then_some(()))
    })
    .await?;
    assert_eq!(
        fs::read_to_string(setup.laptop.path().join("got/b"))?,
        "hi\n"
    );
    let again = alice.post(&init, to(Value::Null)).await?;
    assert_eq!(again.status, 200, "{again:?}");
    assert_eq!(setup.globus.transfers().len(), 2);

    setup.globus.withdraw_consent();
    setup.globus.expire_access();
    let refused = alice.get(&status).await?;
    let words = refused.body["error"].as_str().unwrap_or_default();
    assert!(
        words.starts_with("failed to query globus with error: "),
        "{words}"
    );
    Ok(())
}
