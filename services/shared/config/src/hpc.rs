//! One entry of `hpc.json`.

use std::time::Duration;

use compute_domain::{
    manifest::{SlurmInputRules, SlurmRule},
    site::{CommunityLogin, ContainerRuntime, Globus, Hpc},
    slurm::{Ceilings, is_mail_domain, is_module_name},
};
use serde_json::{Map, Value, json};

use super::{Place, reader::Reader};

/// Most servers allow 10 sessions per connection (sshd_config(5), MaxSessions); this leaves
/// two for commands that are about to end.
const MAX_SESSIONS: u64 = 8;

/// What clients may see of an HPC, in this order; nothing else of an entry is shown.
const PUBLIC: [&str; 9] = [
    "ip",
    "port",
    "is_community_account",
    "job_pool_capacity",
    "description",
    "globus",
    "mount",
    "slurm_input_rules",
    "slurm_global_cap",
];

const RUNTIMES: [(&str, ContainerRuntime); 4] = [
    ("apptainer", ContainerRuntime::Apptainer),
    ("singularity", ContainerRuntime::Apptainer),
    ("charliecloud", ContainerRuntime::Charliecloud),
    ("none", ContainerRuntime::None),
];

pub(super) fn read(name: &str, r: &mut Reader<'_>, place: &Place<'_>) -> Option<Hpc> {
    r.ignore(&["xsede_job_log_credential", "connector"]);
    let _: Option<()> = r.choice("scheduler", &[("slurm", ())]);
    let ip = r.needed_text("ip");
    let port = r.number("port", 1..=65535).unwrap_or(22);
    let is_community_account = r.needed_flag("is_community_account");
    let community_login = match is_community_account {
        Some(true) => r.inside("community_login", |r| login(r, place)),
        _ => {
            r.ignore(&["community_login"]);
            None
        }
    };
    let root_path = root_path(r);
    let capacity = r.needed_number("job_pool_capacity", 1..=100_000);
    let per_user = r.number("jobs_per_user", 1..=100_000);
    let (slurm_input_rules, shown_rules) = slurm_rules(r);
    let globus = r.inside("globus", globus);
    let (container_runtime, containment) = containers(r, is_community_account);
    let known_hosts = r
        .text("known_hosts")
        .unwrap_or_else(|| "known_hosts".to_owned());
    let number = |r: &mut Reader<'_>, key: &str, most: u64, default: u64| {
        u32::try_from(r.number(key, 1..=most).unwrap_or(default)).unwrap_or(1)
    };
    let hpc = Hpc {
        name: name.to_owned(),
        init_sbatch_script: r.texts("init_sbatch_script"),
        init_sbatch_options: r.texts("init_sbatch_options"),
        description: r.text("description").unwrap_or_else(|| "none".to_owned()),
        globus,
        mount: r.text_map("mount"),
        slurm_global_cap: global_cap(r),
        slurm_input_rules,
        modules: listed(
            r,
            "modules",
            is_module_name,
            "must be names of modules, like gcc or gcc/12.2, no paths",
        ),
        mail_domains: listed(
            r,
            "mail_domains",
            is_mail_domain,
            "must be domains, like example.org",
        ),
        allowlist: r.texts("allowlist"),
        denylist: r.texts("denylist"),
        known_hosts: place.path(&known_hosts),
        container_runtime,
        containment,
        poll_interval: Duration::from_secs(
            r.number("poll_interval_seconds", 1..=3600).unwrap_or(10),
        ),
        max_connections: number(r, "max_connections", 16, 2),
        max_sessions_per_connection: number(r, "max_sessions_per_connection", MAX_SESSIONS, 8),
        connector_address: r.text("connector_address"),
        public: public(r.object(), shown_rules),
        ip: ip?,
        port: u16::try_from(port).ok()?,
        is_community_account: is_community_account?,
        community_login,
        root_path: root_path?,
        job_pool_capacity: u32::try_from(capacity?).ok()?,
        jobs_per_user: u32::try_from(per_user.unwrap_or(places_of_one(capacity?))).ok()?,
    };
    Some(hpc)
}

