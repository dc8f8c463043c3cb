//! Wrong passwords are refused at once, and guesses are limited.

use compute_integration_tests::{Client, attack};
use futures::future::try_join_all;
use serde_json::{Value, json};

use super::world;

#[tokio::test]
async fn a_wrong_password_is_refused_at_once_and_guesses_are_limited() -> anyhow::Result<()> {
    let mut world = world(None, "true").await?;
    let account = world.parts.private_account(5)?;
    let (alice, bob) = (world.client("alice")?, world.client("bob")?);
    let carol = world.client("carol")?;
    let post = async |client: &Client, user: Value, password: Value| {
        let body = json!({"hpc": "private_hpc", "user": user, "password": password});
        let answer = client.post("/job", body).await?;
        let message = answer.body["messages"][0].as_str().unwrap_or_default();
        anyhow::Ok((
            answer.status,
            answer.body["error"].clone(),
            message.to_owned(),
        ))
    };
    let user = json!(account.user);
    let refused = json!("invalid SSH credentials");
    // An invalid login is rejected before it is tried.
    for (user, password, reason) in [
        (Value::Null, Value::Null, "are needed"),
        (user.clone(), Value::Null, "are needed"),
        (Value::Null, json!("p"), "are needed"),
        (json!("-oProxyCommand=touch"), json!("p"), "not the name"),
        (json!("root; id"), json!("p"), "not the name"),
    ] {
        let (status, error, message) = post(&alice, user, password).await?;
        assert_eq!((status, &error), (401, &refused), "{message}");
        assert!(message.contains(reason), "{message}");
    }
    // Both limits count within a minute, so logins that do not depend on each other go
    // side by side: a slow login node takes little longer for three than for one.
    let wrong = ["wrong", "wrong too", "$(touch x)'\""];
    let tried = wrong.map(|password| post(&alice, user.clone(), json!(password)));
    for (status, error, message) in try_join_all(tried).await? {
        assert_eq!((status, &error), (401, &refused), "{message}");
        let expected = format!("HPC private_hpc refuses the password of {}", account.user);
        assert_eq!(message, expected);
    }
    let right = json!(account.password);
    let (status, error, message) = post(&alice, user.clone(), right.clone()).await?;
    assert_eq!((status, error), (401, refused));
    assert!(message.contains("at most 3 logins a minute"), "{message}");
    assert!(message.contains("try again in "), "{message}");
    let (status, _, message) = post(&bob, user.clone(), right.clone()).await?;
    assert_eq!(status, 200, "others are not held back: {message}");
    // Failed logins to an account count together, whoever tries.
    let tried =
        ["wrong again", "and again"].map(|password| post(&bob, user.clone(), json!(password)));
    for (status, _, message) in try_join_all(tried).await? {
        assert_eq!(status, 401);
        assert!(message.contains("refuses the password"), "{message}");
    }
    let (status, _, message) = post(&carol, user.clone(), right.clone()).await?;
    assert_eq!(status, 401);
    let expected = format!("5 logins to {} on private_hpc have failed", account.user);
    assert!(message.contains(&expected), "{message}");
    attack::report(
        "passwords guessed by several users",
        "alice three times and bob twice, then carol, for one account",
        message,
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
