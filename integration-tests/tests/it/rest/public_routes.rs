//! Routes without a token, and the format of errors.

use compute_integration_tests::World;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

#[tokio::test]
async fn public_routes_in_every_spelling() -> anyhow::Result<()> {
    let world = World::with([]).await?;
    let base = format!("http://{}", world.gateway.address());
    let http = Client::new();
    let get = async |path: &str| http.get(format!("{base}{path}")).send().await;
    for (path, key) in [
        ("/", "message"),
        ("/v2", "message"),
        ("/v2/", "message"),
        ("/hpc", "hpc"),
        ("/HPC/", "hpc"),
        ("/v2/hpc", "hpc"),
        ("/maintainer", "maintainer"),
        ("/container", "container"),
        ("/whitelist", "whitelist"),
        ("/allowlist", "allowlist"),
        ("/announcement", "announcements"),
        ("/git", "git"),
        ("/api-docs/openapi.json", "paths"),
        ("/v2/api-docs/openapi.json", "paths"),
    ] {
        let answer = get(path).await?;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        let body: Value = answer.json().await?;
        assert!(body.get(key).is_some(), "{path}: {body}");
    }
    let head = http.head(format!("{base}/hpc")).send().await?;
    assert_eq!(head.status(), StatusCode::OK);
    let page = get("/api-docs/").await?.text().await?;
    assert!(page.contains("swagger"), "{page}");
    let hpc = get("/hpc").await?.text().await?;
    for secret in [
        "private_key_path",
        "root_path\":\"/tmp",
        "community_login",
        "known_hosts",
    ] {
        assert!(!hpc.contains(secret), "{secret} in {hpc}");
    }
    Ok(())
}

#[tokio::test]
async fn every_error_is_json() -> anyhow::Result<()> {
    let world = World::with([]).await?;
    let base = format!("http://{}", world.gateway.address());
    let http = Client::new();
    let large = json!({"jupyterhubApiToken": "x".repeat(2 << 20)}).to_string();
    for (method, path, body, status) in [
        (Method::GET, "/nowhere", "", 404),
        (Method::GET, "/git/nothing", "", 404),
        (Method::DELETE, "/hpc", "", 404),
        (Method::GET, "/user", "{\"jupyterhubApiToken\": ", 400),
        (Method::GET, "/user", "\"abc\"", 400),
        (Method::GET, "/user", "[]", 402),
        (Method::GET, "/user", "", 402),
        (Method::GET, "/job/%FF", "", 400),
        (Method::POST, "/job", large.as_str(), 413),
    ] {
        let request = http.request(method.clone(), format!("{base}{path}"));
        let request = request
            .header("content-type", "application/json")
            .body(body.to_owned());
        let answer = request.send().await?;
        assert_eq!(answer.status().as_u16(), status, "{method} {path}");
        let body: Value = answer.json().await?;
        assert!(body["error"].is_string(), "{method} {path}: {body}");
    }
    Ok(())
}
