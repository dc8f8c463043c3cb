//! References from one file to another, none of which may lead nowhere.

use compute_domain::site::canonical;
use serde_json::{Map, Value};

use super::{Site, mistake::Report};

/// `hpcs` are the entries as written: a reference to one with a mistake of its
/// own is not a second mistake.
pub(super) fn check(site: &Site, hpcs: &Map<String, Value>, report: &mut Report) {
    let unknown = |name: &str| !hpcs.contains_key(name);
    for (name, maintainer) in &site.maintainers {
        let file = "maintainer.json";
        for hpc in maintainer.hpc.iter().filter(|hpc| unknown(hpc)) {
            let reason = format!("{hpc} is not in hpc.json");
            report.mistake(file, &format!("{name}.hpc"), &reason);
        }
        let default = &maintainer.default_hpc;
        let key = format!("{name}.default_hpc");
        if unknown(default) {
            report.mistake(file, &key, &format!("{default} is not in hpc.json"));
        } else if !maintainer.hpc.contains(default) {
            report.mistake(
                file,
                &key,
                &format!("{default} is not in the maintainer's hpc list"),
            );
        }
    }
    for (name, container) in &site.containers {
        let places = container.hpc_path.keys().map(|hpc| ("hpc_path", hpc));
        let mounts = container.mount.keys().map(|hpc| ("mount", hpc));
        for (part, hpc) in places.chain(mounts).filter(|(_, hpc)| unknown(hpc)) {
            let reason = format!("{hpc} is not in hpc.json");
            report.mistake("container.json", &format!("{name}.{part}.{hpc}"), &reason);
        }
    }
    check_collections(site, report);
    check_schemes(site, report);
}

/// A collection of an HPC holds the folders of all users.
fn check_collections(site: &Site, report: &mut Report) {
    let is_same = |one: &str, other: &str| canonical(one) == canonical(other);
    for (name, hpc) in &site.hpcs {
        let Some(endpoint) = hpc.globus.endpoint.as_deref().filter(|id| !id.is_empty()) else {
            continue;
        };
        let mut open = site.server.globus_collections.iter();
        if open.any(|open| is_same(&open.id, endpoint)) {
            let reason = format!("{endpoint} is the collection of {name}, which no user may name");
            report.mistake("config.json", "globus_collections", &reason);
        }
        let hubs = site.hubs.iter();
        for (host, _) in hubs.filter(|(_, hub)| is_same(&hub.endpoint, endpoint)) {
            let key = format!("{host}.endpoint");
            let reason =
                format!("is the collection of {name} in hpc.json: its users cannot use it");
            report.warning("jupyter-globus-map.json", &key, &reason);
        }
    }
}

/// Services speak TLS to each other or none does.
fn check_schemes(site: &Site, report: &mut Report) {
    let (scheme, why) = match site.server.tls {
        Some(_) => ("https://", "with tls"),
        None => ("http://", "without tls"),
    };
    let reason = format!("must begin with {scheme} {why} in config.json");
    let is_wrong = |address: &str| !address.starts_with(scheme);
    if is_wrong(&site.server.connector_address) {
        report.mistake("config.json", "connector_address", &reason);
    }
    for (name, hpc) in &site.hpcs {
        if hpc.connector_address.as_deref().is_some_and(is_wrong) {
            let key = format!("{name}.connector_address");
            report.mistake("hpc.json", &key, &reason);
        }
    }
}
