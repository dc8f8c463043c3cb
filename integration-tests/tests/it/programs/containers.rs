//! The same job under every container runtime.

use compute_integration_tests::{Template, World, python};
use serde_json::json;

#[tokio::test]
async fn apptainer_and_charliecloud() -> anyhow::Result<()> {
    let inside = Template::new("inside", "python main.py").file(
        "main.py",
        "import os\n\
         print('files', sorted(f for f in os.listdir('/job/executable') if f.endswith('.py')))\n\
         print('home', os.path.exists('/etc/slurm'), os.getcwd())\n\
         open('/job/result/kept.txt', 'w').write('kept')\n",
    );
    let world = World::with([inside]).await?;
    let mut logs = Vec::new();
    for hpc in ["local_hpc", "charlie_hpc"] {
        let said = python::run_job(
            &world,
            "alice",
            json!({
                "hpc": hpc,
                "localExecutableFolder": {"type": "git", "gitId": "inside"},
            }),
        )
        .await?;
        assert_eq!(said["job"]["state"], "ended", "{hpc}: {said}");
        let result = said["job"]["remoteResultFolder"]["hpcPath"]
            .as_str()
            .unwrap_or_default();
        assert_eq!(
            std::fs::read_to_string(format!("{result}/kept.txt"))?,
            "kept"
        );
        logs.push(said["logs"].clone());
    }
    assert_eq!(logs[0], logs[1], "both runtimes show the program the same");
    Ok(())
}

#[tokio::test]
async fn the_canary_needs_no_template() -> anyhow::Result<()> {
    let world = World::with([]).await?;
    let alice = world.client("alice")?;
    let created = alice.post("/job", json!({"maintainer": "hello"})).await?;
    let id = created.body["id"].as_str().unwrap_or_default().to_owned();
    let submitted = alice.post(&format!("/job/{id}/submit"), json!({})).await?;
    assert_eq!(submitted.status, 200, "{submitted:?}");
    let job = alice.over(&id, crate::SOON).await?;
    assert_eq!(job["state"], "ended", "{job}");
    assert!(
        job["logs"].to_string().contains("hello world from"),
        "{job}"
    );
    Ok(())
}
