//! Settings of a world.

use std::{collections::BTreeMap, path::PathBuf};

use serde_json::Value;

use crate::Template;

/// Settings of a world that differ from the usual ones.
#[derive(Debug, Clone)]
pub struct WorldOptions {
    /// Maintainer processes.
    pub maintainers: usize,
    /// `job_pool_capacity` of the HPC.
    pub capacity: u32,
    /// Duration of a lease, seconds.
    pub lease_seconds: u32,
    /// Folder of a Redis that belongs to the scenario.
    pub redis: Option<PathBuf>,
    /// Database instead of a SQLite file.
    pub database: Option<String>,
    /// `#SBATCH …` lines that the HPC puts into every script.
    pub sbatch_options: Vec<String>,
    /// Keys of `config.json` that are different.
    pub config: Value,
    /// Keys of each entry of `hpc.json` that are different.
    pub hpc: Value,
    /// Whole configuration files by name, which replace the usual ones.
    pub files: BTreeMap<String, Value>,
    /// Whether services use mutual TLS.
    pub mutual_tls: bool,
    /// Whether the services log in JSON.
    pub json_logs: bool,
    /// Templates to add at start. They are approved to run outside containers, and for MPI if they
    /// say so.
    pub templates: Vec<Template>,
    /// Folder of the binaries; by default those of this build.
    pub binaries: Option<PathBuf>,
}

impl Default for WorldOptions {
    fn default() -> Self {
        Self {
            maintainers: 1,
            capacity: 10,
            lease_seconds: 3,
            redis: None,
            database: None,
            sbatch_options: Vec::new(),
            config: Value::Null,
            hpc: Value::Null,
            files: BTreeMap::new(),
            json_logs: false,
            mutual_tls: false,
            templates: Vec::new(),
            binaries: None,
        }
    }
}
