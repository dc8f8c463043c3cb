//! Runs the requests of `docs/api.md`, and compares its tables with the gateway.

use std::{collections::BTreeSet, fs};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use compute_domain::job::EventKind;
use compute_integration_tests::{
    Document, Template, Terminal, World,
    document::{Block, project},
    parts,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::SOON;

const DOCUMENT: &str = "docs/api.md";

/// The requests that `test` runs, each with the response that the document shows.
fn requests(test: &str) -> anyhow::Result<Vec<(Block, Option<Value>)>> {
    let blocks = Document::open(DOCUMENT)?.blocks();
    let mut requests: Vec<(Block, Option<Value>)> = Vec::new();
    let mut is_ours = false;
    for block in blocks {
        if block.language == "sh" {
            is_ours = block.run_by().any(|name| name == test);
            if is_ours {
                requests.push((block, None));
            }
        } else if is_ours
            && let Some((request, answer @ None)) = requests.last_mut()
            && request.section == block.section
        {
            *answer = Some(serde_json::from_str(&block.text)?);
        }
    }
    anyhow::ensure!(requests.len() > 1, "{DOCUMENT} has no requests of {test}");
    Ok(requests)
}

/// Differences between the documented and the actual response: missing keys, other types.
fn differences(shown: &Value, answered: &Value, at: &str) -> Vec<String> {
    match (shown, answered) {
        (Value::Object(shown), Value::Object(answered)) => {
            let of_key = |(key, value): (&String, &Value)| {
                let at = format!("{at}.{key}");
                match answered.get(key) {
                    Some(answer) => differences(value, answer, &at),
                    None => vec![format!("{at} is not there")],
                }
            };
            shown.iter().flat_map(of_key).collect()
        }
        (Value::Array(shown), Value::Array(answered)) => {
            let pairs = shown.iter().zip(answered.iter()).enumerate();
            let missing = answered.len() < shown.len();
            let missing = missing.then(|| format!("{at} has only {}", answered.len()));
            pairs
                .flat_map(|(n, (shown, answer))| differences(shown, answer, &format!("{at}[{n}]")))
                .chain(missing)
                .collect()
        }
        (shown, answered) => {
            let is_same = std::mem::discriminant(shown) == std::mem::discriminant(answered);
            let wrong = (!is_same).then(|| format!("{at} is {answered}, not like {shown}"));
            wrong.into_iter().collect()
        }
    }
}

/// Runs the requests with the variables of the document's reader.
fn typed(world: &World, test: &str, more: &str) -> anyhow::Result<Vec<(Block, String)>> {
    let folder = tempfile::tempdir()?;
    let terminal = Terminal::new(world, folder.path())?
        .with("GATEWAY", &format!("http://{}", world.gateway.address()))
        .with("HUB", &world.parts.text("hub", "host")?)
        .with("JUPYTERHUB_API_TOKEN", &world.parts.hub_token("alice")?)
        .with("ID", more)
        .with(
            "auth",
            &format!("Authorization: Bearer {}", world.client("alice")?.token()),
        );
    let requests = requests(test)?;
    let blocks: Vec<_> = requests.iter().map(|(block, _)| block.clone()).collect();
    let said = terminal.run(&blocks)?;
    assert_eq!(said.len(), requests.len());
    for ((block, shown), said) in requests.iter().zip(&said) {
        let Some(shown) = shown else { continue };
        let answered: Value = serde_json::from_str(said)?;
        let wrong = differences(shown, &answered, "");
        assert!(
            wrong.is_empty(),
            "{DOCUMENT}:{}: {wrong:?} {said}",
            block.line
        );
    }
    Ok(blocks.into_iter().zip(said).collect())
}

#[tokio::test]
async fn the_life_of_a_job() -> anyhow::Result<()> {
    let hello = Template::of_folder("hello_world", &parts::local_script("templates/hello_world"))?;
    let world = World::with([hello]).await?;
    let typed = typed(&world, "documented_api::the_life_of_a_job", "")?;
    let (_, last) = typed.last().expect("requests");
    let job: Value = serde_json::from_str(last)?;
    assert_eq!(job["state"], "ended", "{job}");
    assert_eq!(job["env"], json!({"COLOUR": "red"}));
    assert!(last.contains("has input_a=70 input_b=bar"), "{last}");
    assert!(last.contains("\"JOB_ENDED\""), "{last}");
    Ok(())
}

#[tokio::test]
async fn a_job_is_held_and_ended() -> anyhow::Result<()> {
    let world = World::with([Template::bare("sleep", "sleep 600")]).await?;
    let alice = world.client("alice")?;
    let id = alice.submit("sleep", json!({})).await?;
    alice.until(&id, &["running"], SOON).await?;
    typed(&world, "documented_api::a_job_is_held_and_ended", &id)?;
    let job = alice.over(&id, SOON).await?;
    assert_eq!(job["state"], "cancelled", "{job}");
    Ok(())
}

#[test]
fn the_routes_are_those_of_the_openapi_document() -> anyhow::Result<()> {
    let openapi: Value = serde_json::from_slice(&fs::read(project().join("docs/openapi.json"))?)?;
    let mut routes = BTreeSet::new();
    for (path, methods) in openapi["paths"].as_object().into_iter().flatten() {
        for (method, route) in methods.as_object().into_iter().flatten() {
            let wants_token = route.get("requestBody").is_some();
            routes.insert((format!("{} {path}", method.to_uppercase()), wants_token));
        }
    }
    let rows = Document::open(DOCUMENT)?.rows("Routes");
    let of_row = |row: &Vec<String>| (row[0].trim_matches('`').to_owned(), !row[1].is_empty());
    let documented: BTreeSet<_> = rows.iter().map(of_row).collect();
    assert_eq!(documented.len(), rows.len(), "a route is there twice");
    assert_eq!(documented, routes);
    Ok(())
}

/// The types of all events, as clients see them. A kind that is missing here is a compile
/// error.
macro_rules! types_of {
    ($($kind:ident),*) => {{
        fn is_named(kind: EventKind) {
            match kind { $(EventKind::$kind => ()),* }
        }
        [$(EventKind::$kind),*].map(|kind| {
            is_named(kind);
            kind.as_str()
        })
    }};
}

#[test]
fn the_events_are_all_there_are() -> anyhow::Result<()> {
    let rows = Document::open(DOCUMENT)?.rows("Events");
    let documented: Vec<_> = rows.iter().map(|row| row[0].trim_matches('`')).collect();
    let all = types_of![
        JobQueued,
        JobRegistered,
        SlurmUploadExecutable,
        SlurmUploadData,
        GlobusTransferInit,
        GlobusTransferInitSuccess,
        SlurmCreateResult,
        SlurmSubmit,
        SlurmSubmitSuccess,
        SlurmSubmitError,
        JobInit,
        JobRetry,
        JobPaused,
        JobResumed,
        JobControlRefused,
        JobRequeued,
        JobResultIncomplete,
        JobCancelled,
        JobEnded,
        JobFailed
    ];
    assert_eq!(documented, all);
    Ok(())
}

#[tokio::test]
async fn errors_have_the_documented_status_and_text() -> anyhow::Result<()> {
    let world = World::with([Template::bare("nothing", "true")]).await?;
    let (alice, base) = (world.client("alice")?, world.gateway.address());
    let job = alice
        .prepare("nothing", json!({"slurm": {"num_of_task": 5}}))
        .await?;
    let submitted = alice.submit("nothing", json!({})).await?;
    let rows = Document::open(DOCUMENT)?.rows("Errors");
    let nobody = alice.with_token("bm9ib2R5QG5vYm9keQ==");
    let unknown = format!("{}@wrong", world.parts.text("hub", "host")?);
    let refused = alice.with_token(&BASE64_STANDARD.encode(unknown));
    let bare = format!("/job/{job}");
    let mut seen = BTreeSet::new();
    for (client, method, path, body) in [
        (&alice, Method::GET, "/nowhere", json!({})),
        (&alice, Method::GET, "/git/nothing_at_all", json!({})),
        (&alice, Method::GET, "/job/nothing", json!({})),
        (&alice, Method::POST, "/job", json!({"hpc": "nothing"})),
        (&alice, Method::POST, &format!("{bare}/submit"), json!({})),
        (
            &alice,
            Method::POST,
            &format!("/job/{submitted}/submit"),
            json!({}),
        ),
        (&alice, Method::PUT, &format!("{bare}/cancel"), json!({})),
        (&nobody, Method::GET, "/user", json!({})),
        (&nobody, Method::GET, &bare, json!({})),
        (&refused, Method::GET, "/user", json!({})),
        (
            &alice,
            Method::GET,
            "/folder/x/download/globus-status",
            json!({}),
        ),
        // The last request, because it ends its connection.
        (
            &alice,
            Method::GET,
            "/user",
            json!({"x": "x".repeat(2 << 20)}),
        ),
    ] {
        let answer = client.call(method.clone(), path, body).await?;
        let status = answer.status.to_string();
        let row = rows.iter().find(|row| row[0] == status);
        let Some(row) = row else {
            panic!("{method} {path}: {status} is not in the table: {answer:?}");
        };
        let said = answer.body["error"].as_str().unwrap_or_default();
        // Names differ; the text before them must be the same.
        let same = |example: &str| match example.split_once('…') {
            Some((before, _)) => said.starts_with(before),
            None => {
                said == example
                    || said.rsplit_once(' ').map(|s| s.0) == example.rsplit_once(' ').map(|s| s.0)
            }
        };
        let examples: Vec<_> = row[2].split('`').skip(1).step_by(2).collect();
        assert!(
            examples.iter().any(|e| same(e)),
            "{method} {path}: {said} is none of {examples:?}"
        );
        seen.insert(status);
    }
    let raw = reqwest::Client::new().get(format!("http://{base}/user"));
    let raw = raw.header("content-type", "application/json").body("{");
    let raw = raw.send().await?;
    assert_eq!(raw.status().as_u16(), 400);
    let said: Value = raw.json().await?;
    assert!(
        said["error"]
            .as_str()
            .is_some_and(|e| e.starts_with("malformed body: no JSON: ")),
        "{said}"
    );
    assert_eq!(seen.len(), 5, "{seen:?}");
    Ok(())
}
