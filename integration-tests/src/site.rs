//! The operator's configuration folder of a world.

use std::{fs, path::Path};

use serde_json::{Map, Value, json};

use crate::{database, parts::Parts, world::WorldOptions};

/// Writes the whole folder.
///
/// # Errors
/// If a part is not running, or the folder cannot be written.
pub fn write(
    folder: &Path,
    world: &Path,
    parts: &Parts,
    options: &WorldOptions,
) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    let put = |name: &str, value: &Value| -> anyhow::Result<()> {
        let value = options.files.get(name).unwrap_or(value);
        fs::write(folder.join(name), serde_json::to_vec_pretty(value)?)?;
        Ok(())
    };
    let redis = match &options.redis {
        Some(own) => crate::parts::fact_in(own, "port")?,
        None => parts.fact("redis", "port")?,
    };
    let password = match &options.redis {
        Some(own) => crate::parts::fact_in(own, "password")?,
        None => parts.fact("redis", "password")?,
    };
    let prefix = world
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    put(
        "config.json",
        &with(
            &options.config,
            json!({
                "server_ip": "127.0.0.1", "server_port": 0,
                "redis": {"host": "127.0.0.1", "port": redis, "password": password, "prefix": prefix},
                "database": {"url": options.database.clone().map_or_else(|| database::url(world, parts), Ok)?},
                "local_file_system": {"cache_path": world.join("cache"), "limit_in_mb": 100},
                "template_local_roots": [world.join("templates")],
                "template_refresh_seconds": 2,
                "lease_seconds": options.lease_seconds, "sweep_seconds": 1,
                "deployment": deployment(world),
            }),
        ),
    )?;
    put(
        "hpc.json",
        &json!({
            "local_hpc": hpc(parts, options, "apptainer")?,
            "charlie_hpc": hpc(parts, options, "charliecloud")?,
            "private_hpc": private_hpc(parts, options)?,
            "away_hpc": away_hpc(parts, options)?,
        }),
    )?;
    put(
        "container.json",
        &json!({
            "python": container(parts, "image_sif", "image_dir")?,
            "python-mpich": container(parts, "mpi_image_sif", "mpi_image_dir")?,
        }),
    )?;
    put(
        "maintainer.json",
        &json!({
            "community_contribution": {"hpc": ["local_hpc", "charlie_hpc", "private_hpc"], "default_hpc": "local_hpc",
                "job_pool_capacity": 5, "maintainer": "CommunityContributionMaintainer"},
            "hello": {"hpc": ["local_hpc", "charlie_hpc", "private_hpc"], "default_hpc": "local_hpc",
                "maintainer": "HelloWorldSingularityMaintainer"},
        }),
    )?;
    let mut hubs = Map::new();
    hubs.insert(
        parts.text("hub", "host")?,
        json!({"comment": "the hub", "scheme": "http",
        "endpoint": "00000000-0000-0000-0000-000000000000", "root_path": "/~/data",
        "container_home_path": "/home/jovyan/work/"}),
    );
    put("jupyter-globus-map.json", &Value::Object(hubs))
}

fn hpc(parts: &Parts, options: &WorldOptions, runtime: &str) -> anyhow::Result<Value> {
    let usual = json!({
        "ip": "127.0.0.1", "port": parts.fact("hpc", "port")?, "is_community_account": true,
        "community_login": {"user": parts.fact("hpc", "user")?, "use_local_key": false,
            "external_key": {"private_key_path": parts.fact("hpc", "private_key_path")?, "passphrase": null}},
        "root_path": parts.fact("hpc", "root_path")?, "known_hosts": parts.fact("hpc", "known_hosts")?,
        "job_pool_capacity": options.capacity, "jobs_per_user": options.capacity, "container_runtime": runtime,
        "poll_interval_seconds": 1,
        "init_sbatch_script": [], "init_sbatch_options": options.sbatch_options, "description": "the local cluster",
        "globus": {"root_path": "/"},
        "slurm_global_cap": {"num_of_task": 4, "time": "02:00:00", "memory": "8G"},
    });
    Ok(with(&options.hpc, usual))
}

/// An image for both runtimes, by the names of the facts with its paths.
fn container(parts: &Parts, sif: &str, dir: &str) -> anyhow::Result<Value> {
    let (sif, dir) = (parts.fact("hpc", sif)?, parts.fact("hpc", dir)?);
    let hpc_path = json!({"local_hpc": sif, "charlie_hpc": dir, "private_hpc": sif});
    Ok(json!({"dockerfile": "", "dockerhub": "", "mount": {}, "hpc_path": hpc_path}))
}

/// The same cluster with private accounts.
fn private_hpc(parts: &Parts, options: &WorldOptions) -> anyhow::Result<Value> {
    let mut private = hpc(parts, options, "apptainer")?;
    if let Some(private) = private.as_object_mut() {
        private.insert("is_community_account".to_owned(), json!(false));
        private.remove("community_login");
        let root = parts.fact("hpc", "private_root_path")?;
        private.insert("root_path".to_owned(), root);
    }
    Ok(private)
}

/// An HPC with private accounts whose login node is switched off.
fn away_hpc(parts: &Parts, options: &WorldOptions) -> anyhow::Result<Value> {
    let mut away = private_hpc(parts, options)?;
    if let Some(away) = away.as_object_mut() {
        away.insert("port".to_owned(), json!(1));
    }
    Ok(away)
}

/// The deployment name of the world in that folder.
pub(crate) fn deployment(world: &Path) -> String {
    let name = world.file_name().unwrap_or_default().to_string_lossy();
    let plain = |c: &char| c.is_ascii_alphanumeric();
    name.chars().filter(plain).collect()
}

/// `usual`, with its keys replaced by those of `different`.
fn with(different: &Value, mut usual: Value) -> Value {
    if let (Some(usual), Some(different)) = (usual.as_object_mut(), different.as_object()) {
        for (key, value) in different {
            usual.insert(key.clone(), value.clone());
        }
    }
    usual
}
