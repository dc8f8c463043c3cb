//! Values reach the program byte for byte, and are never run.

use std::path::Path;

use compute_integration_tests::{Template, World, python};
use serde_json::json;

const HOSTILE: &str = "$(touch x) \"; echo y; '";
const LINES: &str = "first `touch x`\nsecond\n\n\ttab, ünï ☃ \\ $HOME ${IFS} !! end";

#[tokio::test]
async fn hostile_values_arrive_and_run_nowhere() -> anyhow::Result<()> {
    let program = "import json, os\n\
        job = json.load(open('job.json'))\n\
        seen = {k: os.environ.get(k) for k in ('param_a', 'param_b', 'env_E')}\n\
        print(json.dumps({'env': seen, 'job': job['param']}))\n";
    let show = Template::new("show", "python main.py").file("main.py", program);
    let world = World::with([show]).await?;
    for hpc in ["local_hpc", "charlie_hpc"] {
        let said = python::run_job(
            &world,
            "alice",
            json!({
                "hpc": hpc,
                "localExecutableFolder": {"type": "git", "gitId": "show"},
                "param": {"a": HOSTILE, "b": LINES},
                "env": {"E": HOSTILE},
            }),
        )
        .await?;
        let log = said["logs"].as_str().unwrap_or_default();
        let line = log
            .lines()
            .find(|line| line.starts_with('{'))
            .unwrap_or_default();
        let seen: serde_json::Value =
            serde_json::from_str(line).map_err(|error| anyhow::anyhow!("{error}: {said}"))?;
        assert_eq!(
            seen["env"],
            json!({"param_a": HOSTILE, "param_b": LINES, "env_E": HOSTILE})
        );
        assert_eq!(seen["job"], json!({"a": HOSTILE, "b": LINES}));
        assert!(!log.lines().any(|line| line == "y"), "a value ran: {log}");
        for folder in ["remoteExecutableFolder", "remoteResultFolder"] {
            let path = said["job"][folder]["hpcPath"].as_str().unwrap_or_default();
            assert!(
                Path::new(path).is_dir() && !Path::new(path).join("x").exists(),
                "{path}"
            );
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_name_that_is_no_name_is_refused() -> anyhow::Result<()> {
    let plain = Template::bare("plain", "true");
    let world = World::with([plain]).await?;
    let said = python::run_job(
        &world,
        "alice",
        json!({
            "localExecutableFolder": {"type": "git", "gitId": "plain"},
            "param": {"a; touch x": "1"},
        }),
    )
    .await?;
    let error = said["error"].as_str().unwrap_or_default();
    assert!(error.contains("a; touch x"), "{said}");
    Ok(())
}
