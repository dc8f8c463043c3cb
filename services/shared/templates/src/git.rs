//! Running git.

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::process::Command;

use crate::Address;

/// How long one git command may take.
pub(crate) const LIMIT: Duration = Duration::from_secs(300);

/// All settings that git gets. They stand in a file rather than in arguments
/// because the other side of a local fetch, a program of its own, obeys only
/// the file.
const SETTINGS: &str = "\
[core]
	hooksPath = /dev/null
	fsmonitor = false
[protocol]
	allow = never
[safe]
	# A mirror may belong to another account of the same deployment.
	directory = *
[submodule]
	recurse = false
[fetch]
	recurseSubmodules = false
[credential]
	helper =
[http]
	lowSpeedLimit = 1000
	lowSpeedTime = 30
[gc]
	auto = 0
[maintenance]
	auto = false
[tar]
	umask = 0022
";

/// What git and ssh may know of this process.
const PASSED_ON: [&str; 12] = [
    "PATH",
    "HOME",
    "TMPDIR",
    "SSH_AUTH_SOCK",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "GIT_SSL_CAINFO",
    "http_proxy",
    "https_proxy",
    "HTTPS_PROXY",
    "no_proxy",
    "NO_PROXY",
];

/// Git with our settings only.
#[derive(Debug, Clone)]
pub(crate) struct Git {
    program: OsString,
    settings: PathBuf,
}

impl Git {
    /// The `program`, with settings that are kept in `folder`.
    pub(crate) fn new(program: impl Into<OsString>, folder: &Path) -> Self {
        Self {
            program: program.into(),
            settings: folder.join("git.config"),
        }
    }

    /// The same with another program.
    pub(crate) fn with_program(&self, program: impl Into<OsString>) -> Self {
        Self {
            program: program.into(),
            ..self.clone()
        }
    }

    /// Writes the settings, unless they are there.
    pub(crate) fn write_settings(&self) -> io::Result<()> {
        if fs::read_to_string(&self.settings).is_ok_and(|written| written == SETTINGS) {
            return Ok(());
        }
        let part = self
            .settings
            .with_extension(format!("{}.part", std::process::id()));
        fs::write(&part, SETTINGS)?;
        fs::rename(part, &self.settings)
    }

    /// A command in the bare repository `mirror` without any network.
    pub(crate) fn command(&self, mirror: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command
            .arg("--git-dir")
            .arg(mirror)
            .env_clear()
            .envs(
                PASSED_ON
                    .iter()
                    .filter_map(|name| Some((name, std::env::var_os(name)?))),
            )
            .env("LC_ALL", "C.UTF-8")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", &self.settings)
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_ASKPASS", "true")
            .env("GIT_SSH_VARIANT", "ssh")
            .env(
                "GIT_SSH_COMMAND",
                "ssh -o BatchMode=yes -o StrictHostKeyChecking=yes",
            )
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// A command that may talk to `address`, by its protocol alone.
    pub(crate) fn command_for(&self, mirror: &Path, address: &Address) -> Command {
        let mut command = self.command(mirror);
        command
            .arg("-c")
            .arg(format!("protocol.{}.allow=always", address.protocol()));
        command
    }
}

/// What git says of a failure: its first two lines, since the first often comes
/// from the other side or from ssh, and the second from git.
pub(crate) fn words(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let skipped = ["hint:", "warning:", "Please make sure"];
    let said = |line: &&str| !line.is_empty() && !skipped.iter().any(|word| line.starts_with(word));
    let lines: Vec<_> = text.lines().map(str::trim).filter(said).take(2).collect();
    let line = lines.join("; ").replace("fatal: ", "");
    if line.is_empty() {
        "git failed".to_owned()
    } else {
        line.chars().take(300).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_git_and_of_ssh() {
        let ssh = b"git@host: Permission denied (publickey).\r\nfatal: Could not read from remote \
            repository.\n\nPlease make sure you have the correct access rights\nand more\n";
        assert_eq!(
            words(ssh),
            "git@host: Permission denied (publickey).; Could not read from remote repository."
        );
        assert_eq!(words(b"hint: x\n\n"), "git failed");
    }
}
