//! The logs of all services: one key finds every line about a job or a request.

use std::collections::BTreeSet;

use compute_integration_tests::{
    Template, Terminal, World, WorldOptions, document::typed_by, service::Service,
};
use serde_json::{Map, Value, json};

use crate::SOON;

type Line = Map<String, Value>;

fn lines(service: &Service) -> anyhow::Result<Vec<Line>> {
    let log = service.log();
    log.lines()
        .map(|line| Ok(serde_json::from_str(line)?))
        .collect()
}

fn with<'a>(lines: &'a [Line], key: &str, id: &str) -> Vec<&'a Line> {
    let has = |line: &&Line| line.get(key).is_some_and(|value| value == id);
    lines.iter().filter(has).collect()
}

fn messages<'a>(lines: &[&'a Line]) -> BTreeSet<&'a str> {
    let message = |line: &&'a Line| line.get("message")?.as_str();
    lines.iter().filter_map(message).collect()
}

async fn world() -> anyhow::Result<World> {
    World::start(WorldOptions {
        json_logs: true,
        templates: vec![Template::bare("sleep", "sleep 600")],
        ..WorldOptions::default()
    })
    .await
}

#[tokio::test]
async fn every_line_about_a_job_or_a_request_has_its_id() -> anyhow::Result<()> {
    let world = world().await?;
    let alice = world.client("alice")?.with_request_id("scenario-1");
    let id = alice.submit("sleep", json!({})).await?;
    alice.until(&id, &["running"], SOON).await?;
    alice.put(&format!("/job/{id}/cancel"), json!({})).await?;
    alice.over(&id, SOON).await?;
    // The connector is called on behalf of the request, and cannot reach the login node.
    let login = json!({"hpc": "away_hpc", "user": "alice", "password": "secret"});
    assert_eq!(alice.post("/job", login).await?.status, 503);

    let gateway = lines(&world.gateway)?;
    let maintainer = lines(&world.maintainers[0])?;
    let connector = lines(&world.connector)?;
    for (name, lines) in [
        ("gateway", &gateway),
        ("maintainer", &maintainer),
        ("connector", &connector),
    ] {
        let about = |line: &&Line| Value::Object((*line).clone()).to_string().contains(&id);
        for line in lines.iter().filter(about) {
            assert_eq!(line.get("job.id"), Some(&json!(id)), "{name}: {line:?}");
        }
        assert!(!with(lines, "job.id", &id).is_empty(), "{name}");
        assert!(
            !with(lines, "request.id", "scenario-1").is_empty(),
            "{name}"
        );
    }
    let of_job = |lines| messages(&with(lines, "job.id", &id));
    let of_request = |lines| messages(&with(lines, "request.id", "scenario-1"));
    assert!(of_job(&gateway).is_superset(&["job made", "job queued", "answered"].into()));
    let of_runner = ["job started", "accepted by the scheduler", "job ended"];
    assert!(of_job(&maintainer).is_superset(&of_runner.into()));
    assert!(of_job(&connector).contains("submitted"));
    assert!(of_request(&maintainer).contains("notified about the job"));
    assert!(of_request(&connector).contains("login failed"));
    let over = with(&maintainer, "message", "job ended");
    assert!(
        over.iter().all(|line| !line.contains_key("request.id")),
        "{over:?}"
    );
    grep_finds_them(&world, &id)
}

/// Runs the commands of docs/operations.md.
fn grep_finds_them(world: &World, id: &str) -> anyhow::Result<()> {
    let test = "logs::every_line_about_a_job_or_a_request_has_its_id";
    let blocks = typed_by(test, &[("LOGS", "log/*.log"), ("ID", id)])?;
    let said = Terminal::new(world, world.folder())?.run(&blocks)?.concat();
    for words in ["job made", "job started", "submitted"] {
        assert!(said.contains(words), "no {words:?} in {said}");
    }
    assert!(!said.contains("starting"), "{said}");
    Ok(())
}

#[tokio::test]
async fn an_id_that_may_not_stand_in_logs_is_replaced() -> anyhow::Result<()> {
    let world = world().await?;
    let url = format!("http://{}/hpc", world.gateway.address());
    let http = reqwest::Client::new();
    let long = "x".repeat(65);
    for (given, is_kept) in [
        ("fit-1", true),
        ("a b", false),
        ("\"}{\"", false),
        (&long, false),
    ] {
        let request = http.get(&url).header("x-request-id", given);
        let answer = request.send().await?;
        let id = answer.headers()["x-request-id"].to_str()?.to_owned();
        assert_eq!(id == given, is_kept, "{given}: {id}");
        let lines = lines(&world.gateway)?;
        assert_eq!(
            messages(&with(&lines, "request.id", &id)),
            ["answered"].into()
        );
        assert_eq!(with(&lines, "request.id", given).is_empty(), !is_kept);
    }
    Ok(())
}
