//! Which version this is.

use std::sync::LazyLock;

/// Commit that this was built from; images name it at their build.
pub const COMMIT: &str = match option_env!("CYBERGIS_COMMIT") {
    Some(commit) if !commit.is_empty() => commit,
    _ => "unknown",
};

/// Number of the version.
pub const NUMBER: &str = env!("CARGO_PKG_VERSION");

/// Version and commit, as `--version` shows them.
pub fn text() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| format!("{NUMBER} (commit {COMMIT})"));
    &TEXT
}
