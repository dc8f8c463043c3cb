//! The operator's folder of JSON files, read and checked as a whole: every
//! mistake is found at once, with file, key and reason.

mod collections;
mod container;
mod environment;
mod hpc;
mod hub;
mod maintainer;
mod mistake;
mod proxies;
mod reader;
mod references;
mod server;
mod storage;
mod tls;
pub mod version;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use compute_domain::site::{Collections, Container, Hpc, Hub, Kernel, MaintainerConfig};
use secrecy::SecretString;
use serde_json::{Map, Value};

pub use environment::{Environment, ProcessEnvironment};
pub use mistake::{Mistake, Mistakes};
pub use proxies::TrustedProxies;
pub use server::{Limits, Server};
pub use storage::Database;
pub use tls::TlsFiles;

use mistake::Report;
use reader::Reader;

/// Everything that the operator configures.
#[derive(Debug, Clone)]
pub struct Site {
    /// `hpc.json`.
    pub hpcs: BTreeMap<String, Hpc>,
    /// `maintainer.json`.
    pub maintainers: BTreeMap<String, MaintainerConfig>,
    /// `container.json`.
    pub containers: BTreeMap<String, Container>,
    /// `kernel.json`.
    pub kernels: BTreeMap<String, Kernel>,
    /// `jupyter-globus-map.json`.
    pub hubs: BTreeMap<String, Hub>,
    /// `announcement.json`.
    pub announcements: Vec<Value>,
    /// `config.json`.
    pub server: Server,
}

impl Site {
    /// Which places at Globus users may name.
    pub fn collections(&self) -> Collections<'_> {
        Collections {
            hpcs: &self.hpcs,
            hubs: &self.hubs,
            open: &self.server.globus_collections,
        }
    }

    /// The address of the connector that owns `hpc`.
    pub fn connector_address<'a>(&'a self, hpc: &'a Hpc) -> &'a str {
        let own = hpc.connector_address.as_deref();
        own.unwrap_or(&self.server.connector_address)
    }
}

/// A configuration without mistakes.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// What it says.
    pub site: Site,
    /// What looks odd in it, e.g. unknown keys.
    pub warnings: Vec<Mistake>,
}

/// The stores that a program opens. Files with the passwords of others are not read,
/// so that no program has to be given what it does not use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stores {
    /// The database and Redis.
    All,
    /// The database alone.
    Database,
    /// Neither.
    None,
}

impl Stores {
    fn have_database(self) -> bool {
        self != Self::None
    }

    fn have_redis(self) -> bool {
        self == Self::All
    }
}

/// Reads the folder for a program that opens these stores. Of a store that it does not
/// open neither address nor password may be used: `Server` has an empty one then.
///
/// # Errors
/// All mistakes.
pub fn load(
    folder: &Path,
    environment: &dyn Environment,
    stores: Stores,
) -> Result<Loaded, Mistakes> {
    let mut report = Report::default();
    let mut server = file(folder, "config.json", true, &mut report);
    environment::overlay(&mut server, environment);
    let entries =
        |name: &'static str, needed, report: &mut Report| file(folder, name, needed, report);
    let hpcs = entries("hpc.json", true, &mut report);
    let maintainers = entries("maintainer.json", true, &mut report);
    let containers = entries("container.json", false, &mut report);
    let kernels = entries("kernel.json", false, &mut report);
    let hubs = entries("jupyter-globus-map.json", true, &mut report);
    let announcements = announcements(folder, &mut report);
    let place = Place {
        folder,
        local_key: local_key(&server),
        stores,
    };
    let site = (|| {
        let server = server::read(
            &mut Reader::root("config.json", &server, &mut report),
            &place,
        );
        let hpcs = each("hpc.json", &hpcs, &mut report, |name, reader| {
            hpc::read(name, reader, &place)
        });
        let maintainers = each(
            "maintainer.json",
            &maintainers,
            &mut report,
            maintainer::read,
        );
        let containers = each("container.json", &containers, &mut report, container::read);
        let kernels = each("kernel.json", &kernels, &mut report, container::read_kernel);
        let hubs = each("jupyter-globus-map.json", &hubs, &mut report, hub::read);
        Some(Site {
            hpcs,
            maintainers,
            containers,
            kernels,
            hubs,
            announcements,
            server: server?,
        })
    })();
    if let Some(site) = &site {
        references::check(site, &hpcs, &mut report);
    }
    match site {
        Some(site) if report.mistakes.is_empty() => Ok(Loaded {
            site,
            warnings: report.warnings,
        }),
        _ => Err(Mistakes(report.mistakes)),
    }
}

