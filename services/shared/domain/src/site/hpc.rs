//! An HPC: one entry of `hpc.json`.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use secrecy::SecretString;
use serde_json::{Map, Value};

use crate::{ids::UserId, manifest::SlurmInputRules};

/// How a template's container is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContainerRuntime {
    /// `apptainer exec`, or `singularity exec` where only that is there.
    Apptainer,
    /// `ch-run`.
    Charliecloud,
    /// No container: the stages run as the account itself.
    None,
}

/// How the connector logs in to a community account.
#[derive(Debug, Clone)]
pub struct CommunityLogin {
    /// Unix account.
    pub user: String,
    /// Private key, on the connector's machine.
    pub private_key_path: PathBuf,
    /// Passphrase of the key.
    pub passphrase: Option<SecretString>,
}

/// Where Globus finds the HPC's files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Globus {
    /// Identity that transfers.
    pub identity: Option<String>,
    /// Endpoint or collection id.
    pub endpoint: Option<String>,
    /// What stands for `root_path` on that endpoint.
    pub root_path: String,
}

/// One HPC.
#[derive(Debug, Clone)]
pub struct Hpc {
    /// Its name: the key in `hpc.json`.
    pub name: String,
    /// Host name or address of the login node.
    pub ip: String,
    /// Port of its SSH server.
    pub port: u16,
    /// One shared account (true), or each user's own (false).
    pub is_community_account: bool,
    /// The shared account; present if `is_community_account`.
    pub community_login: Option<CommunityLogin>,
    /// Absolute folder on the HPC below which all folders of ours are.
    pub root_path: String,
    /// Jobs of ours that may be on the HPC at once, over all maintainers.
    pub job_pool_capacity: u32,
    /// How many of those may be of one user, blocked ones included.
    pub jobs_per_user: u32,
    /// Lines put into each batch script before the stages.
    pub init_sbatch_script: Vec<String>,
    /// `#SBATCH …` lines put into each batch script.
    pub init_sbatch_options: Vec<String>,
    /// For people.
    pub description: String,
    /// Where Globus finds its files.
    pub globus: Globus,
    /// HPC folder → folder in the container, bound into every job.
    pub mount: BTreeMap<String, String>,
    /// Ceilings by Slurm option, as written (numbers, `02:00:00`, `8G`).
    pub slurm_global_cap: Map<String, Value>,
    /// Rules for Slurm options that templates do not give themselves.
    pub slurm_input_rules: SlurmInputRules,
    /// Modules that jobs may load; absent: all that the HPC has.
    pub modules: Option<Vec<String>>,
    /// Domains of addresses to which Slurm may write; absent: all.
    pub mail_domains: Option<Vec<String>>,
    /// If not empty, only these users (`NAME@HOST`, or `*@HOST`) may use it.
    pub allowlist: Vec<String>,
    /// These users may not.
    pub denylist: Vec<String>,
    /// File of pinned host keys (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT).
    pub known_hosts: PathBuf,
    /// How containers are run.
    pub container_runtime: ContainerRuntime,
    /// Whether programs see nothing of the account but their own folders and what is
    /// mounted, and nothing of its environment but what Slurm says. Never without a
    /// container runtime.
    pub containment: bool,
    /// How often the scheduler is asked about jobs; all jobs share one look.
    pub poll_interval: Duration,
    /// SSH connections (logins) at once, per account.
    pub max_connections: u32,
    /// Commands at once over one connection; below the server's `MaxSessions`.
    pub max_sessions_per_connection: u32,
    /// Connector that owns this HPC, if not the default one, e.g. `http://connector-b:7100`.
    pub connector_address: Option<String>,
    /// The entry as `GET /hpc` shows it: without login, key, root path, batch
    /// preamble, API keys, credentials, allow and deny lists.
    pub public: Map<String, Value>,
}

impl Hpc {
    /// Whether a container here can be kept from writing to a folder that it has.
    pub fn keeps_read_only(&self) -> bool {
        match self.container_runtime {
            ContainerRuntime::Apptainer => true,
            ContainerRuntime::Charliecloud => self.containment,
            ContainerRuntime::None => false,
        }
    }

    /// Whether `user` may use this HPC: not on the deny list, and on the allow
    /// list if there is one. `*@HOST` stands for everyone of a hub.
    pub fn admits(&self, user: &UserId) -> bool {
        let named = |list: &[String]| {
            list.iter().any(|entry| match entry.strip_prefix("*@") {
                Some(host) => user
                    .as_str()
                    .rsplit_once('@')
                    .is_some_and(|(_, of_user)| of_user == host),
                None => entry == user.as_str(),
            })
        };
        !named(&self.denylist) && (self.allowlist.is_empty() || named(&self.allowlist))
    }
}
