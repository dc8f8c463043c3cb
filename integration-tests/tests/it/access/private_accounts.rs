//! An HPC on which each researcher has an account of their own.

mod guesses;
mod hidden_password;

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use anyhow::Context as _;
use compute_integration_tests::{
    Client, OwnRedis, Template, World, WorldOptions, client::event_types, parts::PrivateAccount,
    secrets,
};
use serde_json::{Value, json};

use crate::SOON;

async fn world(redis: Option<&OwnRedis>, command: &str) -> anyhow::Result<World> {
    World::start(WorldOptions {
        redis: redis.map(|redis| redis.path().to_owned()),
        templates: vec![Template::bare("program", command)],
        ..WorldOptions::default()
    })
    .await
}

fn login(account: &PrivateAccount) -> Value {
    json!({"hpc": "private_hpc", "user": account.user, "password": account.password})
}

async fn give(client: &Client, id: &str, password: &str) -> anyhow::Result<(u16, Value)> {
    let path = format!("/job/{id}/credential");
    let answer = client.put(&path, json!({"password": password})).await?;
    Ok((answer.status, answer.body))
}

/// Waits until the job is parked, and returns the message of its last `JOB_RETRY`.
async fn parked(client: &Client, id: &str) -> anyhow::Result<String> {
    let job = client.until(id, &["blocked"], SOON).await?;
    let events = job["events"].as_array().cloned().unwrap_or_default();
    let retry = events.iter().rfind(|event| event["type"] == "JOB_RETRY");
    let message = retry.and_then(|event| event["message"].as_str());
    Ok(message.unwrap_or_default().to_owned())
}

fn chpasswd(account: &PrivateAccount, password: &str) -> anyhow::Result<()> {
    let mut child = Command::new("chpasswd").stdin(Stdio::piped()).spawn()?;
    let mut stdin = child.stdin.take().context("no stdin")?;
    writeln!(stdin, "{}:{password}", account.user)?;
    drop(stdin);
    anyhow::ensure!(child.wait()?.success(), "chpasswd");
    Ok(())
}

/// Kills the connections of the world's connector.
fn kill_masters(world: &World) -> anyhow::Result<()> {
    let sockets = format!("{}/cybergis-connector-", world.folder().display());
    let masters: Vec<String> = secrets::processes()?
        .into_iter()
        .filter(|process| process.command.contains(&sockets))
        .map(|process| process.id)
        .collect();
    anyhow::ensure!(!masters.is_empty(), "there was no connection");
    let status = Command::new("kill").arg("-KILL").args(&masters).status()?;
    anyhow::ensure!(status.success(), "kill {masters:?}");
    Ok(())
}

#[tokio::test]
async fn a_password_that_has_changed_parks_the_job_until_it_is_given() -> anyhow::Result<()> {
    let world = world(None, "sleep 8; echo done").await?;
    let account = world.parts.private_account(6)?;
    let failures = || {
        let log = std::fs::read_to_string(world.parts.text("hpc", "sshd_log")?)?;
        let of_account = format!("Failed password for {} ", account.user);
        anyhow::Ok(log.matches(&of_account).count())
    };
    let before = failures()?;
    // An earlier run may have changed the password.
    chpasswd(&account, &account.password)?;
    let (alice, bob) = (world.client("alice")?, world.client("bob")?);
    let id = alice.submit("program", login(&account)).await?;
    alice.until(&id, &["running"], SOON).await?;
    chpasswd(&account, "another password")?;
    kill_masters(&world)?;
    let message = parked(&alice, &id).await?;
    for words in [
        "refuses the password of",
        account.user.as_str(),
        "PUT /job/",
        "/credential",
    ] {
        assert!(message.contains(words), "{message}");
    }
    assert_eq!(
        failures()? - before,
        1,
        "the refused password is tried once"
    );

    let (status, body) = give(&bob, &id, "another password").await?;
    let reason = format!("you have no job with id {id}");
    assert_eq!((status, &body["error"]), (402, &json!("invalid access")));
    assert_eq!(body["messages"][0], reason);
    let (status, body) = give(&alice, &id, "wrong").await?;
    assert_eq!(
        (status, &body["error"]),
        (401, &json!("invalid SSH credentials"))
    );
    assert_eq!(alice.job(&id).await?["state"], "blocked");
    let path = format!("/job/{id}/credential");
    let other = json!({"user": "somebody", "password": "p"});
    assert_eq!(alice.put(&path, other).await?.status, 402);

    let (status, body) = give(&alice, &id, "another password").await?;
    assert_eq!(status, 200, "{body}");
    let job = alice.over(&id, SOON).await?;
    assert_eq!(job["state"], "ended", "{job}");
    assert_eq!(
        failures()? - before,
        2,
        "once by the job, once by its owner"
    );
    let types = event_types(&job);
    assert_eq!(types.iter().filter(|kind| *kind == "JOB_RETRY").count(), 1);
    let (status, body) = give(&alice, &id, "another password").await?;
    assert_eq!((status, &body["error"]), (402, &json!("the job is over")));
    Ok(())
}

#[tokio::test]
async fn a_redis_that_is_emptied_parks_the_job_until_the_password_is_given() -> anyhow::Result<()> {
    let redis = OwnRedis::up()?;
    let world = world(Some(&redis), "sleep 10").await?;
    let account = world.parts.private_account(7)?;
    let alice = world.client("alice")?;
    let id = alice.submit("program", login(&account)).await?;
    alice.until(&id, &["running"], SOON).await?;
    redis.command("restart")?;
    let message = parked(&alice, &id).await?;
    let expected = format!(
        "the password for {} at private_hpc is not known any more: give it again with PUT \
         /job/{id}/credential",
        account.user
    );
    assert!(message.contains(&expected), "{message}");
    let community = alice
        .prepare("program", json!({"hpc": "local_hpc"}))
        .await?;
    assert_eq!(give(&alice, &community, &account.password).await?.0, 402);
    let (status, body) = give(&alice, &id, &account.password).await?;
    assert_eq!(status, 200, "{body}");
    let job = alice.over(&id, SOON).await?;
    assert_eq!(job["state"], "ended", "{job}");
    Ok(())
}
