//! Bounds of what one user or address may ask for.

use axum::{
    body::Body,
    extract::Request,
    http::header::{AUTHORIZATION, CONTENT_TYPE},
};
use serde_json::{Map, Value, json};

use crate::gateway::{Gateway, encoded};

#[tokio::test]
async fn requests_of_one_user_are_limited_and_say_when_to_come_back() {
    let gateway = Gateway::with(json!({"limits": {"requests_per_minute": 3}})).await;
    for _ in 0..3 {
        gateway.get("alice", "/user").await.ok();
    }
    let reply = gateway.get("alice", "/user").await;
    reply.rejected(429, "more than 3 requests a minute: try again in");
    let seconds = reply.headers["retry-after"].to_str().unwrap();
    assert!(
        (1..=60).contains(&seconds.parse::<u64>().unwrap()),
        "{seconds}"
    );
    gateway.get("bob", "/user").await.ok();
}

#[tokio::test]
async fn rejected_tokens_of_one_address_are_limited() {
    let gateway = Gateway::with(json!({"limits": {"refused_tokens_per_minute": 3}})).await;
    gateway.get("alice", "/user").await.ok();
    let wrong = async |number: usize| {
        let token = encoded(&gateway.hub.host, &format!("wrong{number}"));
        let body = json!({"jupyterhubApiToken": token});
        gateway.call_without_header("GET", "/user", body).await
    };
    for number in 0..3 {
        wrong(number).await.rejected(402, "invalid token");
    }
    // A token that was rejected is not asked about again.
    wrong(0).await.rejected(402, "invalid token");
    let reply = wrong(3).await;
    reply.rejected(
        429,
        "too many tokens from this address were refused: try again in 20 s",
    );
    assert_eq!(reply.headers["retry-after"], "20");
    assert_eq!(gateway.hub.asked(), 4);
    // A token that is known is good whatever others at the address do.
    gateway.get("alice", "/user").await.ok();
    gateway.clock.advance(std::time::Duration::from_secs(20));
    wrong(4).await.rejected(402, "invalid token");
}

#[tokio::test]
async fn jobs_that_are_not_submitted_are_limited() {
    let gateway = Gateway::with(json!({"limits": {"open_jobs": 2}})).await;
    for _ in 0..2 {
        gateway.job("alice", "local_hpc", json!({})).await;
    }
    let reply = gateway.call("alice", "POST", "/job", json!({})).await;
    assert_eq!(reply.status, 402, "{reply:?}");
    gateway.job("bob", "local_hpc", json!({})).await;
    // A login is not tried for a job that would not be made.
    let body = json!({"hpc": "private_hpc", "user": "alice", "password": "p"});
    let reply = gateway.call("alice", "POST", "/job", body).await;
    assert_eq!(reply.status, 402, "{reply:?}");
}

#[tokio::test]
async fn open_jobs_are_limited() {
    let gateway = Gateway::with(json!({"limits": {"open_jobs": 1}})).await;
    let submit = async || {
        let made = gateway
            .call("alice", "POST", "/job", json!({"maintainer": "hello"}))
            .await;
        let path = format!("/job/{}/submit", made.ok()["id"].as_str().unwrap());
        gateway.call("alice", "POST", &path, json!({})).await
    };
    submit().await.ok();
    assert_eq!(submit().await.status, 402);
}

