//! Every reason why a job is not submitted, with the text for its owner.

use serde_json::{Value, json};

use crate::gateway::{Gateway, Reply, of_template};

async fn submit(gateway: &Gateway, id: &str) -> Reply {
    let path = format!("/job/{id}/submit");
    gateway.call("alice", "POST", &path, json!({})).await
}

#[tokio::test]
async fn a_template_must_be_named_approved_and_readable() {
    let gateway = Gateway::start().await;
    gateway.add_template("new", json!({}), false).await;
    gateway
        .template("unreadable", json!({"execution_stage": 5}))
        .await;
    let no_template = "the job names no template: set localExecutableFolder to \
        {\"type\": \"git\", \"gitId\": NAME}";
    let unavailable =
        |id: &str| format!("template {id} is not available: see the list of templates");
    for (settings, error) in [
        (json!({}), no_template.to_owned()),
        (
            json!({"localExecutableFolder": {"type": "git"}}),
            no_template.to_owned(),
        ),
        (
            json!({"localExecutableFolder": {"type": "local", "gitId": "new"}}),
            no_template.to_owned(),
        ),
        (of_template("nothing", json!({})), unavailable("nothing")),
        (of_template("new", json!({})), unavailable("new")),
        (
            of_template("unreadable", json!({})),
            unavailable("unreadable"),
        ),
    ] {
        let reply = gateway.submit("alice", "local_hpc", settings).await;
        assert_eq!((reply.status, reply.error()), (402, error.as_str()));
    }
}

#[tokio::test]
async fn what_runs_outside_of_a_container_needs_an_approval() {
    let gateway = Gateway::start().await;
    gateway
        .template("raw", json!({"execution_stage_in_raw_sbatch": ["true"]}))
        .await;
    gateway
        .template("bare", json!({"connector": "SlurmConnector"}))
        .await;
    let reply = gateway
        .submit("alice", "local_hpc", of_template("raw", json!({})))
        .await;
    reply.rejected(
        402,
        "template raw runs outside of a container (*_in_raw_sbatch)",
    );
    let reply = gateway
        .submit("alice", "contained_hpc", of_template("bare", json!({})))
        .await;
    reply.rejected(
        402,
        "template bare runs outside of a container (SlurmConnector) and is not approved for that: ask \
         the operator to read it and to say `cybergis-compute template approve bare --raw-sbatch`",
    );
    gateway
        .submit("alice", "local_hpc", of_template("bare", json!({})))
        .await
        .ok();
}

#[tokio::test]
async fn containers_and_kernels_must_be_set_up_on_the_hpc() {
    let gateway = Gateway::start().await;
    gateway
        .template(
            "kernel",
            json!({"connector": "SingCVMFSConnector", "container": "py3"}),
        )
        .await;
    gateway
        .template("container", json!({"container": "fortran"}))
        .await;
    gateway.template("python", json!({})).await;
    for (id, hpc, error) in [
        ("kernel", "local_hpc", "unknown kernel py3"),
        ("container", "local_hpc", "unknown container fortran"),
        (
            "python",
            "contained_hpc",
            "container python is not set up on contained_hpc",
        ),
    ] {
        let reply = gateway
            .submit("alice", hpc, of_template(id, json!({})))
            .await;
        assert_eq!((reply.status, reply.error()), (402, error));
    }
}

#[tokio::test]
async fn all_values_against_the_rules_are_named_at_once() {
    let gateway = Gateway::start().await;
    gateway
        .template(
            "ruled",
            json!({
            "param_rules": {
                "a": {"type": "integer", "max": 10, "min": 0, "default_value": 5, "step": 1},
                "s": {"type": "string_option", "options": ["x", "y"], "default_value": "x"}},
            "slurm_input_rules": {"time": {"max": 60, "min": 1, "default_value": 10, "step": 1,
                "unit": "Minutes"}}}),
        )
        .await;
    for (values, texts) in [
        (json!({"param": {"a": 11}}), &["param a "][..]),
        (
            json!({"param": {"a": "eleven", "s": "z"}}),
            &["param a ", "param s "],
        ),
        (json!({"param": {"a-b": 1}}), &["a-b"]),
        (json!({"env": {"A=B": "1"}}), &["A=B"]),
        (json!({"slurm": {"num_of_task": "many"}}), &["num_of_task"]),
        (
            json!({"slurm": {"num_of_task": 5, "memory": "9G"}}),
            &["slurm config num_of_task exceeds the threshold of 4 (current value 5)"],
        ),
        (
            json!({"slurm": {"time": "01:30:00"}}),
            &["slurm config time "],
        ),
        (
            json!({"slurm": {"partition": "a\n#SBATCH --uid=0"}}),
            &["partition"],
        ),
        (json!({"slurm": {"modules": ["matlab"]}}), &["matlab"]),
        (
            json!({"param": {"a": 99}, "env": {"A=B": "1"}}),
            &["param a ", "A=B"],
        ),
    ] {
        let settings = of_template("ruled", values.clone());
        let reply = gateway.submit("alice", "local_hpc", settings).await;
        assert_eq!(reply.status, 402, "{values}: {reply:?}");
        let messages = reply.body["messages"].as_array().unwrap();
        assert_eq!(messages.len(), texts.len(), "{values}: {reply:?}");
        assert_eq!(reply.body["error"], messages[0], "{values}");
        for (message, text) in messages.iter().zip(texts) {
            let message = message.as_str().unwrap();
            assert!(message.contains(text), "{values}: {message}");
        }
    }
    let good = json!({"param": {"a": 10}, "slurm": {"time": "01:00:00", "modules": ["gcc"]}});
    gateway
        .submit("alice", "local_hpc", of_template("ruled", good))
        .await
        .ok();
}

