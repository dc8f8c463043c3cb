//! Tokens of single jobs: deprecated, and valid for that job only.

use std::process::Command;

use compute_integration_tests::{Client, Template, World, WorldOptions};
use serde_json::{Value, json};

use crate::SOON;

/// The token that a client computes, in Python: independent of the gateway's code.
pub(crate) fn access_token(secret: &str, id: &str) -> anyhow::Result<String> {
    const PROGRAM: &str = "
import base64, datetime, hashlib, json, sys
secret, id = sys.argv[1:]
b64 = lambda text: base64.b64encode(text.encode()).decode()
hour = int(datetime.datetime.now(datetime.timezone.utc).strftime('%Y%m%d%H'))
payload = b64(json.dumps({'date': hour}))
digest = hashlib.sha512((secret + id + payload).encode()).hexdigest()
print('.'.join([b64('SHA512'), payload, b64(id), digest]))";
    let output = Command::new("python3")
        .args(["-c", PROGRAM, secret, id])
        .output()?;
    anyhow::ensure!(output.status.success(), "{output:?}");
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

async fn job_with_token(client: &Client) -> anyhow::Result<(String, Value)> {
    let job = client.post("/job", json!({"jobToken": true})).await?.body;
    let id = job["id"].as_str().unwrap_or_default().to_owned();
    let folder = json!({"type": "git", "gitId": "quick"});
    client
        .put(
            &format!("/job/{id}"),
            json!({"localExecutableFolder": folder}),
        )
        .await?;
    Ok((id, job["secretToken"].clone()))
}

#[tokio::test]
async fn a_token_opens_its_own_job_and_no_other() -> anyhow::Result<()> {
    let world = World::with([Template::bare("quick", "true")]).await?;
    let alice = world.client("alice")?;
    let (id, secret) = job_with_token(&alice).await?;
    let (other, _) = job_with_token(&alice).await?;
    let token = access_token(secret.as_str().unwrap_or_default(), &id)?;
    let nobody = reqwest::Client::new();
    let base = format!("http://{}", world.gateway.address());
    let call = async |method: &str, path: &str, token: &str| {
        let request = nobody.request(method.parse()?, format!("{base}{path}"));
        let answer = request.json(&json!({"accessToken": token})).send().await?;
        let deprecated = answer.headers().contains_key("deprecation");
        let status = answer.status().as_u16();
        anyhow::Ok((status, deprecated, answer.json::<Value>().await?))
    };
    let (status, deprecated, _) = call("POST", &format!("/job/{id}/submit"), &token).await?;
    assert_eq!((status, deprecated), (200, true));
    alice.over(&id, SOON).await?;
    for path in ["", "/events", "/logs", "/result-folder-content"] {
        let (status, deprecated, _) = call("GET", &format!("/job/{id}{path}"), &token).await?;
        assert_eq!((status, deprecated), (200, true), "{path}");
    }
    let (_, _, job) = call("GET", &format!("/job/{id}"), &token).await?;
    assert_eq!(job["secretToken"], Value::Null, "the secret is shown once");
    let broken = token.replace(token.get(token.len() - 4..).unwrap_or_default(), "0000");
    for (path, token) in [
        (format!("/job/{other}"), token.as_str()),
        (format!("/job/{id}"), &broken),
        (format!("/job/{id}"), "x"),
    ] {
        let (status, deprecated, body) = call("GET", &path, token).await?;
        assert_eq!((status, deprecated), (401, false), "{path} {body}");
    }
    let (status, ..) = call("GET", "/user/job", &token).await?;
    assert_eq!(status, 402, "no route about more than the job");
    let (status, ..) = call("GET", &format!("/folder/{id}"), &token).await?;
    assert_eq!(status, 402);
    Ok(())
}

#[tokio::test]
async fn the_operator_can_switch_them_off() -> anyhow::Result<()> {
    let world = World::start(WorldOptions {
        config: json!({"job_tokens": false}),
        ..WorldOptions::default()
    })
    .await?;
    let (_, secret) = job_with_token(&world.client("alice")?).await?;
    assert_eq!(secret, Value::Null);
    Ok(())
}
