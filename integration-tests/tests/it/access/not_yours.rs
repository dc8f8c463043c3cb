//! bob and the jobs and folders of alice: no route lets him read, change, cancel,
//! pause, clean, download or transfer them, or find out that they exist.

use std::path::PathBuf;

use compute_integration_tests::{
    Client, GlobusFake, Parts, Template, World, WorldOptions, client::Answer,
};
use serde_json::{Value, json};

use crate::SOON;

const NO_JOB: &str = "1795457659XXXXX";
const NO_FOLDER: &str = "1795457662XXXXX";
const IDENTITY: &str = "tester@example.org";

/// Method, path with `{}` for the id, body.
type Route = (&'static str, &'static str, fn() -> Value);

/// Every route that names a job or a folder; a test below compares the table with the document.
const OF_JOBS: [Route; 11] = [
    ("GET", "/job/{}", none),
    (
        "PUT",
        "/job/{}",
        || json!({"param": {"a": 2}, "name": "bob's"}),
    ),
    ("POST", "/job/{}/submit", none),
    ("GET", "/job/{}/events", none),
    ("GET", "/job/{}/logs", none),
    ("GET", "/job/{}/result-folder-content", none),
    ("PUT", "/job/{}/cancel", none),
    ("PUT", "/job/{}/pause", none),
    ("PUT", "/job/{}/resume", none),
    (
        "PUT",
        "/job/{}/credential",
        || json!({"user": "bob", "password": "x"}),
    ),
    ("GET", "/statistic/job/{}", none),
];
const OF_FOLDERS: [Route; 5] = [
    ("GET", "/folder/{}", none),
    (
        "PUT",
        "/folder/{}",
        || json!({"name": "bob's", "isWritable": true}),
    ),
    ("DELETE", "/folder/{}", none),
    (
        "POST",
        "/folder/{}/download/globus-init",
        || json!({"toEndpoint": "laptop", "toPath": "/stolen"}),
    ),
    ("GET", "/folder/{}/download/globus-status", none),
];

fn none() -> Value {
    json!({})
}

async fn same_answers(
    bob: &Client,
    (method, path, body): Route,
    hers: &str,
    invented: &str,
) -> anyhow::Result<()> {
    let call = async |id: &str| -> anyhow::Result<Answer> {
        let path = path.replace("{}", id);
        bob.call(method.parse()?, &path, body()).await
    };
    let (of_hers, of_none) = (call(hers).await?, call(invented).await?);
    assert_eq!(
        of_hers.status, of_none.status,
        "{method} {path}: {of_hers:?}"
    );
    let named = of_none.body.to_string().replace(invented, hers);
    assert_eq!(of_hers.body.to_string(), named, "{method} {path}");
    let is_nothing = of_hers.body == json!([]);
    assert!(
        of_hers.status >= 400 || is_nothing,
        "{method} {path}: {of_hers:?}"
    );
    Ok(())
}

#[tokio::test]
async fn nothing_of_alices_can_be_told_from_nothing() -> anyhow::Result<()> {
    let laptop = tempfile::tempdir()?;
    let scratch = PathBuf::from(Parts::of_this_run()?.text("hpc", "root_path")?);
    let endpoints = [("laptop", laptop.path().to_owned()), ("cluster", scratch)];
    let globus = GlobusFake::start(&endpoints).await?;
    let mut config = globus.config(&["laptop"]);
    config["folder_retention_days"] = json!(0);
    let world = World::start(WorldOptions {
        config,
        hpc: json!({"globus": {"identity": IDENTITY, "endpoint": "cluster", "root_path": "/"}}),
        templates: vec![
            Template::bare("quick", "true"),
            Template::bare("sleep", "sleep 300"),
        ],
        ..WorldOptions::default()
    })
    .await?;
    globus.log_in(&world, IDENTITY).await?;
    let (alice, bob) = (world.client("alice")?, world.client("bob")?);
    let created = alice.prepare("quick", json!({"param": {"a": 1}})).await?;
    let running = alice.submit("sleep", json!({})).await?;
    alice.until(&running, &["running"], SOON).await?;
    let ended = alice.submit("quick", json!({})).await?;
    alice.over(&ended, SOON).await?;
    let mut before = Vec::new();
    for id in [&created, &running, &ended] {
        before.push(alice.job(id).await?);
        for route in OF_JOBS {
            same_answers(&bob, route, id, NO_JOB).await?;
        }
    }
    let own = bob.prepare("quick", json!({})).await?;
    for folder in ["remoteExecutableFolder", "remoteResultFolder"] {
        let job = alice.job(&ended).await?;
        let id = job[folder]["id"].as_str().unwrap_or_default();
        for route in OF_FOLDERS {
            same_answers(&bob, route, id, NO_FOLDER).await?;
        }
        // Nor can he use it for his own job.
        for field in ["remoteDataFolder", "remoteExecutableFolder"] {
            let put = async |id: &str| bob.put(&format!("/job/{own}"), json!({field: id})).await;
            let (of_hers, of_none) = (put(id).await?, put(NO_FOLDER).await?);
            assert_eq!((of_hers.status, of_none.status), (402, 402));
            let named = of_none.body.to_string().replace(NO_FOLDER, id);
            assert_eq!(of_hers.body.to_string(), named);
        }
    }
    let cleaned = bob.put("/clean", json!({})).await?;
    assert_eq!(cleaned.body["folder"], json!([]));
    for path in ["/user/job", "/folder", "/user/slurm-usage"] {
        let shown = bob.get(path).await?.body.to_string();
        for id in [&created, &running, &ended] {
            assert!(!shown.contains(id.as_str()), "{path}: {shown}");
        }
    }
    assert_eq!(globus.transfers(), []);
    for job in before {
        let id = job["id"].as_str().unwrap_or_default();
        assert_eq!(alice.job(id).await?, job);
    }
    alice
        .put(&format!("/job/{running}/cancel"), json!({}))
        .await?;
    Ok(())
}

/// A new route that names a job or a folder must be added to the table.
#[tokio::test]
async fn the_table_has_every_route_that_names_something() -> anyhow::Result<()> {
    let world = World::with([]).await?;
    let url = format!("http://{}/api-docs/openapi.json", world.gateway.address());
    let document: Value = reqwest::get(url).await?.json().await?;
    let listed: Vec<_> = OF_JOBS.iter().chain(&OF_FOLDERS).collect();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        let named = path.replace("{id}", "{}");
        for method in item.as_object().into_iter().flat_map(|item| item.keys()) {
            let is_listed = listed
                .iter()
                .any(|(verb, path, _)| *path == named && verb.eq_ignore_ascii_case(method));
            // Templates belong to no user.
            let is_public = !named.contains("{}") || named.starts_with("/git");
            assert!(
                is_listed || is_public,
                "{method} {path} is not in the table"
            );
        }
    }
    Ok(())
}
