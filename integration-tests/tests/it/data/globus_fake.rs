//! The stand-in for Globus, driven by Globus' own library, which shows that it
//! implements the real protocol, and by our client, for its errors.

use std::{fs, sync::Arc, time::Duration};

use compute_domain::SystemClock;
use compute_globus::{Globus, GlobusError, GlobusOptions, Identity, Place, TaskStatus, Transfer};
use compute_integration_tests::{GlobusFake, eventually, globus_fake::CLIENT_ID};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

async fn fake() -> anyhow::Result<(GlobusFake, TempDir)> {
    compute_runtime::tls::install_provider();
    let folder = tempfile::tempdir()?;
    fs::create_dir_all(folder.path().join("here/set"))?;
    fs::create_dir(folder.path().join("away"))?;
    fs::write(folder.path().join("here/set/a"), "a")?;
    let endpoint = |name: &str| folder.path().join(name);
    let fake = GlobusFake::start(&[("here", endpoint("here")), ("away", endpoint("away"))]).await?;
    Ok((fake, folder))
}

fn client(fake: &GlobusFake) -> anyhow::Result<(Globus, Identity)> {
    let options = GlobusOptions {
        client_id: CLIENT_ID.to_owned(),
        auth_url: fake.base().to_owned(),
        transfer_url: format!("{}/v0.10", fake.base()),
    };
    let who = Identity {
        name: "tester@example.org".to_owned(),
        refresh_token: fake.refresh_token().into(),
    };
    Ok((Globus::new(options, Arc::new(SystemClock))?, who))
}

fn transfer(submission_id: String) -> Transfer {
    let place = |endpoint: &str, path: &str| Place {
        endpoint: endpoint.to_owned(),
        path: path.to_owned(),
    };
    Transfer {
        submission_id,
        label: "it's a <label>".to_owned(),
        source: place("here", "/set"),
        destination: place("away", "/there"),
        recursive: true,
    }
}

#[tokio::test]
async fn the_library_of_globus_finds_nothing_odd() -> anyhow::Result<()> {
    let (fake, folder) = fake().await?;
    let cache = std::env::var("CYBERGIS_CACHE")
        .unwrap_or_else(|_| "/var/cache/cybergis-compute".to_owned());
    let output = Command::new(format!("{cache}/checks/bin/python"))
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/python/globus_sdk_check.py"
        ))
        .args([CLIENT_ID, "here", "away"])
        .env("GLOBUS_SDK_SERVICE_URL_AUTH", fake.base())
        .env("GLOBUS_SDK_SERVICE_URL_TRANSFER", fake.base())
        .output()
        .await?;
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let saw: Value = serde_json::from_str(&said)?;
    assert_eq!(
        saw,
        json!({"codes": ["Accepted", "Duplicate"], "one_task": true, "ended": true,
            "task": ["SUCCEEDED", "checked by the library", 1], "cancel_of_ended": "TaskComplete",
            "failed": "FAILED", "no_task": [404, "ClientError.NotFound"],
            "no_endpoint": [404, "EndpointNotFound"], "bad_refresh": 400})
    );
    assert_eq!(fs::read_to_string(folder.path().join("away/there/a"))?, "a");
    Ok(())
}

#[tokio::test]
async fn trouble_is_tried_again_and_a_repeated_transfer_is_one() -> anyhow::Result<()> {
    let (fake, folder) = fake().await?;
    let (globus, who) = client(&fake)?;
    fake.fail(503, None, 2);
    let wanted = transfer(globus.submission_id(&who).await?);
    fake.fail(429, Some(1), 1);
    fake.expire_access();
    let task = globus.submit(&who, &wanted).await?;
    assert_eq!(globus.submit(&who, &wanted).await?, task);
    let ended = eventually("the transfer ends", Duration::from_secs(120), async || {
        let task = globus.task(&who, &task).await?;
        Ok(task.status.is_over().then_some(task))
    })
    .await?;
    assert_eq!((ended.status, ended.files), (TaskStatus::Succeeded, 1));
    assert_eq!(fake.transfers().len(), 1);
    assert_eq!(fs::read_to_string(folder.path().join("away/there/a"))?, "a");
    globus.cancel(&who, &task).await?;

    let before = fake.questions();
    fake.fail(503, None, 10);
    let away = globus.task(&who, &task).await.err();
    assert!(matches!(away, Some(GlobusError::Away(_))), "{away:?}");
    assert_eq!(
        fake.questions() - before,
        4,
        "asked a bounded number of times"
    );
    Ok(())
}

#[tokio::test]
async fn what_globus_refuses_is_told_and_not_tried_again() -> anyhow::Result<()> {
    let (fake, _folder) = fake().await?;
    let (globus, who) = client(&fake)?;
    let mut nowhere = transfer(globus.submission_id(&who).await?);
    nowhere.source.endpoint = "none".to_owned();
    let refused = globus.submit(&who, &nowhere).await.err();
    let words = refused.map(|error| error.to_string()).unwrap_or_default();
    assert_eq!(
        words,
        "Globus rejected the request: No such endpoint (EndpointNotFound)"
    );
    fake.withdraw_consent();
    fake.expire_access();
    let refused = globus.submission_id(&who).await.err();
    let words = refused.map(|error| error.to_string()).unwrap_or_default();
    assert!(words.contains("globus login tester@example.org"), "{words}");
    Ok(())
}
