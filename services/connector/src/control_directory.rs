//! The folder for the control sockets of SSH: private, with a short path, and removed at
//! the end.

use std::{fs, io, path::Path, process};

use openssh::Session;
use tempfile::TempDir;

const PREFIX: &str = "cybergis-connector-";

/// Creates the folder below `parent`, and ends the logins that a killed connector has
/// left there. Only the account of this process can enter it.
///
/// # Errors
/// If it cannot be created.
pub(crate) async fn make(parent: &Path) -> io::Result<TempDir> {
    end_orphans(parent).await;
    TempDir::with_prefix_in(format!("{PREFIX}{}-", process::id()), parent)
}

async fn end_orphans(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(process) = name.to_str().and_then(process_of) else {
            continue;
        };
        if Path::new("/proc").join(process.to_string()).exists() {
            continue;
        }
        let sockets = fs::read_dir(entry.path()).into_iter().flatten().flatten();
        for login in sockets {
            let socket = login.path().join("master").into_boxed_path();
            // Fails if the login has ended by itself.
            let _ = Session::resume_mux(socket, None).close().await;
        }
        match fs::remove_dir_all(entry.path()) {
            Ok(()) => {
                tracing::info!(path = %entry.path().display(), "removed what a killed connector left")
            }
            Err(error) => tracing::warn!(path = %entry.path().display(), %error, "cannot remove"),
        }
    }
}

/// Id of the process that created a folder of that name.
fn process_of(name: &str) -> Option<u32> {
    name.strip_prefix(PREFIX)?.split('-').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_what_the_dead_have_left_is_removed() {
        let parent = tempfile::tempdir().unwrap();
        let names = [
            format!("{PREFIX}{}-abc", process::id()),
            // Linux gives out no process ids above 4194304.
            format!("{PREFIX}4194305-abc"),
            "something-else-4194305-abc".to_owned(),
        ];
        for name in &names {
            fs::create_dir_all(parent.path().join(name).join("ssh-x")).unwrap();
        }
        let made = make(parent.path()).await.unwrap();
        let left: Vec<bool> = names
            .iter()
            .map(|n| parent.path().join(n).exists())
            .collect();
        assert_eq!(left, [true, false, true]);
        assert!(made.path().exists());
    }
}
