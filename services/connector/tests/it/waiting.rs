//! Waiting for conditions, with a deadline.

use std::time::{Duration, Instant};

use crate::parts::processes_that_name;

/// Longest wait for a condition, also on a slow machine.
const DEADLINE: Duration = Duration::from_secs(60);

/// Polls `condition` until it holds. Fails at the deadline, naming `what`.
pub(crate) async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !condition().await {
        assert!(begun.elapsed() < DEADLINE, "not in {DEADLINE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Number of processes on the login node whose command line contains `text`: all but
/// the clients of ssh.
pub(crate) fn remote_processes_that_name(text: &str) -> usize {
    let is_remote = |pid: &&u32| {
        std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim() != "ssh")
    };
    processes_that_name(text).iter().filter(is_remote).count()
}
