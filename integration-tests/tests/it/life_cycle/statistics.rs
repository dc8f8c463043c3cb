//! Usage and statistics.

use compute_integration_tests::{Template, World};
use serde_json::{Value, json};

use crate::SOON;

#[tokio::test]
async fn what_jobs_used_and_how_long_they_ran() -> anyhow::Result<()> {
    let world = World::with([Template::bare("second", "sleep 1")]).await?;
    let (alice, bob) = (world.client("alice")?, world.client("bob")?);
    let nothing = alice.get("/statistic").await?.body;
    assert_eq!(nothing, json!({"runtime_in_seconds": {"total": null}}));

    let id = alice.prepare("second", json!({})).await?;
    let path = format!("/statistic/job/{id}");
    assert_eq!(alice.get(&path).await?.body, json!({}));
    alice.post(&format!("/job/{id}/submit"), json!({})).await?;
    alice.over(&id, SOON).await?;

    let of_job = alice.get(&path).await?.body["runtime_in_seconds"].clone();
    assert_eq!(of_job["HPC"], "local_hpc");
    let seconds: f64 = of_job["STATISTIC"].as_str().unwrap_or_default().parse()?;
    assert!((1.0..60.0).contains(&seconds), "{of_job}");
    let all = alice.get("/statistic").await?.body["runtime_in_seconds"].clone();
    assert_eq!(all["total"], json!(seconds));
    assert_eq!(all["local_hpc"], json!(seconds));

    let raw = alice.get("/user/slurm-usage?format=False").await?.body;
    assert_eq!((&raw["nodes"], &raw["cpus"]), (&json!(1), &json!(1)));
    assert!(raw["walltime"].as_i64() >= Some(1), "{raw}");
    let formatted = alice.get("/user/slurm-usage").await?.body;
    let walltime = formatted["walltime"].as_str().unwrap_or_default();
    assert!(
        walltime.starts_with("00 days, 00 hours, 00 minutes, 0"),
        "{formatted}"
    );
    let of_bob = bob.get("/user/slurm-usage?format=False").await?.body;
    assert!(
        of_bob
            .as_object()
            .into_iter()
            .flatten()
            .all(|(_, sum)| *sum == json!(0))
    );
    let refused = bob.get(&path).await?;
    assert_eq!(
        (refused.status, &refused.body["error"]),
        (401, &Value::from("invalid access"))
    );
    Ok(())
}
