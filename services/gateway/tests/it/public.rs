//! Routes that anybody may call, and paths as older clients write them.

use serde_json::json;

use crate::gateway::Gateway;

#[tokio::test]
async fn the_site_is_public_without_its_secrets() {
    let gateway = Gateway::start().await;
    let get = async |path: &str| gateway.call_without_header("GET", path, json!({})).await;
    assert_eq!(get("/").await.ok(), json!({"message": "hello world"}));
    let hpcs = get("/hpc").await.ok();
    let local = &hpcs["hpc"]["local_hpc"];
    assert_eq!(local["is_community_account"], true);
    for secret in [
        "community_login",
        "root_path",
        "known_hosts",
        "init_sbatch_script",
    ] {
        assert!(local.get(secret).is_none(), "{secret}");
    }
    let maintainers = get("/maintainer").await.ok();
    assert_eq!(
        maintainers["maintainer"]["hello"]["default_hpc"],
        "local_hpc"
    );
    assert!(get("/container").await.ok()["container"]["python"].is_object());
    let hubs = json!({gateway.hub.host.clone(): "the hub"});
    assert_eq!(get("/allowlist").await.ok(), json!({"allowlist": hubs}));
    assert_eq!(get("/whitelist").await.ok(), json!({"whitelist": hubs}));
    assert_eq!(
        get("/announcement").await.ok(),
        json!({"announcements": []})
    );
    assert_eq!(
        get("/statistic").await.ok(),
        json!({"runtime_in_seconds": {"total": null}})
    );
    assert_eq!(gateway.hub.asked(), 0);
}

#[tokio::test]
async fn only_approved_templates_are_shown() {
    let gateway = Gateway::start().await;
    gateway.template("shown", json!({})).await;
    gateway
        .template("raw", json!({"execution_stage_in_raw_sbatch": ["true"]}))
        .await;
    gateway.add_template("new", json!({}), false).await;
    gateway.state.templates.refresh().await;
    let get = async |path: &str| gateway.call_without_header("GET", path, json!({})).await;
    let all = get("/git").await.ok();
    let ids: Vec<_> = all["git"].as_object().unwrap().keys().collect();
    assert_eq!(ids, ["shown"]);
    assert_eq!(get("/git/shown").await.ok()["name"], "shown");
    for id in ["raw", "new", "nothing"] {
        let reply = get(&format!("/git/{id}")).await;
        reply.rejected(404, &format!("unknown git {id}"));
    }
}

#[tokio::test]
async fn the_user_is_known_by_the_hub() {
    let gateway = Gateway::start().await;
    let globus = gateway.get("alice", "/user/jupyter-globus").await.ok();
    assert_eq!(
        globus,
        json!({"endpoint": "hub-collection", "root_path": "/~/data/alice",
            "container_home_path": "/home/jovyan/work/"})
    );
    let reply = gateway.get("a/../b", "/user/jupyter-globus").await;
    reply.rejected(403, "your account has no folder on its JupyterHub");
}

#[tokio::test]
async fn paths_of_older_clients_lead_to_the_same_routes() {
    let gateway = Gateway::start().await;
    let send =
        async |method: &str, path: &str| gateway.call_without_header(method, path, json!({})).await;
    for path in ["/HPC", "/v2/hpc/", "/v2/Hpc"] {
        let reply = send("GET", path).await;
        let kind = reply.headers["content-type"].to_str().unwrap();
        assert_eq!(kind, "application/json; charset=utf-8", "{path}");
        assert!(reply.ok()["hpc"].is_object(), "{path}");
    }
    send("GET", "/nowhere")
        .await
        .rejected(404, "unknown route /nowhere");
    send("POST", "/hpc")
        .await
        .rejected(404, "unknown route /hpc");
    let methods = send("OPTIONS", "/hpc").await;
    assert_eq!((methods.status, methods.body), (200, json!("GET,HEAD")));
    assert_eq!(send("GET", "/api-docs").await.status, 301);
    let document = send("GET", "/api-docs/openapi.json").await.ok();
    assert!(document["paths"]["/job/{id}/submit"].is_object());
}

#[tokio::test]
async fn a_response_carries_the_id_of_its_request() {
    let gateway = Gateway::start().await;
    let request = axum::extract::Request::get("/")
        .header("x-request-id", "mine-1")
        .body(axum::body::Body::empty());
    let reply = gateway.send(request.unwrap()).await;
    assert_eq!(reply.headers["x-request-id"], "mine-1");
}
