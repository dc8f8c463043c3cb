//! HPCs as an operator configures them.

use std::{collections::BTreeMap, time::Duration};

use compute_domain::site::{CommunityLogin, ContainerRuntime, Globus, Hpc};
use serde_json::Map;

use crate::Facts;

/// Returns an HPC with private accounts and without containers, `private_hpc`.
pub fn private_hpc() -> Hpc {
    Hpc {
        name: "private_hpc".to_owned(),
        ip: "127.0.0.1".to_owned(),
        port: 22,
        is_community_account: false,
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
        container_runtime: ContainerRuntime::None,
        containment: false,
        poll_interval: Duration::from_secs(1),
        max_connections: 2,
        max_sessions_per_connection: 8,
        connector_address: None,
        public: Map::new(),
    }
}

/// Returns an HPC with a community account whose jobs run in Apptainer, `local_hpc`.
pub fn community_hpc() -> Hpc {
    Hpc {
        name: "local_hpc".to_owned(),
        is_community_account: true,
        container_runtime: ContainerRuntime::Apptainer,
        containment: true,
        ..private_hpc()
    }
}

/// Returns the running cluster as `local_hpc`, polled every 300 ms; `facts` are those of
/// the part `hpc`.
pub fn cluster_hpc(facts: &Facts) -> Hpc {
    Hpc {
        name: "local_hpc".to_owned(),
        ip: facts.text("ip").to_owned(),
        port: facts.port(),
        is_community_account: true,
        community_login: Some(CommunityLogin {
            user: facts.text("user").to_owned(),
            private_key_path: facts.path("private_key_path"),
            passphrase: None,
        }),
        root_path: facts.text("root_path").to_owned(),
        job_pool_capacity: 10,
        jobs_per_user: 10,
        known_hosts: facts.path("known_hosts"),
        poll_interval: Duration::from_millis(300),
        ..private_hpc()
    }
}