/// How containers are run, and whether programs are contained: by default where
/// one account is everybody's.
fn containers(r: &mut Reader<'_>, is_community_account: Option<bool>) -> (ContainerRuntime, bool) {
    let runtime = r
        .choice("container_runtime", &RUNTIMES)
        .unwrap_or(ContainerRuntime::Apptainer);
    let said = r.flag("containment");
    let possible = runtime != ContainerRuntime::None;
    if said == Some(true) && !possible {
        r.wrong(
            "containment",
            "cannot be true where container_runtime is none",
        );
    }
    let usual = possible && is_community_account == Some(true);
    (runtime, said.unwrap_or(usual))
}

/// Places that one user may have of `all` unless it is said: a quarter, and at least
/// one, is left to others.
fn places_of_one(all: u64) -> u64 {
    let left = (all / 4).max(1);
    all.saturating_sub(left).max(1)
}

fn login(r: &mut Reader<'_>, place: &Place<'_>) -> Option<CommunityLogin> {
    let user = r.needed_text("user");
    let local_key = r.flag("use_local_key").unwrap_or(false);
    let key = r.inside("external_key", |r| {
        if local_key {
            r.ignore(&["private_key_path", "passphrase"]);
            return None;
        }
        Some((r.needed_text("private_key_path")?, r.secret("passphrase")))
    });
    let (path, passphrase) = match key {
        Some(key) => key,
        None if local_key => place.local_key().or_else(|| {
            r.wrong(
                "use_local_key",
                "config.json names no local_key.private_key_path",
            );
            None
        })?,
        None => return None,
    };
    Some(CommunityLogin {
        user: user?,
        private_key_path: place.path(&path),
        passphrase,
    })
}

/// Folders of ours lie below it, and it is bound into containers: no letters that
/// a bind list or a shell would read as its own.
fn root_path(r: &mut Reader<'_>) -> Option<String> {
    let path = r.needed_text("root_path")?;
    let good = |c: char| c.is_ascii_alphanumeric() || "_./-+@".contains(c);
    if !path.starts_with('/') || path.contains("..") || !path.chars().all(good) {
        r.wrong(
            "root_path",
            "must be an absolute path of letters, digits and _./-+@",
        );
    }
    Some(path)
}

/// A list that allows what is in it; absent, it allows everything.
fn listed(
    r: &mut Reader<'_>,
    key: &str,
    is_good: fn(&str) -> bool,
    reason: &str,
) -> Option<Vec<String>> {
    r.get(key)?;
    let list = r.texts(key);
    if !list.iter().all(|word| is_good(word)) {
        r.wrong(key, reason);
    }
    Some(list)
}

fn global_cap(r: &mut Reader<'_>) -> Map<String, Value> {
    let cap = r.map("slurm_global_cap");
    for (option, reason) in Ceilings::unreadable(&cap) {
        r.wrong(&format!("slurm_global_cap.{option}"), reason);
    }
    cap
}

fn slurm_rules(r: &mut Reader<'_>) -> (SlurmInputRules, Value) {
    let mut rules = SlurmInputRules::new();
    let mut shown = Map::new();
    for (option, rule) in r.map("slurm_input_rules") {
        match SlurmRule::parse(&rule) {
            Ok((rule, _)) => {
                rules.insert(option.clone(), rule);
            }
            Err(wrong) => r.wrong(&format!("slurm_input_rules.{option}"), &wrong),
        }
        shown.insert(option, rule);
    }
    (rules, Value::Object(shown))
}

fn globus(r: &mut Reader<'_>) -> Globus {
    Globus {
        identity: r.text("identity"),
        endpoint: r.text("endpoint"),
        root_path: r.text("root_path").unwrap_or_else(|| "/".to_owned()),
    }
}

fn public(entry: &Map<String, Value>, rules: Value) -> Map<String, Value> {
    let hidden = json!({});
    let mut public = Map::new();
    for key in PUBLIC {
        let default = match key {
            "description" => Some(json!("none")),
            "mount" | "slurm_input_rules" => Some(json!({})),
            _ => None,
        };
        let value = match key {
            "slurm_input_rules" => Some(&rules),
            // Identity, endpoint and root path are the operator's. Clients know the key.
            "globus" => entry.get(key).map(|_| &hidden),
            key => entry.get(key),
        };
        if let Some(value) = value.cloned().filter(|value| !value.is_null()).or(default) {
            public.insert(key.to_owned(), value);
        }
    }
    public
}
