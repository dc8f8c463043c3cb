//! The password of a private account is in no store, file, command line or environment.

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use compute_integration_tests::{OwnRedis, World, eventually, python, secrets};
use serde_json::{Value, json};

use super::world;
use crate::SOON;

/// Fails if a secret is in any place where it must not be.
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
    /// The secret from which access tokens of a job are computed.
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
                sealed += usize::from(holds_sealed_login(&secrets::redis_dump(redis.path())?));
            }
        }
    };
    assert_eq!(said["error"], Value::Null, "{said}");
    assert_eq!(said["job"]["state"], "ended", "{said}");
    assert!(
        looks > 0 && sealed > 0,
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
    // The same search finds values that are not secret.
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

/// Whether the value after the key of a credential is sealed. Names of keys have a version, too.
fn holds_sealed_login(dump: &str) -> bool {
    let mut lines = dump.lines();
    lines.any(|line| line.contains(":credential:"))
        && lines.next().is_some_and(|value| value.starts_with("v1:"))
}