/// Reads the folder for a service: mistakes stop it, warnings are logged.
///
/// # Errors
/// All mistakes, one a line.
pub fn load_and_warn(folder: &Path, stores: Stores) -> anyhow::Result<Site> {
    let loaded = load(folder, &ProcessEnvironment, stores)
        .with_context(|| format!("the configuration in {} has mistakes", folder.display()))?;
    for warning in loaded.warnings {
        tracing::warn!(%warning, "configuration");
    }
    Ok(loaded.site)
}

/// Where relative paths and secrets are looked for.
pub(crate) struct Place<'a> {
    folder: &'a Path,
    /// `local_key.private_key_path` of `config.json`, for accounts that use it.
    local_key: Option<(String, Option<SecretString>)>,
    stores: Stores,
}

fn local_key(server: &Map<String, Value>) -> Option<(String, Option<SecretString>)> {
    let key = server.get("local_key")?;
    let text = |name: &str| key.get(name).and_then(Value::as_str).map(str::to_owned);
    let passphrase = text("passphrase").map(SecretString::from);
    Some((text("private_key_path")?, passphrase))
}

impl Place<'_> {
    fn local_key(&self) -> Option<(String, Option<SecretString>)> {
        self.local_key.clone()
    }

    /// A path of the configuration: relative ones are relative to its folder.
    fn path(&self, text: &str) -> PathBuf {
        self.folder.join(text)
    }
}

fn json(folder: &Path, name: &'static str, needed: bool, report: &mut Report) -> Option<Value> {
    let text = match fs::read_to_string(folder.join(name)) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !needed => return None,
        Err(error) => {
            report.mistake(name, "", &format!("cannot be read: {error}"));
            return None;
        }
    };
    serde_json::from_str(&text)
        .map_err(|error| report.mistake(name, "", &format!("is not valid JSON: {error}")))
        .ok()
}

fn file(
    folder: &Path,
    name: &'static str,
    needed: bool,
    report: &mut Report,
) -> Map<String, Value> {
    match json(folder, name, needed, report) {
        None => Map::new(),
        Some(Value::Object(object)) => object,
        Some(_) => {
            report.mistake(name, "", "must be an object");
            Map::new()
        }
    }
}

/// A list, or an object with the list in `announcements`.
fn announcements(folder: &Path, report: &mut Report) -> Vec<Value> {
    let name = "announcement.json";
    let value = match json(folder, name, false, report) {
        Some(Value::Object(mut object)) => object.remove("announcements").unwrap_or_default(),
        value => value.unwrap_or_default(),
    };
    match value {
        Value::Array(list) => list,
        Value::Null => Vec::new(),
        _ => {
            report.mistake(name, "", "must be a list");
            Vec::new()
        }
    }
}

fn each<T>(
    file: &'static str,
    entries: &Map<String, Value>,
    report: &mut Report,
    mut read: impl FnMut(&str, &mut Reader<'_>) -> Option<T>,
) -> BTreeMap<String, T> {
    let mut values = BTreeMap::new();
    for (name, entry) in entries {
        let Some(entry) = entry.as_object() else {
            report.mistake(file, name, "must be an object");
            continue;
        };
        let mut reader = Reader::entry(file, name, entry, report);
        if let Some(value) = read(name, &mut reader) {
            values.insert(name.clone(), value);
        }
        reader.warn_of_unknown_keys();
    }
    values
}
