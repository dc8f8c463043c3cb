//! Globus under the operator's identity: collections and paths that a user cannot name, and links.

mod concurrent_writes;

use std::path::PathBuf;

use compute_integration_tests::{
    Client, GlobusFake, Parts, Template, World, WorldOptions,
    attack::report,
    client::{Answer, event_types},
    eventually,
    globus_fake::Status,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::SOON;

const IDENTITY: &str = "tester@example.org";
/// The collection of the HPC, and that of the hub in the worlds of these tests.
const CLUSTER: &str = "11111111-2222-3333-4444-55555555555a";
const HUB: &str = "00000000-0000-0000-0000-000000000000";

/// A world with Globus, whose operator has logged in and opens `laptop` to all users.
struct Site {
    world: World,
    globus: GlobusFake,
    _laptop: TempDir,
}

impl Site {
    async fn start() -> anyhow::Result<Self> {
        let laptop = tempfile::tempdir()?;
        std::fs::create_dir_all(laptop.path().join("set"))?;
        std::fs::write(laptop.path().join("set/a"), "data\n")?;
        let scratch = PathBuf::from(Parts::of_this_run()?.text("hpc", "root_path")?);
        let folder = laptop.path().to_owned();
        let endpoints = [
            ("laptop", folder.clone()),
            (HUB, folder.clone()),
            (CLUSTER, scratch),
        ];
        let globus = GlobusFake::start(&endpoints).await?;
        let world = World::start(WorldOptions {
            config: globus.config(&["laptop"]),
            hpc: json!({"globus": {"identity": IDENTITY, "endpoint": CLUSTER, "root_path": "/"}}),
            templates: vec![
                Template::bare("cat", "cat \"$data_folder/a\""),
                Template::bare("quick", "mkdir \"$result_folder/sub\""),
                Template::bare(
                    "link",
                    "mkdir \"$result_folder/sub\" && cd \"$result_folder\" && ln -s \"$param_to\" leak \
                     && ln -s . self && ln -s ../../ sub/up && echo x > file",
                ),
                Template::bare("sleep", "sleep 300"),
            ],
            ..WorldOptions::default()
        })
        .await?;
        globus.log_in(&world, IDENTITY).await?;
        Ok(Self {
            world,
            globus,
            _laptop: laptop,
        })
    }
}

/// A job that has ended, and the id of its result folder.
async fn ended(client: &Client, template: &str, param: Value) -> anyhow::Result<(Value, String)> {
    let id = client.submit(template, json!({"param": param})).await?;
    let job = client.over(&id, SOON).await?;
    assert_eq!(job["state"], "ended", "{job}");
    let folder = job["remoteResultFolder"]["id"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    Ok((job, folder))
}

fn refused(name: &str, tried: &str, answer: &Answer, status: u16, words: &str) {
    let said = answer.body["error"].to_string();
    assert_eq!(answer.status, status, "{tried}: {said}");
    assert!(said.contains(words), "{tried}: {said}");
    report(name, tried, format!("{status} {said}"));
}

async fn fetch(
    client: &Client,
    folder: &str,
    to: (&str, &str),
    from: Value,
) -> anyhow::Result<Answer> {
    let body = json!({"toEndpoint": to.0, "toPath": to.1, "fromPath": from});
    client
        .post(&format!("/folder/{folder}/download/globus-init"), body)
        .await
}

#[tokio::test]
async fn nobody_names_a_collection_of_an_hpc_or_a_path_of_somebody_else() -> anyhow::Result<()> {
    let site = Site::start().await?;
    let (alice, bob) = (site.world.client("alice")?, site.world.client("bob")?);
    let (_, hers) = ended(&alice, "quick", json!({})).await?;
    let (_, his) = ended(&bob, "quick", json!({})).await?;
    let job = bob.prepare("cat", json!({})).await?;
    let bare = CLUSTER.replace('-', "");
    let not_available = "is not available";
    let to_hers = format!("/{hers}");
    for (endpoint, path, words) in [
        (CLUSTER, to_hers.as_str(), not_available),
        (&CLUSTER.to_uppercase(), &to_hers, not_available),
        (&format!(" {CLUSTER}\n"), &to_hers, not_available),
        (&bare, &to_hers, not_available),
        (&format!("urn:uuid:{CLUSTER}"), &to_hers, not_available),
        (&format!("{{{CLUSTER}}}"), "/.ssh", not_available),
        ("somebodys-laptop", "/", not_available),
        (HUB, "/~/data/alice", "is not below"),
        (HUB, "/~/data/", "is not below"),
        (HUB, "/~/data/bobby", "is not below"),
        (HUB, "/~/data/bob/../alice", "a part . or .."),
        (HUB, "/~/data/bob//alice", "an empty part"),
        (HUB, "/~/data/bob/~/x", "begins with ~"),
        (HUB, "/~/data/bob/%2e%2e/alice", "percent-encoded"),
        (HUB, "/~/data/bob/..\\alice", "a backslash"),
        (HUB, "/~/data/bob/\u{1b}[2J", "control or invisible"),
        ("laptop", "~/x", "is not below"),
        ("laptop", "/set/../..", "a part . or .."),
    ] {
        let source =
            json!({"localDataFolder": {"type": "globus", "endpoint": endpoint, "path": path}});
        let answer = bob.put(&format!("/job/{job}"), source).await?;
        refused(
            "8 read by Globus",
            &format!("{endpoint:?} {path:?}"),
            &answer,
            402,
            words,
        );
        let answer = fetch(&bob, &his, (endpoint, path), Value::Null).await?;
        refused(
            "8 write by Globus",
            &format!("{endpoint:?} {path:?}"),
            &answer,
            403,
            words,
        );
    }
    let shown = bob.get("/hpc").await?.body;
    assert_eq!(shown["hpc"]["local_hpc"]["globus"], json!({}));
    for secret in [CLUSTER, IDENTITY, "root_path"] {
        assert!(!shown.to_string().contains(secret), "{secret}: {shown}");
    }
    report("8 look", "GET /hpc", "no identity, endpoint or root path");
    assert_eq!(site.globus.transfers(), []);

    // He can read and write his own files, on his hub and on open collections.
    let answer = fetch(&bob, &his, ("laptop", "/got"), json!("/sub")).await?;
    assert_eq!(answer.status, 200, "{answer:?}");
    let source =
        json!({"localDataFolder": {"type": "globus", "endpoint": HUB, "path": "/~/data/bob/set"}});
    assert_eq!(bob.put(&format!("/job/{job}"), source).await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn no_link_leads_globus_out_of_a_folder() -> anyhow::Result<()> {
    let site = Site::start().await?;
    let (alice, bob) = (site.world.client("alice")?, site.world.client("bob")?);
    let (hers, _) = ended(&alice, "quick", json!({})).await?;
    let target = hers["remoteResultFolder"]["hpcPath"].clone();
    let (_, folder) = ended(&bob, "link", json!({"to": target})).await?;
    let to = ("laptop", "/got");
    for (from, words) in [
        ("/leak", "leads out of its folder"),
        ("/leak/sub", "leads out of its folder"),
        ("/self", "leads out of its folder"),
        ("/self/sub", "leads out of its folder"),
        ("/sub/up", "leads out of its folder"),
        ("/sub/up/..", "leads out of the folder"),
        ("/file", "is not a folder"),
        ("/none", "there is no"),
    ] {
        let answer = fetch(&bob, &folder, to, json!(from)).await?;
        refused("links for Globus", from, &answer, 403, words);
    }
    let answer = fetch(&bob, &folder, to, json!("/sub")).await?;
    assert_eq!(answer.status, 200, "{answer:?}");

    // A running program could change the folder after the check.
    let running = bob.submit("sleep", json!({})).await?;
    let job = bob.until(&running, &["running"], SOON).await?;
    let busy = job["remoteResultFolder"]["id"].as_str().unwrap_or_default();
    let answer = fetch(&bob, busy, to, Value::Null).await?;
    refused(
        "links for Globus",
        "the folder of a running job",
        &answer,
        403,
        "is not over",
    );
    bob.put(&format!("/job/{running}/cancel"), json!({}))
        .await?;

    // Globus follows links at its destination: it writes into new folders only.
    let both = json!({"remoteDataFolder": folder,
        "localDataFolder": {"type": "globus", "endpoint": "laptop", "path": "/set"}});
    let id = bob.prepare("cat", both).await?;
    let answer = bob.post(&format!("/job/{id}/submit"), json!({})).await?;
    refused(
        "links for Globus",
        "as destination",
        &answer,
        402,
        "a folder of its own",
    );
    assert_eq!(site.globus.transfers().len(), 1);
    Ok(())
}

/// A transfer that was requested while a collection was open is not submitted once it is
/// closed; a transfer that Globus has started continues.
#[tokio::test]
async fn a_row_from_before_is_looked_at_again() -> anyhow::Result<()> {
    let mut site = Site::start().await?;
    let bob = site.world.client("bob")?;
    let source =
        json!({"localDataFolder": {"type": "globus", "endpoint": "laptop", "path": "/set"}});
    site.globus.hold(true);
    let begun = bob.submit("cat", source.clone()).await?;
    eventually("the transfer is asked for", SOON, async || {
        let job = bob.job(&begun).await?;
        let is_told = event_types(&job).contains(&"GLOBUS_TRANSFER_INIT".to_owned());
        Ok((is_told && !site.globus.transfers().is_empty()).then_some(()))
    })
    .await?;
    let draft = bob.prepare("cat", source.clone()).await?;
    site.world.maintainers[0].stop()?;
    let queued = bob.submit("cat", source).await?;
    let file = site.world.folder().join("config/config.json");
    let mut config: Value = serde_json::from_slice(&std::fs::read(&file)?)?;
    config["globus_collections"] = json!([]);
    std::fs::write(&file, config.to_string())?;
    site.world.gateway.stop()?;
    site.world.gateway.restart()?;
    site.world.maintainers[0].restart()?;

    let bob = site.world.client("bob")?;
    let job = bob.over(&queued, SOON).await?;
    let cause = job["cause"].to_string();
    assert!(
        job["state"] == "failed" && cause.contains("is not available"),
        "{job}"
    );
    report("a row from before", "queued", cause);
    let answer = bob.post(&format!("/job/{draft}/submit"), json!({})).await?;
    refused(
        "a row from before",
        "a draft",
        &answer,
        402,
        "is not available",
    );
    site.globus.hold(false);
    let job = bob.over(&begun, SOON).await?;
    assert_eq!(job["state"], "ended", "{job}");
    assert_eq!(site.globus.transfers(), [Status::Succeeded]);
    Ok(())
}
