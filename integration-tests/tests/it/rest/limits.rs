//! Limits, and errors that name them.

use compute_integration_tests::{Template, World, WorldOptions};
use serde_json::json;

#[tokio::test]
async fn each_refusal_says_the_limit() -> anyhow::Result<()> {
    let world = World::start(WorldOptions {
        config: json!({"limits": {"open_jobs": 2}}),
        capacity: 1,
        templates: vec![Template::bare("sleep", "sleep 300")],
        ..WorldOptions::default()
    })
    .await?;
    let alice = world.client("alice")?;
    let mut submitted = Vec::new();
    for _ in 0..2 {
        submitted.push(alice.submit("sleep", json!({})).await?);
    }
    let third = alice.prepare("sleep", json!({})).await?;
    let refused = alice
        .post(&format!("/job/{third}/submit"), json!({}))
        .await?;
    assert_eq!(refused.status, 402);
    assert!(
        refused.body["error"]
            .to_string()
            .contains("you have 2 jobs"),
        "{refused:?}"
    );

    let path = format!("/job/{third}");
    for (body, words) in [
        (json!({"env": {"A": "x".repeat(70_000)}}), "65536 bytes"),
        (json!({"param": {"a\u{7}": 1}}), "control characters"),
        (json!({"name": "a\nb"}), "control characters"),
        (json!({"name": "x".repeat(300)}), "255 characters"),
    ] {
        let refused = alice.put(&path, body).await?;
        assert_eq!(refused.status, 402, "{refused:?}");
        assert!(
            refused.body["error"].to_string().contains(words),
            "{refused:?}"
        );
    }
    let too_large = alice
        .put(&path, json!({"name": "x".repeat(1 << 20)}))
        .await?;
    assert_eq!(too_large.status, 413);
    assert!(
        too_large.body["error"].to_string().contains("1048576"),
        "{too_large:?}"
    );

    alice.prepare("sleep", json!({})).await?;
    let refused = alice.post("/job", json!({})).await?;
    assert_eq!(
        refused.status, 402,
        "two are made and not submitted: {refused:?}"
    );
    world.client("bob")?.submit("sleep", json!({})).await?;
    for id in submitted {
        alice.put(&format!("/job/{id}/cancel"), json!({})).await?;
    }
    Ok(())
}

#[tokio::test]
async fn too_many_requests_are_told_when_to_come_back() -> anyhow::Result<()> {
    let world = World::start(WorldOptions {
        config: json!({"limits": {"requests_per_minute": 5}}),
        ..WorldOptions::default()
    })
    .await?;
    let (alice, bob) = (world.client("alice")?, world.client("bob")?);
    for _ in 0..5 {
        assert_eq!(alice.get("/user").await?.status, 200);
    }
    let refused = alice.get("/user").await?;
    assert_eq!(refused.status, 429);
    assert!(
        refused.body["error"]
            .to_string()
            .contains("5 requests a minute"),
        "{refused:?}"
    );
    assert_eq!(bob.get("/user").await?.status, 200);
    Ok(())
}
