//! The main path, with the unmodified Python client.

use compute_integration_tests::{Template, World, python};
use serde_json::{Value, json};

use crate::SOON;

fn names(value: &Value) -> Vec<&str> {
    value
        .as_array()
        .map(|list| list.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default()
}

#[tokio::test]
async fn hello_world_with_parameters() -> anyhow::Result<()> {
    let hello = Template::new("hello_world", "bash main.sh")
        .with("pre_processing_stage", json!("python setup.py"))
        .with("post_processing_stage", json!("python cleanup.py"))
        .with("param_rules", json!({
            "input_a": {"type": "integer", "max": 100, "min": 0, "default_value": 50, "step": 10},
            "input_b": {"type": "string_option", "options": ["foo", "bar"], "default_value": "foo"}}))
        .with("slurm_input_rules", json!({"num_of_task": {"max": 6, "min": 1, "default_value": 2, "unit": "None"}}))
        .with("default_result_folder_downloadable_path", json!("task_0"))
        .file("setup.py", "print('running setup...')\n")
        .file("cleanup.py", "print('running cleanup...')\n")
        .file("main.sh", "mkdir -p /job/result/task_$SLURM_PROCID\n\
                          echo \"task $SLURM_PROCID a=$param_input_a b=$param_input_b\"\n");
    let world = World::with([hello]).await?;
    let said = python::run_job(
        &world,
        "alice",
        json!({
            "hpc": "local_hpc",
            "localExecutableFolder": {"type": "git", "gitId": "hello_world"},
            "param": {"input_a": 70, "input_b": "bar"},
            "slurm": {"num_of_task": 2, "time": "00:05:00"},
        }),
    )
    .await?;
    assert_eq!(said["error"], Value::Null, "{said}");
    assert_eq!(
        names(&said["events"]),
        [
            "JOB_QUEUED",
            "JOB_REGISTERED",
            "SLURM_UPLOAD_EXECUTABLE",
            "SLURM_CREATE_RESULT",
            "SLURM_SUBMIT",
            "SLURM_SUBMIT_SUCCESS",
            "JOB_INIT",
            "JOB_ENDED",
        ]
    );
    let log = said["logs"].as_str().unwrap_or_default();
    for line in [
        "running setup...",
        "task 0 a=70 b=bar",
        "task 1 a=70 b=bar",
        "running cleanup...",
    ] {
        assert!(log.contains(line), "no {line:?} in {log}");
    }
    assert_eq!(
        names(&said["folders"]),
        ["/task_0", "/", "/slurm_log", "/task_1"]
    );
    let job = &said["job"];
    assert_eq!(job["isFailed"], false);
    assert_eq!(job["state"], "ended");
    assert!(
        job["slurmId"]
            .as_str()
            .is_some_and(|id| id.parse::<u64>().is_ok()),
        "{job}"
    );
    assert_eq!(job["templateSha"].as_str().map(str::len), Some(40));
    let folder = job["remoteResultFolder"]["hpcPath"]
        .as_str()
        .unwrap_or_default();
    assert!(
        folder.starts_with(&world.parts.text("hpc", "root_path")?),
        "{job}"
    );
    Ok(())
}

#[tokio::test]
async fn stages_in_order() -> anyhow::Result<()> {
    let stages = Template::new("stages", "python main.py")
        .with("pre_processing_stage", json!("python pre.py"))
        .with("post_processing_stage", json!("python post.py"))
        .file("pre.py", "print('pre')\n")
        .file(
            "main.py",
            "import os\nos.makedirs('/job/result/sub/deep')\nprint('main', flush=True)\n",
        )
        .file("post.py", "print('post')\n");
    let world = World::with([stages]).await?;
    let said = python::run_job(
        &world,
        "alice",
        json!({
            "localExecutableFolder": {"type": "git", "gitId": "stages"},
        }),
    )
    .await?;
    assert_eq!(said["logs"], "pre\nmain\npost\n", "{said}");
    assert_eq!(
        names(&said["folders"]),
        ["/", "/slurm_log", "/sub", "/sub/deep"]
    );
    Ok(())
}

#[tokio::test]
async fn a_failed_program_is_a_failed_job() -> anyhow::Result<()> {
    let fail = Template::new("fail", "python main.py")
        .with("post_processing_stage", json!("echo never"))
        .file(
            "main.py",
            "print('about to fail', flush=True)\nraise SystemExit(1)\n",
        );
    let world = World::with([fail]).await?;
    let said = python::run_job(
        &world,
        "alice",
        json!({
            "localExecutableFolder": {"type": "git", "gitId": "fail"},
        }),
    )
    .await?;
    assert_eq!(names(&said["events"]).last(), Some(&"JOB_FAILED"), "{said}");
    assert_eq!(said["job"]["isFailed"], true);
    assert_eq!(said["job"]["state"], "failed");
    assert_eq!(said["job"]["cause"], "the program ended with exit code 1");
    let log = said["logs"].as_str().unwrap_or_default();
    assert!(
        log.contains("about to fail") && !log.contains("never"),
        "{log}"
    );
    Ok(())
}

/// A program that ends before the next poll of the scheduler.
#[tokio::test]
async fn a_short_job_has_a_start_and_an_end() -> anyhow::Result<()> {
    let world = World::with([Template::bare("nothing", "true")]).await?;
    let alice = world.client("alice")?;
    let id = alice.submit("nothing", json!({})).await?;
    let job = alice.over(&id, SOON).await?;
    let times = ["initializedAt", "startedAt", "finishedAt"].map(|name| job[name].as_str());
    assert!(
        times.iter().all(Option::is_some) && times.is_sorted(),
        "{job}"
    );
    Ok(())
}
