//! One entry of `container.json` or of `kernel.json`.

use std::collections::BTreeMap;

use compute_domain::site::{Container, Kernel};
use serde_json::json;

use super::reader::Reader;

pub(super) fn read(name: &str, r: &mut Reader<'_>) -> Option<Container> {
    r.ignore(&["dockerfile", "dockerhub"]);
    let hpc_path = r.text_map("hpc_path");
    let mut mount = BTreeMap::new();
    for (hpc, folders) in r.map("mount") {
        let folders = folders.as_object().and_then(|folders| {
            let entries = folders.iter();
            entries
                .map(|(from, to)| Some((from.clone(), to.as_str()?.to_owned())))
                .collect()
        });
        match folders {
            Some(folders) => {
                mount.insert(hpc, folders);
            }
            None => r.wrong(&format!("mount.{hpc}"), "must be an object of texts"),
        }
    }
    let mut public = r.object().clone();
    for (key, default) in [
        ("dockerfile", json!("")),
        ("dockerhub", json!("")),
        ("mount", json!({})),
    ] {
        public.entry(key).or_insert(default);
    }
    Some(Container {
        name: name.to_owned(),
        hpc_path,
        mount,
        public,
    })
}

pub(super) fn read_kernel(name: &str, r: &mut Reader<'_>) -> Option<Kernel> {
    r.ignore(&["description"]);
    let lines = r.texts("env");
    if lines.is_empty() {
        r.wrong("env", "must be a list of the lines of kernel_init.sh");
    }
    Some(Kernel {
        name: name.to_owned(),
        init: lines,
    })
}
