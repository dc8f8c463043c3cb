//! The owner of a token: a user, not a service with the name of a user.

use compute_integration_tests::{Client, World, WorldOptions, attack::report};
use serde_json::{Value, json};

fn client_with(world: &World, token: &str) -> anyhow::Result<Client> {
    let host = world.parts.text("hub", "host")?;
    Ok(Client::new(
        &format!("http://{}", world.gateway.address()),
        &host,
        token,
    ))
}

#[tokio::test]
async fn a_service_is_not_the_user_of_its_name() -> anyhow::Result<()> {
    let world = World::with([]).await?;
    let alice = world.client("alice")?;
    let made = alice.post("/job", json!({})).await?;
    let id = made.body["id"].as_str().unwrap_or_default();
    for service in ["alice", "reporter"] {
        let service_of = client_with(&world, &world.parts.service_token(service)?)?;
        for (method, path) in [
            ("POST", "/job".to_owned()),
            ("GET", "/user".to_owned()),
            ("GET", "/user/job".to_owned()),
            ("GET", "/user/jupyter-globus".to_owned()),
            ("GET", "/folder".to_owned()),
            ("GET", format!("/job/{id}")),
            ("PUT", format!("/job/{id}")),
            ("POST", format!("/job/{id}/submit")),
            ("PUT", format!("/job/{id}/cancel")),
            ("PUT", "/clean".to_owned()),
        ] {
            let answer = service_of
                .call(method.parse()?, &path, json!({"name": "x"}))
                .await?;
            let said = answer.body["error"].as_str().unwrap_or_default().to_owned();
            assert_eq!(answer.status, 403, "{method} {path}: {answer:?}");
            assert!(
                said.starts_with(&format!("the token is of the service {service} of ")),
                "{said}"
            );
            report(
                "16 a service's token",
                &format!("{service}: {method} {path}"),
                said,
            );
        }
    }
    let jobs = alice.get("/user/job").await?.body;
    assert_eq!(jobs["job"].as_array().map(Vec::len), Some(1), "{jobs}");
    Ok(())
}

#[tokio::test]
async fn a_service_that_is_listed_is_somebody_of_its_own() -> anyhow::Result<()> {
    let parts = compute_integration_tests::Parts::of_this_run()?;
    let mut hubs = serde_json::Map::new();
    let hub = json!({"scheme": "http", "root_path": "/data", "services": ["alice"],
        "endpoint": "00000000-0000-0000-0000-000000000000"});
    hubs.insert(parts.text("hub", "host")?, hub);
    let world = World::start(WorldOptions {
        files: [("jupyter-globus-map.json".to_owned(), Value::Object(hubs))].into(),
        ..WorldOptions::default()
    })
    .await?;
    let alice = world.client("alice")?;
    let made = alice.post("/job", json!({})).await?;
    let hers = made.body["id"].as_str().unwrap_or_default();
    let service = client_with(&world, &parts.service_token("alice")?)?;
    let who = service.get("/user").await?;
    let host = parts.text("hub", "host")?;
    assert_eq!(
        who.body["username"],
        format!("service:alice@{host}"),
        "{who:?}"
    );
    assert_eq!(service.get(&format!("/job/{hers}")).await?.status, 401);
    let own = service.post("/job", json!({})).await?;
    assert_eq!(own.status, 200, "{own:?}");
    let jobs = alice.get("/user/job").await?.body;
    assert_eq!(jobs["job"].as_array().map(Vec::len), Some(1), "{jobs}");
    // The service has no access to that user's folder on the hub.
    assert_eq!(service.get("/user/jupyter-globus").await?.status, 403);
    report(
        "a listed service",
        "named like a user",
        "is service:alice, and has nothing of alice's",
    );
    let other = client_with(&world, &parts.service_token("reporter")?)?;
    assert_eq!(other.get("/user").await?.status, 403, "not listed");
    Ok(())
}
