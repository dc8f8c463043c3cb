use std::net::Ipv4Addr;

use axum::{Json, Router, http::HeaderMap, routing::get};
use compute_domain::{
    SystemClock,
    site::{Scheme, UserMapping},
};
use serde_json::{Value, json};

use super::*;

/// A hub whose tokens are the answers that it gives for them.
async fn hub() -> (HubClient, String) {
    let answer = async |headers: HeaderMap| {
        let token = headers["authorization"].to_str().unwrap().to_owned();
        let answer: Value = serde_json::from_str(token.strip_prefix("token ").unwrap()).unwrap();
        Json(answer)
    };
    let app = Router::new().route("/hub/api/user", get(answer));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, app).await });
    let hub = Hub {
        host: host.clone(),
        scheme: Scheme::Http,
        comment: String::new(),
        endpoint: String::new(),
        root_path: String::new(),
        container_home_path: String::new(),
        user_mapping: UserMapping::Plain,
        services: vec!["reporter".to_owned()],
    };
    let rejected_tokens = Arc::new(RejectedTokens::new(1000, Arc::new(SystemClock)));
    let client = HubClient::new([(host.clone(), hub)].into(), rejected_tokens).unwrap();
    (client, host)
}

async fn ask(client: &HubClient, host: &str, answer: Value) -> Result<Arc<HubUser>, HubError> {
    let token = HubToken {
        host: host.to_owned(),
        token: SecretString::from(answer.to_string().replace(' ', "\\u0020")),
    };
    client.user(&token, Ipv4Addr::LOCALHOST.into()).await
}

#[tokio::test]
async fn users_are_users_and_services_are_those_that_are_listed() {
    compute_runtime::tls::install_provider();
    let (client, host) = hub().await;
    for (answer, id) in [
        (json!({"name": "alice", "kind": "user"}), "alice"),
        (json!({"name": "alice"}), "alice"),
        (json!({"name": "alice", "kind": null}), "alice"),
        (json!({"name": "reporter", "kind": "user"}), "reporter"),
        (
            json!({"name": "reporter", "kind": "service"}),
            "service:reporter",
        ),
    ] {
        for _ in 0..2 {
            let user = ask(&client, &host, answer.clone()).await.unwrap();
            assert_eq!(user.id.as_str(), format!("{id}@{host}"), "{answer}");
            assert_eq!(client.known_user(&user.id).as_ref(), Some(&*user));
        }
    }
}

#[tokio::test]
async fn nobody_else_is() {
    compute_runtime::tls::install_provider();
    let (client, host) = hub().await;
    for (answer, words) in [
        (
            json!({"name": "alice", "kind": "service"}),
            "the service alice",
        ),
        (
            json!({"name": "Reporter", "kind": "service"}),
            "the service Reporter",
        ),
        (json!({"name": "alice", "kind": "group"}), "not of a user"),
        (json!({"name": "alice", "kind": ""}), "not of a user"),
        (json!({"name": "alice", "kind": "User"}), "not of a user"),
        (
            json!({"name": "x".repeat(256), "kind": "user"}),
            "longer than 255",
        ),
        (json!({"name": "x".repeat(256)}), "longer than 255"),
        (json!({"name": "alice ", "kind": "user"}), "white space"),
        (json!({"name": "", "kind": "user"}), "is empty"),
        (
            json!({"name": "service:reporter", "kind": "user"}),
            "services do",
        ),
    ] {
        for _ in 0..2 {
            let refused = ask(&client, &host, answer.clone()).await.unwrap_err();
            let HubError::NotAUser(said) = refused else {
                panic!("{answer}: {refused:?}")
            };
            assert!(said.contains(words) && said.len() < 300, "{answer}: {said}");
        }
    }
    // Not ASCII, so that it cannot stand in this hub's tokens.
    let hub = client.hubs.get(&host).unwrap();
    for name in [
        "ali\u{1b}[2Jce",
        "al\u{200b}ice",
        "\u{202e}ecila",
        "ali\0ce",
        "ali\nce",
    ] {
        let answer = HubModel {
            name: name.to_owned(),
            kind: Some("user".to_owned()),
        };
        let refused = user_of(answer, hub).unwrap_err().to_string();
        assert!(refused.contains("control or invisible"), "{refused}");
        assert!(!refused.chars().any(compute_domain::printable::is_hidden));
    }
}