#[tokio::test]
async fn the_kind_without_a_template_is_checked_as_well() {
    let gateway = Gateway::start().await;
    let make = async |settings: Value| {
        let body = json!({"maintainer": "hello"});
        let made = gateway.call("alice", "POST", "/job", body).await.ok();
        let id = made["id"].as_str().unwrap().to_owned();
        gateway
            .call("alice", "PUT", &format!("/job/{id}"), settings)
            .await
            .ok();
        submit(&gateway, &id).await
    };
    make(json!({"slurm": {"num_of_task": 5}}))
        .await
        .rejected(402, "num_of_task");
    make(json!({"name": "n"})).await.ok();
}

#[tokio::test]
async fn data_must_be_somewhere_that_the_user_may_read() {
    let gateway = Gateway::start().await;
    gateway.template("python", json!({})).await;
    let data = |folder: Value| of_template("python", json!({"localDataFolder": folder}));
    for (folder, error) in [
        (
            json!({"type": "ftp"}),
            "data folders of type ftp are unknown",
        ),
        (json!({"path": "/"}), "localDataFolder lacks its type"),
        (
            json!({"type": "globus", "path": "/"}),
            "localDataFolder lacks its endpoint",
        ),
        (json!({"type": "local"}), "localDataFolder lacks its path"),
        (
            json!({"type": "local", "path": "/data/../etc"}),
            "must be an absolute path without ..",
        ),
        (
            json!({"type": "local", "path": "/etc"}),
            "local data folder /etc is outside the configured local_data_roots",
        ),
        (
            json!({"type": "globus", "endpoint": "hub-collection", "path": "/~/data/alice/x"}),
            "Globus is not set up on this server",
        ),
    ] {
        let reply = gateway.submit("alice", "local_hpc", data(folder)).await;
        reply.rejected(402, error);
    }
    let local = data(json!({"type": "local", "path": "/data/set"}));
    gateway.submit("alice", "local_hpc", local).await.ok();
    gateway
        .submit("alice", "local_hpc", data(json!({"type": "empty"})))
        .await
        .ok();
}

#[tokio::test]
async fn globus_must_reach_the_hpc() {
    let gateway = Gateway::with(json!({"globus_client_id": "client"})).await;
    gateway.template("python", json!({})).await;
    let source = json!({"type": "globus", "endpoint": "hub-collection", "path": "/~/data/alice/x"});
    let settings = of_template("python", json!({"localDataFolder": source}));
    let reply = gateway.submit("alice", "local_hpc", settings.clone()).await;
    reply.rejected(402, "Globus is not set up for local_hpc");
    let reply = gateway
        .submit("alice", "globus_hpc", settings.clone())
        .await;
    reply.rejected(402, "there is no Globus token of tester");
    let folder = gateway.folder("alice", "globus_hpc").await;
    let mut both = settings;
    both["remoteDataFolder"] = json!(folder);
    let reply = gateway.submit("alice", "globus_hpc", both).await;
    reply.rejected(402, "data from Globus goes into a folder of its own");
}

#[tokio::test]
async fn a_folder_must_be_there_and_not_in_use() {
    let gateway = Gateway::start().await;
    gateway.template("python", json!({})).await;
    let folder = gateway.folder("alice", "local_hpc").await;
    let settings = of_template("python", json!({"remoteDataFolder": folder}));
    let late = gateway.job("alice", "local_hpc", settings.clone()).await;
    let path = format!("/folder/{folder}");
    gateway
        .call("alice", "PUT", &path, json!({"isWritable": true}))
        .await
        .ok();
    let first = gateway
        .submit("alice", "local_hpc", settings.clone())
        .await
        .ok();
    let reply = gateway.submit("alice", "local_hpc", settings).await;
    let first = first["id"].as_str().unwrap();
    reply.rejected(402, &format!("job {first} is not over"));
    gateway
        .execute(&format!(
            "UPDATE folders SET deleted_at = 1 WHERE id = '{folder}'"
        ))
        .await;
    submit(&gateway, &late)
        .await
        .rejected(402, &format!("unknown folder with id {folder}"));
}

#[tokio::test]
async fn what_has_left_the_configuration_is_named() {
    let gateway = Gateway::start().await;
    for (maintainer, hpc, error) in [
        ("hello", "gone_hpc", "unrecognized hpc"),
        ("gone", "local_hpc", "unrecognized maintainer"),
        ("hello", "closed_hpc", "Not authorized for HPC"),
    ] {
        let id = gateway.stored_job("alice", maintainer, hpc).await;
        let reply = submit(&gateway, id.as_str()).await;
        assert_eq!((reply.status, reply.error()), (401, error));
    }
}

#[tokio::test]
async fn a_contained_template_with_several_tasks_is_submitted_with_a_notice() {
    let gateway = Gateway::start().await;
    gateway.template("python", json!({})).await;
    let settings = of_template("python", json!({"slurm": {"num_of_task": 2}}));
    let submitted = gateway.submit("alice", "globus_hpc", settings).await.ok();
    let notice = submitted["messages"][0].as_str().unwrap();
    assert!(notice.contains("template approve python --mpi"), "{notice}");
}
