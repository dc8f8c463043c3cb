//! Processes on this machine, which is also the login node.

use tokio::process::Command;

/// Processes with `text` in their command line, whose arguments end with NUL.
pub(crate) fn processes_that_name(text: &str) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            let line = std::fs::read(entry.path().join("cmdline")).ok()?;
            String::from_utf8_lossy(&line).contains(text).then_some(pid)
        })
        .collect()
}

pub(crate) async fn kill(signal: &str, processes: &[u32]) {
    for process in processes {
        let killed = Command::new("kill")
            .args([signal, &process.to_string()])
            .status();
        assert!(killed.await.unwrap().success());
    }
}
