//! What an attacker finds in a compromised container: the compose files give none a
//! capability or a secret that it does not need.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use anyhow::Context as _;
use compute_integration_tests::{attack::report, document::project};
use serde_json::Value;

/// The secrets of each container, with the reason for each. A service that is missing here
/// fails the test.
const SECRETS: [(&str, &[&str]); 14] = [
    ("proxy", &["proxy.crt", "proxy.key"]),
    (
        "gateway",
        &["gateway-database-url", "redis-password", "seal-key"],
    ),
    (
        "maintainer",
        &["maintainer-database-url", "redis-password", "seal-key"],
    ),
    // opens neither database nor Redis
    ("connector", &["credential-key", "ssh-key"]),
    ("migrate", &["migrate-database-url"]),
    // seals Globus tokens; has no Redis
    ("operator", &["operator-database-url", "seal-key"]),
    ("postgres", &["postgres-password"]),
    (
        "roles",
        &[
            "postgres-password",
            "migrate-database-url",
            "gateway-database-url",
            "maintainer-database-url",
            "operator-database-url",
            "backup-database-url",
        ],
    ),
    ("redis", &["redis-password", "redis-auth.conf"]),
    ("backup", &["backup-database-url"]),
    // makes tables, and owns them
    ("restore", &["migrate-database-url"]),
    // of the single-machine deployment
    ("hub", &["hub-password", "hub-service-token", "proxy.crt"]),
    ("prometheus", &[]),
    // both HPCs
    ("hpc", &["hpc-host-key", "hpc-user-key.pub"]),
];

/// An HPC stands for a machine of another organisation, and has the capabilities that Slurm
/// and Apptainer need. The hub of the single-machine deployment writes into its image.
const WITH_CAPABILITIES: [&str; 1] = ["hpc"];
const WRITING: [&str; 2] = ["hpc", "hub"];

/// The services of these compose files, with their anchors resolved.
fn services() -> anyhow::Result<BTreeMap<String, Value>> {
    let cache = std::env::var("CYBERGIS_CACHE")
        .unwrap_or_else(|_| "/var/cache/cybergis-compute".to_owned());
    let read = "import json, sys, yaml\n\
        files = [yaml.safe_load(open(name))['services'] for name in sys.argv[1:]]\n\
        print(json.dumps({name: one for file in files for name, one in file.items()}))";
    let deploy = project().join("deploy");
    let done = Command::new(format!("{cache}/venv/bin/python"))
        .args(["-c", read])
        .arg(deploy.join("docker-compose.yml"))
        .arg(deploy.join("docker-compose.local.yml"))
        .arg(deploy.join("compose/maintainer.yml"))
        .output()
        .context("no Python environment: run `make test`")?;
    anyhow::ensure!(done.status.success(), "{done:?}");
    Ok(serde_json::from_slice(&done.stdout)?)
}

/// The name of the service in the tables above.
fn kind(service: &str) -> &str {
    match service {
        "hpca" | "hpcb" => "hpc",
        other => other,
    }
}

fn texts(value: &Value) -> Vec<&str> {
    let items = value.as_array().into_iter().flatten();
    items.filter_map(Value::as_str).collect()
}

#[test]
fn no_container_has_rights() -> anyhow::Result<()> {
    let mut checked = 0;
    for (name, service) in services()? {
        let kind = kind(&name);
        if WITH_CAPABILITIES.contains(&kind) {
            continue;
        }
        assert_eq!(texts(&service["cap_drop"]), ["ALL"], "{name}");
        for given in [
            "cap_add",
            "privileged",
            "devices",
            "pid",
            "ipc",
            "network_mode",
        ] {
            assert!(service[given].is_null(), "{name} has {given}");
        }
        let options = texts(&service["security_opt"]);
        assert_eq!(options, ["no-new-privileges:true"], "{name}");
        if !WRITING.contains(&kind) {
            assert_eq!(service["read_only"], true, "{name}");
        }
        for volume in texts(&service["volumes"]) {
            assert!(!volume.contains("docker.sock"), "{name}: {volume}");
        }
        checked += 1;
    }
    report(
        "rights of a container",
        &format!("{checked} services"),
        "cap_drop ALL, no-new-privileges, read_only",
    );
    Ok(())
}

#[test]
fn no_container_has_a_secret_that_it_does_not_need() -> anyhow::Result<()> {
    let needed: BTreeMap<_, BTreeSet<_>> = SECRETS
        .iter()
        .map(|(name, secrets)| (*name, secrets.iter().copied().collect()))
        .collect();
    for (name, service) in services()? {
        let given: BTreeSet<_> = service["secrets"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|secret| secret.as_str().or_else(|| secret["source"].as_str()))
            .collect();
        let needed = needed
            .get(kind(&name))
            .with_context(|| format!("which secrets does {name} need?"))?;
        assert_eq!(&given, needed, "{name}");
        // Nor the folder of all secrets.
        for volume in texts(&service["volumes"]) {
            let (from, _) = volume.split_once(":/").unwrap_or_default();
            let is_all =
                from.ends_with("/secrets") || from.ends_with("/tls") || from.ends_with('}');
            assert!(!is_all, "{name}: {volume}");
        }
        report(
            "secrets of a container",
            &name,
            format!("has {given:?} alone"),
        );
    }
    Ok(())
}
