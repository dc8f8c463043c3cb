//! Errors and logs of services contain no passwords and no tokens.

use std::process::{Child, Command, Stdio};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use compute_integration_tests::{
    OwnRedis, Template, World, WorldOptions, eventually, secrets, service::binaries,
};
use serde_json::json;

use crate::SOON;

const PASSWORD: &str = "a-password-that-is-wrong";

/// A program with an unusable database. Services try again: they get longer than one
/// attempt takes.
fn with_database(world: &World, words: &[&str], url: &str) -> anyhow::Result<Child> {
    let (program, args) = words.split_first().unwrap_or((&"", &[]));
    Ok(Command::new("timeout")
        .args(["--signal=KILL", "15"])
        .arg(binaries()?.join(program))
        .arg("--config")
        .arg(world.folder().join("config"))
        .args(args)
        .env("CYBERGIS__DATABASE__URL", url)
        .env("CYBERGIS_LOG", "trace")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?)
}

#[tokio::test]
async fn the_databases_password_is_in_no_error_and_no_log() -> anyhow::Result<()> {
    let world = World::with([]).await?;
    let good = world.parts.text("postgres", "url")?;
    let at = good.split_once('@').map(|(_, at)| at).unwrap_or_default();
    let mut programs = Vec::new();
    for url in [
        format!("postgres://nobody:{PASSWORD}@{at}"),
        format!("postgres://nobody:{PASSWORD}@127.0.0.1:1/compute"),
        format!("postgres://nobody:{PASSWORD}@h:port/x"),
    ] {
        for words in [
            &["compute-migrate", "up"][..],
            &["cybergis-compute", "job", "list"],
            &["compute-gateway", "--listen", "127.0.0.1:0"],
            &["compute-maintainer", "--listen", "127.0.0.1:0"],
        ] {
            let program = with_database(&world, words, &url)?;
            programs.push((format!("{words:?} {url}"), program));
        }
    }
    for (what, program) in programs {
        let output = program.wait_with_output()?;
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(!said.contains(PASSWORD), "{what}: {said}");
        assert!(said.contains("database"), "{what}: {said}");
    }
    Ok(())
}

#[tokio::test]
async fn the_password_of_redis_is_in_no_log_when_it_goes_away() -> anyhow::Result<()> {
    let redis = OwnRedis::up()?;
    let password = compute_integration_tests::parts::fact_in(redis.path(), "password")?;
    let password = password.as_str().unwrap_or_default().to_owned();
    assert!(password.len() > 10, "there is something to hide");
    let world = World::start(WorldOptions {
        redis: Some(redis.path().to_owned()),
        templates: vec![Template::bare("quick", "true")],
        ..WorldOptions::default()
    })
    .await?;
    redis.command("down")?;
    world.client("alice")?.submit("quick", json!({})).await?;
    eventually("services that miss Redis", SOON, async || {
        let missed = |log: String| log.contains("edis");
        let maintainers = world.maintainers.iter().all(|one| missed(one.log()));
        Ok((maintainers && missed(world.gateway.log())).then_some(()))
    })
    .await?;
    let found = secrets::files_with(&world.folder().join("log"), std::slice::from_ref(&password))?;
    assert!(found.is_empty(), "{found:?}");
    for process in secrets::processes()? {
        let is_ours = process
            .command
            .contains(&world.folder().display().to_string());
        let shown = process.command.contains(&password)
            || is_ours && process.environment.contains(&password);
        assert!(!shown, "{}", process.id);
    }
    Ok(())
}

#[tokio::test]
async fn tokens_are_in_no_refusal_and_no_log() -> anyhow::Result<()> {
    let world = World::with([]).await?;
    let alice = world.client("alice")?;
    let job = alice.post("/job", json!({"jobToken": true})).await?.body;
    let id = job["id"].as_str().unwrap_or_default();
    let of_hub = world.parts.hub_token("alice")?;
    let of_job = job["secretToken"].as_str().unwrap_or_default().to_owned();
    let hub = world.parts.text("hub", "host")?;
    let bad = "a-token-that-nobody-gave";
    let bad_encoded = BASE64_STANDARD.encode(format!("{hub}@{bad}"));
    let secrets = [
        of_hub,
        of_job,
        alice.token().to_owned(),
        bad.to_owned(),
        bad_encoded,
    ];
    let http = reqwest::Client::new();
    let base = format!("http://{}", world.gateway.address());
    for secret in &secrets {
        for (method, path) in [
            ("GET", "/user".to_owned()),
            ("GET", format!("/job/{id}")),
            ("PUT", format!("/job/{id}")),
            ("POST", format!("/job/{id}/submit")),
            ("GET", "/nowhere".to_owned()),
        ] {
            let url = format!("{base}{path}");
            let request = || http.request(method.parse().unwrap_or_default(), &url);
            for request in [
                request().json(&json!({"jupyterhubApiToken": secret, "param": 1})),
                request().json(&json!({"accessToken": secret})),
                request().bearer_auth(secret),
                request()
                    .bearer_auth(secret)
                    .header("X-Jupyterhub-Host", &hub),
                request()
                    .header("Content-Type", "application/json")
                    .body(format!("{{\"jupyterhubApiToken\": \"{secret}\", no JSON")),
            ] {
                let said = request.send().await?.text().await?;
                let shown = secrets.iter().any(|secret| said.contains(secret));
                assert!(!shown, "{method} {path}: {said}");
            }
        }
    }
    let found = secrets::files_with(&world.folder().join("log"), &secrets)?;
    assert!(found.is_empty(), "{found:?}");
    assert!(
        world.gateway.log().contains("status=402"),
        "refusals are logged"
    );
    Ok(())
}
