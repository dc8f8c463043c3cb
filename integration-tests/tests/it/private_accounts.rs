//! An HPC where everybody has an account of their own.

use std::{
    io::Write as _,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::Context as _;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use compute_integration_tests::{
    Client, OwnRedis, Template, World, WorldOptions, attack, client::event_types, eventually,
    parts::PrivateAccount, python, secrets,
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

/// Waits until the job is parked, and gives the reason that its owner is told.
async fn parked(client: &Client, id: &str) -> anyhow::Result<String> {
    let job = client.until(id, &["blocked"], SOON).await?;
    let events = job["events"].as_array().cloned().unwrap_or_default();
    let retry = events.iter().rfind(|event| event["type"] == "JOB_RETRY");
    let told = retry.and_then(|event| event["message"].as_str());
    Ok(told.unwrap_or_default().to_owned())
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

/// Fails if a secret is anywhere where it must not be.
fn nothing_shows(world: &World, redis: &OwnRedis, hidden: &Hidden) -> anyhow::Result<()> {
    let all = [
        &hidden.password,
        &hidden.token,
        &hidden.encoded,
        &hidden.of_job,
    ];
    let none_in = |text: &str, what: &str| {
        for secret in all {
            assert!(!text.contains(secret.as_str()), "a secret in {what}");
        }
    };
    none_in(&secrets::redis_dump(redis.path())?, "Redis");
    none_in(&secrets::database_dump(world)?, "the database");
    let files = secrets::files_with(world.folder(), &all.map(Clone::clone))?;
    assert!(files.is_empty(), "secrets in {files:?}");
    let own = world.folder().display().to_string();
    let mut of_world = 0;
    for process in secrets::processes()? {
        none_in(&process.command, "a command line");
        let environment = &process.environment;
        assert!(
            !environment.contains(&hidden.password),
            "{}",
            process.command
        );
        if process.command.contains(&own) {
            none_in(environment, &process.command);
            of_world += 1;
        }
    }
    assert!(of_world >= 3, "gateway, connector and maintainer are there");
    Ok(())
}

struct Hidden {
    password: String,
    token: String,
    encoded: String,
    /// What access tokens of a job are computed from.
    of_job: String,
}

#[tokio::test]
async fn a_job_runs_as_its_owner_and_the_password_is_nowhere() -> anyhow::Result<()> {
    let redis = OwnRedis::up()?;
    let world = world(Some(&redis), "id -un; sleep 5").await?;
    let account = world.parts.private_account(4)?;
    let token = world.parts.hub_token("alice")?;
    let hub = world.parts.text("hub", "host")?;
    let alice = world.client("alice")?;
    let made = alice.post("/job", json!({"jobToken": true})).await?.body;
    let of_job = made["secretToken"].as_str().unwrap_or_default().to_owned();
    assert_eq!(of_job.len(), 64);
    let hidden = Hidden {
        of_job,
        password: account.password.clone(),
        encoded: BASE64_STANDARD.encode(format!("{hub}@{token}")),
        token,
    };
    let settings = json!({
        "hpc": "private_hpc", "hpcUsername": account.user, "hpcPassword": account.password,
        "localExecutableFolder": {"type": "git", "gitId": "program"},
    });
    let running = python::run_job(&world, "alice", settings);
    tokio::pin!(running);
    let (mut looks, mut sealed) = (0, 0);
    let said = loop {
        tokio::select! {
            said = &mut running => break said?,
            () = tokio::time::sleep(Duration::from_millis(100)) => {
                nothing_shows(&world, &redis, &hidden)?;
                looks += 1;
                sealed += usize::from(secrets::redis_dump(redis.path())?.contains("v1:"));
            }
        }
    };
    assert_eq!(said["error"], Value::Null, "{said}");
    assert_eq!(said["job"]["state"], "ended", "{said}");
    assert!(
        looks > 5 && sealed > 5,
        "{looks} looks, {sealed} with a sealed login"
    );
    let log = said["logs"].as_str().unwrap_or_default();
    assert_eq!(log.trim(), account.user);
    let id = said["job"]["slurmId"].as_str().unwrap_or_default();
    let site = world.account()?;
    let user = site.slurm("sacct", &["-n", "-X", "-P", "-o", "user", "-j", id])?;
    assert_eq!(user.trim(), account.user);
    eventually("no login in Redis", SOON, async || {
        let kept = secrets::redis_dump(redis.path())?;
        Ok((!kept.contains(":credential:")).then_some(()))
    })
    .await?;
    nothing_shows(&world, &redis, &hidden)?;
    // What is no secret is found in the same way.
    let found = secrets::files_with(world.folder(), std::slice::from_ref(&account.user))?;
    assert!(
        found.iter().any(|file| file.ends_with("connector.log")),
        "{found:?}"
    );
    assert!(secrets::database_dump(&world)?.contains(&account.user));
    let shown = world.client("alice")?.get("/hpc").await?.body.to_string();
    assert!(!shown.contains(&account.user) && shown.contains("private_hpc"));
    let checked = world.operator(&["hpc", "check", "private_hpc"])?;
    let checked = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(checked.contains("private accounts"), "{checked}");
    Ok(())
}

#[tokio::test]
async fn a_wrong_password_is_told_at_once_and_guesses_are_few() -> anyhow::Result<()> {
    let mut world = world(None, "true").await?;
    let account = world.parts.private_account(5)?;
    let (alice, bob) = (world.client("alice")?, world.client("bob")?);
    let carol = world.client("carol")?;
    let post = async |client: &Client, user: Value, password: Value| {
        let body = json!({"hpc": "private_hpc", "user": user, "password": password});
        let answer = client.post("/job", body).await?;
        let told = answer.body["messages"][0].as_str().unwrap_or_default();
        anyhow::Ok((answer.status, answer.body["error"].clone(), told.to_owned()))
    };
    let user = json!(account.user);
    let refused = json!("invalid SSH credentials");
    // What cannot be right is not tried.
    for (user, password, reason) in [
        (Value::Null, Value::Null, "are needed"),
        (user.clone(), Value::Null, "are needed"),
        (Value::Null, json!("p"), "are needed"),
        (json!("-oProxyCommand=touch"), json!("p"), "not the name"),
        (json!("root; id"), json!("p"), "not the name"),
    ] {
        let (status, error, told) = post(&alice, user, password).await?;
        assert_eq!((status, &error), (401, &refused), "{told}");
        assert!(told.contains(reason), "{told}");
    }
    for password in ["wrong", "wrong too", "$(touch x)'\""] {
        let (status, error, told) = post(&alice, user.clone(), json!(password)).await?;
        assert_eq!((status, &error), (401, &refused), "{told}");
        let expected = format!("HPC private_hpc refuses the password of {}", account.user);
        assert_eq!(told, expected);
    }
    let right = json!(account.password);
    let (status, error, told) = post(&alice, user.clone(), right.clone()).await?;
    assert_eq!((status, error), (401, refused));
    assert!(told.contains("at most 3 logins a minute"), "{told}");
    assert!(told.contains("try again in "), "{told}");
    let (status, _, told) = post(&bob, user.clone(), right.clone()).await?;
    assert_eq!(status, 200, "others are not held back: {told}");
    // Whoever tries: the account is everybody's target.
    for _ in 0..2 {
        let (status, _, told) = post(&bob, user.clone(), json!("wrong again")).await?;
        assert_eq!(status, 401);
        assert!(told.contains("refuses the password"), "{told}");
    }
    let (status, _, told) = post(&carol, user.clone(), right.clone()).await?;
    assert_eq!(status, 401);
    let expected = format!("5 logins to {} on private_hpc have failed", account.user);
    assert!(told.contains(&expected), "{told}");
    attack::report(
        "passwords guessed by several users",
        "alice three times and bob twice, then carol, for one account",
        told,
    );
    let away = json!({"hpc": "away_hpc", "user": user, "password": right});
    let answer = bob.post("/job", away).await?;
    assert_eq!(answer.status, 503, "{answer:?}");
    let words = answer.body.to_string();
    assert!(
        words.contains("away_hpc cannot be logged in to now"),
        "{words}"
    );
    assert!(words.contains("Connection refused"), "{words}");
    world.connector.kill()?;
    let (status, error, _) = post(&carol, json!("nobody"), right).await?;
    assert_eq!(status, 503, "{error}");
    assert!(
        error
            .as_str()
            .is_some_and(|words| words.contains("private_hpc"))
    );
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
    // An earlier run has changed it.
    chpasswd(&account, &account.password)?;
    let (alice, bob) = (world.client("alice")?, world.client("bob")?);
    let id = alice.submit("program", login(&account)).await?;
    alice.until(&id, &["running"], SOON).await?;
    chpasswd(&account, "another password")?;
    kill_masters(&world)?;
    let told = parked(&alice, &id).await?;
    for words in [
        "refuses the password of",
        account.user.as_str(),
        "PUT /job/",
        "/credential",
    ] {
        assert!(told.contains(words), "{told}");
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
    redis.tell("restart")?;
    let told = parked(&alice, &id).await?;
    let expected = format!(
        "the password for {} at private_hpc is not known any more: give it again with PUT \
         /job/{id}/credential",
        account.user
    );
    assert!(told.contains(&expected), "{told}");
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
