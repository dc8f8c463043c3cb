//! The operator's folder of a gateway under test.

use std::{fs, path::Path};

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value, json};

use crate::{connector::Connector, hub::Hub};

/// Writes all files, with `settings` in `config.json` beside the usual ones.
pub(crate) fn write(
    folder: &Path,
    hub: &Hub,
    connector: &Connector,
    url: &SecretString,
    settings: Value,
) {
    let put = |name: &str, value: Value| {
        fs::write(folder.join(name), value.to_string()).unwrap();
    };
    let mut config = json!({
        "server_ip": "127.0.0.1", "server_port": 0,
        // A port at which nothing listens.
        "redis": {"host": "127.0.0.1", "port": 1},
        "database": {"url": url.expose_secret()},
        "connector_address": connector.address,
        "local_file_system": {"cache_path": folder.join("cache")},
        "template_local_roots": [folder.join("templates")],
        "local_data_roots": ["/data"],
        "seal_key_file": folder.join("seal.key"),
        "credential_key_file": folder.join("credential.key"),
        // Nothing of Globus is there: it answers 404.
        "globus": {"auth_url": format!("http://{}/auth", hub.host),
            "transfer_url": format!("http://{}/transfer", hub.host)},
    });
    let settings: Map<String, Value> = settings.as_object().cloned().unwrap_or_default();
    config.as_object_mut().unwrap().extend(settings);
    put("config.json", config);
    let hpc = |more: Value| {
        let mut hpc = json!({
            "ip": "127.0.0.1", "port": 22, "is_community_account": true,
            "community_login": {"user": "compute", "use_local_key": false,
                "external_key": {"private_key_path": "key", "passphrase": null}},
            "root_path": "/scratch", "job_pool_capacity": 5, "container_runtime": "apptainer",
            "slurm_global_cap": {"num_of_task": 4, "time": "02:00:00", "memory": "8G"},
            "modules": ["gcc"], "description": "for tests",
        });
        let more = more.as_object().cloned().unwrap_or_default();
        hpc.as_object_mut().unwrap().extend(more);
        hpc
    };
    let private = json!({"is_community_account": false, "community_login": null});
    let globus = json!({"globus": {"identity": "tester", "endpoint": "cluster", "root_path": "/"}});
    put(
        "hpc.json",
        json!({
            "local_hpc": hpc(json!({"containment": false})),
            "contained_hpc": hpc(json!({"containment": true})),
            "private_hpc": hpc(private),
            "globus_hpc": hpc(globus),
            "closed_hpc": hpc(json!({"allowlist": ["nobody@nowhere.example.org"]})),
        }),
    );
    let hpcs = [
        "local_hpc",
        "contained_hpc",
        "private_hpc",
        "globus_hpc",
        "closed_hpc",
    ];
    put(
        "maintainer.json",
        json!({
            "community_contribution": {"hpc": hpcs, "default_hpc": "local_hpc",
                "maintainer": "CommunityContributionMaintainer"},
            "hello": {"hpc": hpcs, "default_hpc": "local_hpc",
                "maintainer": "HelloWorldSingularityMaintainer"},
        }),
    );
    let hpc_path = json!({"local_hpc": "/p.sif", "globus_hpc": "/p.sif"});
    put(
        "container.json",
        json!({"python": {"dockerfile": "", "dockerhub": "", "mount": {}, "hpc_path": hpc_path}}),
    );
    put(
        "jupyter-globus-map.json",
        json!({hub.host.clone(): {
        "comment": "the hub", "scheme": "http", "endpoint": "hub-collection",
        "root_path": "/~/data", "container_home_path": "/home/jovyan/work/"}}),
    );
}
