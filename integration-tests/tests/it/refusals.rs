//! What is refused, and in which words; and what is not yours does not exist.

use compute_integration_tests::{Template, World, WorldOptions};
use serde_json::json;

fn ruled() -> Template {
    Template::bare("ruled", "true")
        .with("param_rules", json!({
            "a": {"type": "integer", "max": 10, "min": 0, "default_value": 5, "step": 1},
            "s": {"type": "string_option", "options": ["x", "y"], "default_value": "x"}}))
        .with("slurm_input_rules", json!({"time": {"max": 60, "min": 1, "default_value": 10, "step": 1, "unit": "Minutes"}}))
}

#[tokio::test]
async fn limits_and_types_are_refused_with_a_sentence() -> anyhow::Result<()> {
    let world = World::start(WorldOptions {
        templates: vec![ruled()],
        ..WorldOptions::default()
    })
    .await?;
    let alice = world.client("alice")?;
    for (settings, words) in [
        (
            json!({"slurm": {"num_of_task": 5}}),
            "slurm config num_of_task exceeds the threshold of 4 (current value 5)",
        ),
        (
            json!({"slurm": {"memory": "9G"}}),
            "slurm config memory exceeds the threshold of 8G (current value 9G)",
        ),
        (
            json!({"slurm": {"memory_per_cpu": "11GB"}}),
            "slurm config memory_per_cpu exceeds the threshold of 10G (current value 11GB)",
        ),
        (json!({"slurm": {"num_of_task": "many"}}), "num_of_task"),
        (
            json!({"slurm": {"partition": "a\n#SBATCH --uid=0"}}),
            "partition",
        ),
        (json!({"param": {"a": 11}}), "a"),
        (json!({"param": {"a": "eleven"}}), "a"),
        (json!({"param": {"s": "z"}}), "s"),
    ] {
        let id = alice.prepare("ruled", settings.clone()).await?;
        let answer = alice.post(&format!("/job/{id}/submit"), json!({})).await?;
        assert_eq!(answer.status, 402, "{settings}: {answer:?}");
        let error = answer.body["error"].as_str().unwrap_or_default();
        assert!(error.contains(words), "{settings}: {answer:?}");
    }
    Ok(())
}

#[tokio::test]
async fn someone_elses_job_looks_like_no_job() -> anyhow::Result<()> {
    let world = World::start(WorldOptions {
        templates: vec![ruled()],
        ..WorldOptions::default()
    })
    .await?;
    let (alice, bob) = (world.client("alice")?, world.client("bob")?);
    let hers = alice.prepare("ruled", json!({"param": {"a": 1}})).await?;
    for (method, path, body) in [
        ("GET", "", json!({})),
        ("PUT", "", json!({"param": {"a": 2}})),
        ("GET", "/events", json!({})),
        ("GET", "/logs", json!({})),
        ("GET", "/result-folder-content", json!({})),
        ("POST", "/submit", json!({})),
        ("PUT", "/cancel", json!({})),
    ] {
        let method: reqwest::Method = method.parse()?;
        let path_of = |id: &str| format!("/job/{id}{path}");
        let of_hers = bob
            .call(method.clone(), &path_of(&hers), body.clone())
            .await?;
        let of_none = bob
            .call(method.clone(), &path_of("1795457659XXXXX"), body)
            .await?;
        assert!(of_hers.status >= 400, "{method} {path}: {of_hers:?}");
        assert_eq!(of_hers.status, of_none.status, "{method} {path}");
        let named = of_none.body.to_string().replace("1795457659XXXXX", &hers);
        assert_eq!(of_hers.body.to_string(), named, "{method} {path}");
    }
    assert_eq!(alice.job(&hers).await?["param"], json!({"a": 1}));
    assert!(!bob.get("/user/job").await?.body.to_string().contains(&hers));
    Ok(())
}
