//! Access to an HPC: the operator's allow and deny lists of users and of whole
//! hubs.

use compute_integration_tests::{Parts, Template, World, WorldOptions};
use serde_json::{Value, json};

async fn world(lists: Value) -> anyhow::Result<World> {
    World::start(WorldOptions {
        hpc: lists,
        templates: vec![Template::bare("quick", "true")],
        ..WorldOptions::default()
    })
    .await
}

#[tokio::test]
async fn users_and_whole_hubs_are_admitted_or_not() -> anyhow::Result<()> {
    let hub = Parts::of_this_run()?.text("hub", "host")?;
    let of_hub = |name: &str| format!("{name}@{hub}");
    for (lists, alice, bob) in [
        (json!({"allowlist": [of_hub("alice")]}), 200, 401),
        (json!({"denylist": [of_hub("alice")]}), 401, 200),
        (
            json!({"allowlist": [of_hub("*")], "denylist": [of_hub("bob")]}),
            200,
            401,
        ),
        (json!({"denylist": [of_hub("*")]}), 401, 401),
        (json!({"allowlist": ["*@another.example.org"]}), 401, 401),
    ] {
        let world = world(lists.clone()).await?;
        for (user, status) in [("alice", alice), ("bob", bob)] {
            let answer = world.client(user)?.post("/job", json!({})).await?;
            assert_eq!(answer.status, status, "{user} {lists}: {answer:?}");
            if status == 401 {
                assert_eq!(answer.body["error"], "Not authorized for HPC");
            }
        }
    }
    Ok(())
}
