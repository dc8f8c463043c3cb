//! One entry of `maintainer.json`.

use compute_domain::site::{KindName, MaintainerConfig};
use serde_json::json;

use super::reader::Reader;

/// Shown where an entry gives none: clients want a number.
const SHOWN_CAPACITY: u64 = 5;

pub(super) fn read(name: &str, r: &mut Reader<'_>) -> Option<MaintainerConfig> {
    r.ignore(&["executable_folder", "envs", "connector", "description"]);
    let capacity = r
        .number("job_pool_capacity", 1..=100_000)
        .unwrap_or(SHOWN_CAPACITY);
    let hpc = r.texts("hpc");
    if hpc.is_empty() {
        r.wrong("hpc", "must name at least one HPC");
    }
    let default_hpc = r.needed_text("default_hpc");
    let kinds = KindName::ALL.map(|kind| (kind.as_str(), kind));
    let kind = r.choice("maintainer", &kinds);
    if r.get("maintainer").is_none() {
        r.wrong("maintainer", "is missing");
    }
    let mut public = r.object().clone();
    public.insert("job_pool_capacity".to_owned(), json!(capacity));
    Some(MaintainerConfig {
        name: name.to_owned(),
        hpc,
        default_hpc: default_hpc?,
        kind: kind?,
        public,
    })
}
