//! An HPC for the tests of this crate. Other crates use `compute_testing`.

use std::{collections::BTreeMap, time::Duration};

use serde_json::Map;

use crate::site::{ContainerRuntime, Globus, Hpc};

/// Returns an HPC with a community account, without limits and rules.
pub(crate) fn hpc() -> Hpc {
    Hpc {
        name: "local_hpc".to_owned(),
        ip: "127.0.0.1".to_owned(),
        port: 22,
        is_community_account: true,
        community_login: None,
        root_path: "/scratch".to_owned(),
        job_pool_capacity: 1,
        jobs_per_user: 1,
        init_sbatch_script: Vec::new(),
        init_sbatch_options: Vec::new(),
        description: String::new(),
        globus: Globus::default(),
        mount: BTreeMap::new(),
        slurm_global_cap: Map::new(),
        slurm_input_rules: BTreeMap::new(),
        modules: None,
        mail_domains: None,
        allowlist: Vec::new(),
        denylist: Vec::new(),
        known_hosts: "/config/known_hosts".into(),
        container_runtime: ContainerRuntime::Apptainer,
        containment: true,
        poll_interval: Duration::from_secs(1),
        max_connections: 2,
        max_sessions_per_connection: 8,
        connector_address: None,
        public: Map::new(),
    }
}
