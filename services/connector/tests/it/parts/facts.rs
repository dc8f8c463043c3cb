//! What the cluster of the test parts says about itself.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use compute_domain::site::{CommunityLogin, ContainerRuntime, Globus, Hpc};
use serde_json::{Map, Value};

use super::HPC;

/// The facts of the cluster.
pub(crate) struct Facts(Value);

impl Facts {
    pub(crate) fn read() -> Self {
        let parts = std::env::var("CYBERGIS_PARTS").expect(
            "these tests need a running cluster, in the folder that CYBERGIS_PARTS names: \
             run them by `make test`",
        );
        let path = Path::new(&parts).join("hpc/facts.json");
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self(serde_json::from_str(&text).unwrap())
    }

    pub(crate) fn value(&self) -> &Value {
        &self.0
    }

    pub(crate) fn text(&self, key: &str) -> &str {
        self.0[key]
            .as_str()
            .unwrap_or_else(|| panic!("facts.json has no {key}"))
    }

    pub(crate) fn path(&self, key: &str) -> PathBuf {
        self.text(key).into()
    }

    pub(crate) fn port(&self) -> u16 {
        self.0["port"].as_u64().unwrap().try_into().unwrap()
    }

    /// The HPC as an operator configures it, asked often.
    pub(crate) fn hpc(&self) -> Hpc {
        Hpc {
            name: HPC.to_owned(),
            ip: self.text("ip").to_owned(),
            port: self.port(),
            is_community_account: true,
            community_login: Some(CommunityLogin {
                user: self.text("user").to_owned(),
                private_key_path: self.path("private_key_path"),
                passphrase: None,
            }),
            root_path: self.text("root_path").to_owned(),
            job_pool_capacity: 10,
            jobs_per_user: 10,
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
            known_hosts: self.path("known_hosts"),
            container_runtime: ContainerRuntime::None,
            containment: false,
            poll_interval: Duration::from_millis(300),
            max_connections: 2,
            max_sessions_per_connection: 8,
            connector_address: None,
            public: Map::new(),
        }
    }
}
