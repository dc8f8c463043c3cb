//! Variants of cases that create or change a job.

use serde_json::json;

use super::started;

#[tokio::test]
async fn jobs_are_made_where_their_owner_may() -> anyhow::Result<()> {
    let asked = started().await?;
    for (caller, body, answer) in [
        ("alice", json!({}), (200, "")),
        (
            "alice",
            json!({"hpc": null, "maintainer": null, "user": null}),
            (200, ""),
        ),
        ("alice", json!({"hpc": "bare_hpc"}), (200, "")),
        ("alice", json!({"hpc": "down_hpc"}), (200, "")),
        ("alice", json!({"maintainer": "ghost"}), (200, "")),
        ("alice", json!({"printHelp": true, "x": [1]}), (200, "")),
        ("alice elsewhere", json!({}), (200, "")),
        ("alice", json!({"hpc": ""}), (401, "unrecognized hpc")),
        (
            "alice",
            json!({"hpc": "__proto__"}),
            (401, "unrecognized hpc"),
        ),
        (
            "alice",
            json!({"hpc": "toString"}),
            (401, "unrecognized hpc"),
        ),
        (
            "alice",
            json!({"maintainer": "__proto__"}),
            (401, "unrecognized maintainer"),
        ),
        (
            "alice",
            json!({"maintainer": "nope", "hpc": "nope"}),
            (401, "unrecognized maintainer"),
        ),
        ("denied", json!({}), (401, "Not authorized for HPC")),
        (
            "denied",
            json!({"hpc": "local_hpc"}),
            (401, "Not authorized for HPC"),
        ),
        ("denied", json!({"hpc": "bare_hpc"}), (200, "")),
        (
            "bob",
            json!({"hpc": "private_hpc"}),
            (401, "Not authorized for HPC"),
        ),
        (
            "alice elsewhere",
            json!({"hpc": "private_hpc"}),
            (401, "Not authorized for HPC"),
        ),
        ("alice", json!({"hpc": 5}), (402, "invalid input")),
        (
            "alice",
            json!({"hpc": ["local_hpc"]}),
            (402, "invalid input"),
        ),
    ] {
        asked
            .expect(caller, ("POST", "/job", &body), answer)
            .await?;
    }
    Ok(())
}

/// Requests about a job of Alice's that is never submitted.
#[tokio::test]
async fn a_draft_is_its_owners_and_within_the_limits() -> anyhow::Result<()> {
    let asked = started().await?;
    let id = asked
        .scene
        .world
        .client("alice")?
        .prepare("hello_world", json!({"hpc": "local_hpc"}))
        .await?;
    let path = format!("/job/{id}");
    for (rest, method, error) in [
        ("", "GET", "invalid access"),
        ("/events", "GET", "invalid access token"),
        ("/logs", "GET", "invalid access"),
        ("/result-folder-content", "GET", "invalid access"),
        ("/submit", "POST", "invalid access"),
    ] {
        for path in [format!("{path}{rest}"), format!("/job/nosuchjob{rest}")] {
            asked
                .expect("bob", (method, &path, &json!({})), (401, error))
                .await?;
        }
        if method == "GET" {
            asked
                .expect(
                    "alice",
                    (method, &format!("{path}{rest}"), &json!({})),
                    (200, ""),
                )
                .await?;
        }
    }
    for (caller, path) in [("bob", path.as_str()), ("alice", "/job/nosuchjob")] {
        for rest in ["/cancel", "/pause", "/resume"] {
            let answer = (402, "job is not in queue or running jobs");
            asked
                .expect(
                    caller,
                    ("PUT", &format!("{path}{rest}"), &json!({})),
                    answer,
                )
                .await?;
        }
        asked
            .expect(
                caller,
                ("PUT", path, &json!({"param": {}})),
                (402, "invalid access"),
            )
            .await?;
    }
    for (change, answer) in [
        (json!({"param": {}}), (200, "")),
        (json!({"param": null, "env": {"E": "x"}}), (200, "")),
        (json!({"param": null}), (402, "nothing to update")),
        (
            json!({"localResultFolder": {"type": "globus"}}),
            (402, "nothing to update"),
        ),
        (
            json!({"remoteExecutableFolder": "nosuch"}),
            (402, "unknown folder with id nosuch"),
        ),
        (json!({"env": "E=x"}), (402, "invalid input")),
    ] {
        asked
            .expect("alice", ("PUT", &path, &change), answer)
            .await?;
    }
    for (slurm, error) in [
        (
            json!({"num_of_task": 5}),
            "slurm config num_of_task exceeds the threshold of 4 (current value 5)",
        ),
        (
            json!({"num_of_task": "100"}),
            "slurm config num_of_task exceeds the threshold of 4 (current value 100)",
        ),
        (
            json!({"num_of_node": 51}),
            "slurm config num_of_node exceeds the threshold of 50 (current value 51)",
        ),
        (
            json!({"cpu_per_task": 51}),
            "slurm config cpu_per_task exceeds the threshold of 50 (current value 51)",
        ),
        (
            json!({"gpus": 21}),
            "slurm config gpus exceeds the threshold of 20 (current value 21)",
        ),
        (
            json!({"gpus_per_task": 21}),
            "slurm config gpus_per_task exceeds the threshold of 20 (current value 21)",
        ),
        (
            json!({"memory": "9GB"}),
            "slurm config memory exceeds the threshold of 8G (current value 9GB)",
        ),
        (
            json!({"memory": "9000M"}),
            "slurm config memory exceeds the threshold of 8G (current value 9000M)",
        ),
        (
            json!({"memory_per_gpu": "11G"}),
            "slurm config memory_per_gpu exceeds the threshold of 10G (current value 11G)",
        ),
        (
            json!({"memory_per_cpu": "11g"}),
            "slurm config memory_per_cpu exceeds the threshold of 10G (current value 11g)",
        ),
        (
            json!({"time": "03:00:00"}),
            "slurm config time exceeds the threshold of ",
        ),
        (json!({"time": 5}), "slurm config time"),
        (json!({"memory": 9000}), "slurm config memory"),
    ] {
        asked
            .expect("alice", ("PUT", &path, &json!({"slurm": slurm})), (200, ""))
            .await?;
        asked
            .expect(
                "alice",
                ("POST", &format!("{path}/submit"), &json!({})),
                (402, error),
            )
            .await?;
    }
    Ok(())
}
