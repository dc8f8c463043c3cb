//! Requests that are sent again with the same `Idempotency-Key`.

use compute_domain::{ids::JobId, job::Intent};
use serde_json::{Value, json};

use crate::gateway::{Gateway, HOUR, Reply};

/// A job that can be submitted, and the path of it.
async fn draft(gateway: &Gateway) -> String {
    let body = json!({"maintainer": "hello"});
    let made = gateway.call("alice", "POST", "/job", body).await.ok();
    format!("/job/{}", made["id"].as_str().unwrap())
}

async fn alice(gateway: &Gateway, key: &str, method: &str, path: &str) -> Reply {
    let reply = gateway.call_once(key, "alice", method, path, json!({}));
    reply.await
}

fn is_replayed(reply: &Reply) -> bool {
    reply.headers.contains_key("idempotent-replayed")
}

/// What a gateway leaves that is killed after the effect of a request and before its answer
/// is recorded; `seconds` later.
async fn killed(gateway: &Gateway, seconds: u64) {
    let unanswered = "UPDATE idempotency_keys SET status = NULL, answer = NULL";
    gateway.execute(unanswered).await;
    gateway
        .clock
        .advance(std::time::Duration::from_secs(seconds));
}

#[tokio::test]
async fn a_repeated_submit_gets_the_answer_to_the_first() {
    let gateway = Gateway::start().await;
    let job = draft(&gateway).await;
    let submit = format!("{job}/submit");
    let first = alice(&gateway, "\"k1\"", "POST", &submit).await;
    assert!(!is_replayed(&first));
    let first = first.ok();
    let again = alice(&gateway, "k1", "POST", &submit).await;
    assert!(is_replayed(&again), "{again:?}");
    assert_eq!(again.ok(), first);
    for reply in [
        gateway.call("alice", "POST", &submit, json!({})).await,
        alice(&gateway, "k2", "POST", &submit).await,
    ] {
        reply.rejected(401, "job already submitted or in queue");
    }
    let events = gateway.get("alice", &format!("{job}/events")).await.ok();
    assert_eq!(events.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_key_belongs_to_one_request_of_one_user() {
    let gateway = Gateway::start().await;
    let body = json!({"maintainer": "hello"});
    let made = gateway.call_once("k", "alice", "POST", "/job", body.clone());
    let made = made.await.ok();
    let with_token = json!({"maintainer": "hello", "jupyterhubApiToken": gateway.token("alice")});
    let again = gateway.call_once("k", "alice", "POST", "/job", with_token);
    assert_eq!(again.await.ok()["id"], made["id"], "a token is no content");
    let other = json!({"maintainer": "hello", "hpc": "local_hpc"});
    let other = gateway.call_once("k", "alice", "POST", "/job", other).await;
    other.rejected(422, "was used for another request");
    let path = format!("/job/{}/submit", made["id"].as_str().unwrap());
    alice(&gateway, "k", "POST", &path).await.rejected(422, "");
    let of_bob = gateway.call_once("k", "bob", "POST", "/job", body).await;
    assert_ne!(of_bob.ok()["id"], made["id"]);
    for key in ["", "\"", "a b", &"a".repeat(256)] {
        let reply = alice(&gateway, key, "POST", "/job").await;
        reply.rejected(400, "Idempotency-Key must hold");
    }
    gateway.clock.advance(25 * HOUR);
    let later = alice(&gateway, "k", "POST", "/job").await;
    assert_ne!(later.ok()["id"], made["id"], "forgotten");
    assert_eq!(gateway.store.forget_old_keys().await.unwrap(), 1, "bob's");
}

#[tokio::test]
async fn a_request_in_progress_is_not_begun_again() {
    let gateway = Gateway::start().await;
    let submit = format!("{}/submit", draft(&gateway).await);
    alice(&gateway, "k", "POST", &submit).await.ok();
    killed(&gateway, 10).await;
    let reply = alice(&gateway, "k", "POST", &submit).await;
    reply.rejected(409, "in progress");
    assert_eq!(reply.headers["retry-after"], "31");
}

#[tokio::test]
async fn a_rejected_request_may_be_sent_again() {
    let gateway = Gateway::start().await;
    let job = draft(&gateway).await;
    let submit = format!("{job}/submit");
    let wrong = json!({"slurm": {"num_of_task": 50}});
    gateway.call("alice", "PUT", &job, wrong).await.ok();
    alice(&gateway, "k", "POST", &submit)
        .await
        .rejected(402, "");
    let right = json!({"slurm": {"num_of_task": 1}});
    gateway.call("alice", "PUT", &job, right).await.ok();
    alice(&gateway, "k", "POST", &submit).await.ok();
    let bob = gateway
        .call_once("k", "bob", "POST", &submit, json!({}))
        .await;
    bob.rejected(401, "invalid access");
}

/// The effect marked the key in its own transaction: it does not happen again.
#[tokio::test]
async fn a_gateway_that_is_killed_before_it_answers_doubles_nothing() {
    let gateway = Gateway::start().await;
    let make = json!({"maintainer": "hello", "jobToken": true});
    let create = async || {
        let reply = gateway.call_once("c", "alice", "POST", "/job", make.clone());
        reply.await.ok()
    };
    let made = create().await;
    killed(&gateway, 60).await;
    assert_eq!(create().await, made, "the secret as well");
    let jobs = gateway.get("alice", "/user/job").await.ok();
    assert_eq!(jobs["job"].as_array().unwrap().len(), 1);

    let id = made["id"].as_str().unwrap();
    let submit = format!("/job/{id}/submit");
    let first = alice(&gateway, "s", "POST", &submit).await.ok();
    killed(&gateway, 60).await;
    assert_eq!(alice(&gateway, "s", "POST", &submit).await.ok(), first);

    let put = async |key: &str, what: &str| {
        let path = format!("/job/{id}/{what}");
        alice(&gateway, key, "PUT", &path).await.ok()
    };
    let first = put("p", "pause").await;
    let job = JobId::from_text(id);
    let intent = async || gateway.store.job(&job).await.unwrap().unwrap().intent;
    assert_eq!(intent().await, Some(Intent::Pause));
    put("r", "resume").await;
    killed(&gateway, 60).await;
    assert_eq!(put("p", "pause").await, first);
    assert_eq!(intent().await, None, "it is not paused again");
}

#[tokio::test]
async fn a_recorded_answer_is_sealed() {
    let gateway = Gateway::start().await;
    let make = json!({"maintainer": "hello", "jobToken": true});
    let made = gateway
        .call_once("k", "alice", "POST", "/job", make)
        .await
        .ok();
    let secret = made["secretToken"].as_str().unwrap();
    let rows = gateway.texts("SELECT answer FROM idempotency_keys").await;
    assert_eq!(rows.len(), 1);
    assert!(!rows[0].contains(secret) && !rows[0].contains("maintainer"));
    assert_ne!(made["secretToken"], Value::Null);
}
