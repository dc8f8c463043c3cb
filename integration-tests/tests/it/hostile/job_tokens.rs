//! A job's token opens nothing else of the job's owner.

use compute_integration_tests::{Client, Template, World, attack::report};
use serde_json::{Value, json};

use crate::{SOON, access::job_tokens::access_token};

#[tokio::test]
async fn a_jobs_token_opens_no_folder_of_its_owner() -> anyhow::Result<()> {
    let world = World::with([Template::bare("quick", "mkdir \"$result_folder/sub\"")]).await?;
    let alice = world.client("alice")?;
    let ended = alice.submit("quick", json!({})).await?;
    let ended = alice.over(&ended, SOON).await?;
    let folder = ended["remoteResultFolder"]["id"]
        .as_str()
        .unwrap_or_default();
    let made = alice.post("/job", json!({"jobToken": true})).await?.body;
    let id = made["id"].as_str().unwrap_or_default().to_owned();
    let token = access_token(made["secretToken"].as_str().unwrap_or_default(), &id)?;
    let with_token = async |method: &str, path: &str, mut body: Value| {
        body["accessToken"] = json!(token);
        let url = format!("http://{}{path}", world.gateway.address());
        let request = reqwest::Client::new().request(method.parse()?, url);
        let answer = request.json(&body).send().await?;
        let status = answer.status().as_u16();
        anyhow::Ok((status, answer.json::<Value>().await?))
    };
    let hub = "00000000-0000-0000-0000-000000000000";
    let own_files = json!({"type": "globus", "endpoint": hub, "path": "/~/data/alice/private"});
    for (body, words) in [
        (json!({"remoteDataFolder": folder}), "unknown folder"),
        (json!({"remoteExecutableFolder": folder}), "unknown folder"),
        (
            json!({"localDataFolder": own_files}),
            "does not open files on the JupyterHub",
        ),
    ] {
        let path = format!("/job/{id}");
        let (status, said) = with_token("PUT", &path, body.clone()).await?;
        assert_eq!(status, 402, "{body}: {said}");
        assert!(said["error"].to_string().contains(words), "{said}");
        report(
            "a job's token",
            &format!("PUT {path} {body}"),
            said["error"].to_string(),
        );
    }
    // The owner can do this, and folders that the owner has given to the job belong to it.
    let again = json!({"remoteDataFolder": folder});
    let given = alice.put(&format!("/job/{id}"), again.clone()).await?;
    assert_eq!(given.status, 200, "{given:?}");
    assert_eq!(
        with_token("PUT", &format!("/job/{id}"), again).await?.0,
        200
    );
    let other = ended["id"].as_str().unwrap_or_default();
    for (method, path) in [
        ("GET", "/user".to_owned()),
        ("GET", "/user/job".to_owned()),
        ("GET", "/user/jupyter-globus".to_owned()),
        ("GET", "/user/slurm-usage".to_owned()),
        ("GET", "/folder".to_owned()),
        ("GET", format!("/folder/{folder}")),
        ("PUT", format!("/folder/{folder}")),
        ("DELETE", format!("/folder/{folder}")),
        ("GET", format!("/folder/{folder}/download/globus-status")),
        ("POST", format!("/folder/{folder}/download/globus-init")),
        ("GET", format!("/statistic/job/{id}")),
        ("PUT", format!("/job/{id}/credential")),
        ("PUT", "/clean".to_owned()),
        ("POST", "/job".to_owned()),
        ("GET", format!("/job/{other}")),
        ("PUT", format!("/job/{other}")),
        ("GET", format!("/job/{other}/logs")),
        ("GET", format!("/job/{other}/result-folder-content")),
        ("POST", format!("/job/{other}/submit")),
        ("PUT", format!("/job/{other}/cancel")),
    ] {
        let body =
            json!({"toEndpoint": hub, "toPath": "/x", "name": "x", "user": "u", "password": "p"});
        let (status, said) = with_token(method, &path, body).await?;
        assert!(
            [401, 402].contains(&status),
            "{method} {path}: {status} {said}"
        );
        report(
            "a job's token",
            &format!("{method} {path}"),
            format!("{status} {said}"),
        );
    }
    Ok(())
}

/// Ids that a database could confuse with another id.
#[tokio::test]
async fn an_id_is_that_id_and_no_other() -> anyhow::Result<()> {
    let world = World::with([Template::bare("quick", "true")]).await?;
    let alice: Client = world.client("alice")?;
    let id = alice.post("/job", json!({})).await?.body["id"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let lower = id.to_lowercase();
    let swapped = if lower == id {
        id.to_uppercase()
    } else {
        lower
    };
    let long = "1".repeat(4000);
    for other in [
        format!("{id}%20"),
        format!("%20{id}"),
        format!("{id}%00"),
        format!("{id}%C2%A0"),
        format!("{id}%E2%80%8B"),
        format!("{id}%0A"),
        swapped,
        long,
        "%25".to_owned(),
        "%F0%9F%A6%80".to_owned(),
    ] {
        if other == id {
            continue; // no letter in it
        }
        for (path, status) in [
            (format!("/job/{other}"), 401),
            (format!("/job/{other}/logs"), 401),
            (format!("/statistic/job/{other}"), 401),
            (format!("/folder/{other}"), 200),
            (format!("/folder/{other}/download/globus-status"), 403),
        ] {
            let answer = alice.get(&path).await?;
            assert_eq!(answer.status, status, "{path:.100}: {answer:?}");
        }
        let tried = format!("GET /job/{other:.40}");
        report("an id like another", &tried, "401, and no folder");
    }
    Ok(())
}