#[tokio::test]
async fn values_are_limited_in_number_and_size() {
    let gateway = Gateway::start().await;
    let path = format!(
        "/job/{}",
        gateway.job("alice", "local_hpc", json!({})).await
    );
    let many: Map<_, _> = (0..1001).map(|n| (format!("n{n}"), json!(1))).collect();
    let large: Map<_, _> = (0..5)
        .map(|n| (format!("n{n}"), json!("x".repeat(60_000))))
        .collect();
    for (body, error) in [
        (json!({"env": many}), "env holds more than 1000 names"),
        (
            json!({"param": {"a".repeat(256): 1}}),
            "param holds a name of more than 255 characters",
        ),
        (
            json!({"env": {"a\nb": 1}}),
            "env holds a name with control characters",
        ),
        (
            json!({"param": {"a": "x".repeat(65_536)}}),
            "param a is larger than 65536 bytes",
        ),
        (json!({"env": large}), "env is larger than 262144 bytes"),
        (
            json!({"slurm": {"a": "x".repeat(20_000)}}),
            "slurm is larger than 16384 bytes",
        ),
        (
            json!({"localDataFolder": {"type": "local", "path": "x".repeat(9_000)}}),
            "localDataFolder is larger than 8192 bytes",
        ),
        (
            json!({"localExecutableFolder": {"type": "git", "gitId": "x".repeat(9_000)}}),
            "localExecutableFolder is larger than 8192 bytes",
        ),
        (
            json!({"param": {"a": vec![0; 50_000]}}),
            "the body holds more than 50000 values",
        ),
    ] {
        gateway
            .call("alice", "PUT", &path, body)
            .await
            .rejected(402, error);
    }
    let job = gateway.get("alice", &path).await.ok();
    assert_eq!(
        (&job["env"], &job["param"], &job["slurm"]),
        (&json!({}), &json!({}), &json!({}))
    );
}

#[tokio::test]
async fn drafts_of_one_user_are_limited_together() {
    let gateway = Gateway::with(json!({"limits": {"draft_mb": 1}})).await;
    let values = |n: usize| {
        json!({"param": {format!("p{n}"): "x".repeat(60_000),
        "b": "x".repeat(60_000), "c": "x".repeat(60_000), "d": "x".repeat(60_000)}})
    };
    let mut rejected = 0;
    for n in 0..6 {
        let path = format!(
            "/job/{}",
            gateway.job("alice", "local_hpc", json!({})).await
        );
        let reply = gateway.call("alice", "PUT", &path, values(n)).await;
        if reply.status == 402 {
            rejected += 1;
        } else {
            reply.ok();
        }
    }
    assert!(
        rejected >= 2,
        "six drafts of 240 kB are more than 1 MiB: {rejected}"
    );
}

#[tokio::test]
async fn a_body_of_more_than_a_mebibyte_is_not_read() {
    let gateway = Gateway::start().await;
    let large = json!({"name": "x".repeat(1 << 20)}).to_string();
    for (kind, body) in [
        ("application/json", large),
        (
            "application/x-www-form-urlencoded",
            format!("name={}", "x".repeat(1 << 20)),
        ),
    ] {
        let request = Request::post("/job")
            .header(AUTHORIZATION, format!("Bearer {}", gateway.token("alice")))
            .header(CONTENT_TYPE, kind)
            .body(Body::from(body));
        let reply = gateway.send(request.unwrap()).await;
        reply.rejected(413, "the body is larger than 1048576 bytes");
    }
    assert_eq!(
        gateway.hub.asked(),
        0,
        "nobody is asked about a body that is not read"
    );
}

#[tokio::test]
async fn long_responses_of_one_user_take_turns() {
    let gateway = Gateway::start().await;
    let path = format!(
        "/job/{}",
        gateway.job("alice", "local_hpc", json!({})).await
    );
    let alice = gateway.user_id("alice");
    let mut slots = Vec::new();
    for _ in 0..4 {
        slots.push(gateway.state.pages.take(&alice).await.unwrap());
    }
    // Others are not held up, and neither are short responses.
    gateway.get("bob", "/user/job").await.ok();
    gateway.get("alice", &format!("{path}/events")).await.ok();
    let order = std::sync::Mutex::new(Vec::new());
    let waits = async {
        let reply = gateway.get("alice", &path).await;
        order.lock().unwrap().push("response");
        reply
    };
    let frees = async {
        for _ in 0..5 {
            gateway.get("alice", "/user").await.ok();
        }
        order.lock().unwrap().push("slot");
        drop(slots.pop());
    };
    let (reply, ()) = tokio::join!(waits, frees);
    assert!(matches!(reply.ok(), Value::Object(_)));
    assert_eq!(*order.lock().unwrap(), ["slot", "response"]);
    drop(slots);
}
