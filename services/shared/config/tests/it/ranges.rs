//! Numbers: what is out of range is refused, never changed to what is in range.

use serde_json::{Value, json};

use crate::Folder;

/// File, path of the key, smallest and largest value.
const RANGES: [(&str, &str, u64, u64); 22] = [
    ("config.json", "server_port", 0, 65_535),
    ("config.json", "redis.port", 1, 65_535),
    ("config.json", "local_file_system.limit_in_mb", 1, 1_000_000),
    ("config.json", "template_size_limit_mb", 1, 100_000),
    ("config.json", "template_refresh_seconds", 1, 86_400),
    ("config.json", "lease_seconds", 1, 86_400),
    ("config.json", "sweep_seconds", 1, 86_400),
    ("config.json", "credential_hours", 1, 8_784),
    ("config.json", "folder_retention_days", 0, 36_500),
    ("config.json", "globus.poll_seconds", 1, 3_600),
    ("config.json", "limits.requests_per_minute", 1, 10_000_000),
    (
        "config.json",
        "limits.refused_tokens_per_minute",
        1,
        10_000_000,
    ),
    ("config.json", "limits.draft_mb", 1, 100_000),
    ("config.json", "limits.open_jobs", 1, 1_000_000),
    ("hpc.json", "local_hpc.port", 1, 65_535),
    ("hpc.json", "local_hpc.job_pool_capacity", 1, 100_000),
    ("hpc.json", "local_hpc.jobs_per_user", 1, 100_000),
    ("hpc.json", "local_hpc.poll_interval_seconds", 1, 3_600),
    ("hpc.json", "local_hpc.max_connections", 1, 16),
    ("hpc.json", "local_hpc.max_sessions_per_connection", 1, 8),
    (
        "maintainer.json",
        "community_contribution.job_pool_capacity",
        1,
        100_000,
    ),
    ("config.json", "mysql.port", 1, 65_535),
];

fn set(value: &mut Value, path: &str, number: &Value) {
    match path.split_once('.') {
        None => value[path] = number.clone(),
        Some((first, rest)) => {
            let inner = &mut value[first];
            if !inner.is_object() {
                *inner = json!({});
            }
            set(inner, rest, number);
        }
    }
}

#[test]
fn a_number_out_of_range_is_refused() {
    for (file, path, smallest, largest) in RANGES {
        let said = |number: Value| {
            let folder = Folder::new();
            folder.edit(file, |value| set(value, path, &number));
            let said = folder.load(&[]).map(|_| String::new());
            said.unwrap_or_else(|mistakes| mistakes.to_string())
        };
        let expected = format!("{file}: {path}: must be a number from {smallest} to {largest}, is");
        let below = smallest.checked_sub(1).map_or(json!(-1), |n| json!(n));
        for wrong in [below, json!(largest + 1), json!(1.5)] {
            let said = said(wrong.clone());
            assert!(said.contains(&expected), "{path} = {wrong}: {said:?}");
        }
        for right in [smallest, largest] {
            let said = said(json!(right));
            assert!(!said.contains(path), "{path} = {right}: {said:?}");
        }
    }
}
