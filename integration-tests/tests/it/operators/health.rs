//! `/livez` and `/readyz`: what makes a service unready, and what is informational.

use compute_integration_tests::{Template, World, WorldOptions, eventually, service::Service};
use serde_json::{Value, json};

use crate::SOON;

async fn asked(service: &Service, path: &str) -> anyhow::Result<(u16, Value)> {
    let url = format!("http://{}{path}", service.health_address());
    let answer = reqwest::get(url).await?;
    Ok((answer.status().as_u16(), answer.json().await?))
}

/// Waits until the service is ready and reports `part` with this detail; `None`: as healthy.
async fn notes(service: &Service, part: &str, words: Option<&str>) -> anyhow::Result<Value> {
    let what = format!("{part} noted as {words:?}");
    eventually(&what, SOON, async || {
        let (status, report) = asked(service, "/readyz").await?;
        assert_eq!((status, &report["ready"]), (200, &json!(true)), "{report}");
        let noted = &report["noted"][part];
        let detail = noted["detail"].as_str();
        let is_so = match words {
            Some(words) => detail.is_some_and(|detail| detail.contains(words)),
            None => noted["ok"] == true,
        };
        Ok(is_so.then_some(report))
    })
    .await
}

#[tokio::test]
async fn what_is_away_is_told_and_makes_nobody_unready() -> anyhow::Result<()> {
    let mut world = World::start(WorldOptions {
        mutual_tls: true,
        // Nothing listens there: a login node that is switched off.
        hpc: json!({"port": 1}),
        templates: vec![Template::bare("quick", "true")],
        ..WorldOptions::default()
    })
    .await?;
    let maintainer = &world.maintainers[0];
    for service in [&world.gateway, &world.connector, maintainer] {
        assert_eq!(
            asked(service, "/livez").await?,
            (200, json!({"live": true}))
        );
    }
    for service in [&world.gateway, maintainer] {
        let report = notes(service, "connector of local_hpc", None).await?;
        for part in ["database", "redis"] {
            assert_eq!(report["parts"][part], json!({"ok": true}), "{report}");
        }
    }
    // Known before the first job: a maintainer looks for orphans when it starts.
    notes(&world.connector, "local_hpc", Some("Connection refused")).await?;
    let id = world.client("alice")?.submit("quick", json!({})).await?;
    world.connector.kill()?;
    for service in [&world.gateway, &world.maintainers[0]] {
        notes(service, "connector of local_hpc", Some("")).await?;
    }
    world.connector.restart()?;
    for service in [&world.gateway, &world.maintainers[0]] {
        notes(service, "connector of local_hpc", None).await?;
    }
    let alice = world.client("alice")?;
    alice.put(&format!("/job/{id}/cancel"), json!({})).await?;
    alice.over(&id, SOON).await?;
    Ok(())
}
