//! One login: an SSH master connection, over which commands run as sessions.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::Duration,
};

use compute_domain::site::{CommunityLogin, Hpc};
use openssh::Session;
use secrecy::SecretString;
use tempfile::TempDir;
use tokio::process::Command;

use crate::{askpass::Askpass, error::Error, meters};

/// Where and as whom to log in.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    hpc: String,
    host: String,
    port: u16,
    user: String,
    key: PathBuf,
    passphrase: Option<SecretString>,
    known_hosts: PathBuf,
}

/// A login that is up. It ends when this is dropped, or when nothing has run over
/// it for a while.
#[derive(Debug)]
pub(crate) struct Master {
    session: Arc<Session>,
    hpc: String,
}

/// For connecting and logging in together.
const LOGIN_PATIENCE: Duration = Duration::from_secs(15);

/// Options of each login, ssh_config(5). No file of options is read: what holds
/// is here. A connection that is idle for two minutes ends, so that none is left
/// behind by a connector that was killed.
const OPTIONS: [&str; 12] = [
    "StrictHostKeyChecking=yes",
    "GlobalKnownHostsFile=/dev/null",
    "UpdateHostKeys=no",
    "IdentitiesOnly=yes",
    "PreferredAuthentications=publickey",
    "NumberOfPasswordPrompts=1",
    "ConnectTimeout=10",
    "ConnectionAttempts=1",
    "ServerAliveInterval=15",
    "ServerAliveCountMax=3",
    "ForwardAgent=no",
    "ControlPersist=120s",
];

impl Target {
    /// The community account of `hpc`.
    ///
    /// # Errors
    /// [`Error::NoLogin`] if it has none.
    pub(crate) fn community(hpc: &Hpc) -> Result<Self, Error> {
        let Some(CommunityLogin {
            user,
            private_key_path,
            passphrase,
        }) = &hpc.community_login
        else {
            return Err(Error::NoLogin(hpc.name.clone()));
        };
        Ok(Self {
            hpc: hpc.name.clone(),
            host: hpc.ip.clone(),
            port: hpc.port,
            user: user.clone(),
            key: private_key_path.clone(),
            passphrase: passphrase.clone(),
            known_hosts: hpc.known_hosts.clone(),
        })
    }

    /// `user@host:port`.
    pub(crate) fn node(&self) -> String {
        format!("{}@{}:{}", self.user, self.host, self.port)
    }

    /// Name of the HPC.
    pub(crate) fn hpc(&self) -> &str {
        &self.hpc
    }

    fn command(&self, socket: &Path, log: &Path) -> Command {
        let mut command = Command::new("ssh");
        command
            .args(["-M", "-N", "-f", "-F", "none", "-S"])
            .arg(socket)
            .arg("-E")
            .arg(log);
        for option in OPTIONS {
            command.args(["-o", option]);
        }
        // ssh splits this option at blanks, unless it is quoted.
        let known_hosts = format!("UserKnownHostsFile=\"{}\"", self.known_hosts.display());
        let batch = if self.passphrase.is_some() {
            "BatchMode=no"
        } else {
            "BatchMode=yes"
        };
        command.args(["-o", &known_hosts, "-o", batch]);
        command.arg("-i").arg(&self.key);
        command.args([
            "-p",
            &self.port.to_string(),
            "-l",
            &self.user,
            "--",
            &self.host,
        ]);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
            .env_remove("SSH_AUTH_SOCK")
            .env_remove("DISPLAY")
            .kill_on_drop(true);
        command
    }
}

impl Master {
    /// Logs in. The control socket is in a new folder below `control_directory`,
    /// whose path has to be short (a socket's path is at most 107 bytes).
    ///
    /// # Errors
    /// [`Error::Login`], with what to do about it.
    pub(crate) async fn open(target: &Target, control_directory: &Path) -> Result<Self, Error> {
        let opened = Self::try_open(target, control_directory).await;
        meters::login(target.hpc(), opened.is_ok());
        opened.map_err(|reason| Error::Login {
            node: target.node(),
            reason,
        })
    }

    async fn try_open(target: &Target, control_directory: &Path) -> Result<Self, String> {
        // The socket's name is the one that `Session` expects.
        let folder = TempDir::with_prefix_in("ssh-", control_directory)
            .map_err(|error| format!("cannot make the folder of its socket: {error}"))?;
        let log = folder.path().join("log");
        let mut command = target.command(&folder.path().join("master"), &log);
        let askpass = match &target.passphrase {
            Some(passphrase) => Some(
                Askpass::prepare(folder.path(), passphrase)
                    .await
                    .map_err(|error| format!("cannot hand over the passphrase: {error}"))?,
            ),
            None => None,
        };
        if let Some(askpass) = &askpass {
            askpass.apply(&mut command);
        }
        let status = tokio::time::timeout(LOGIN_PATIENCE, command.status())
            .await
            .map_err(|_| "it did not answer in time".to_owned())?
            .map_err(|error| format!("ssh cannot be started here: {error}"))?;
        if !status.success() {
            return Err(advice(
                target,
                &fs::read_to_string(&log).unwrap_or_default(),
            ));
        }
        meters::connections(target.hpc(), 1.0);
        let session = Arc::new(Session::new_native_mux(folder));
        Ok(Self {
            session,
            hpc: target.hpc().to_owned(),
        })
    }

    /// For starting commands.
    pub(crate) fn session(&self) -> &Arc<Session> {
        &self.session
    }

    /// Whether the connection is up. Asks the local `ssh` only.
    pub(crate) async fn is_alive(&self) -> bool {
        self.session.check().await.is_ok()
    }
}

impl Drop for Master {
    fn drop(&mut self) {
        meters::connections(&self.hpc, -1.0);
    }
}

/// What `ssh` said, and what to do about it.
fn advice(target: &Target, log: &str) -> String {
    let Target {
        hpc,
        key,
        known_hosts,
        ..
    } = target;
    let (key, known_hosts) = (key.display(), known_hosts.display());
    if log.contains("REMOTE HOST IDENTIFICATION HAS CHANGED") || log.contains("REVOKED HOST KEY") {
        return format!(
            "its host key is not the one in {known_hosts}. If the site has announced a new key, \
             pin it with `cybergis-compute hpc trust {hpc}`; if not, ask the site"
        );
    }
    if log.contains("host key is known for") || log.contains("Host key verification failed") {
        return format!(
            "no host key of it is in {known_hosts}: pin one with `cybergis-compute hpc trust {hpc}`"
        );
    }
    if log.contains("Permission denied") || log.contains("Too many authentication failures") {
        return format!(
            "it does not accept the key {key} for this account{}",
            match log
                .lines()
                .find(|line| line.contains("Load key") || line.contains("bad perm"))
            {
                Some(line) => format!(" ({})", line.trim()),
                None => String::new(),
            }
        );
    }
    let last = log.lines().map(str::trim).rfind(|line| !line.is_empty());
    last.unwrap_or("ssh ended without a word").to_owned()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn target() -> Target {
        Target {
            hpc: "keeling".to_owned(),
            host: "keeling.example".to_owned(),
            port: 22,
            user: "cigi-gisolve".to_owned(),
            key: "/keys/id".into(),
            passphrase: None,
            known_hosts: "/config/known hosts".into(),
        }
    }

    #[rstest]
    #[case(
        "@@@\nWARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!\nHost key verification failed.",
        "not the one"
    )]
    #[case(
        "No ED25519 host key is known for [h]:22 and you have requested strict checking.\nHost key verification failed.",
        "hpc trust keeling"
    )]
    #[case(
        "Load key \"/keys/id\": Permission denied\nu@h: Permission denied (publickey).",
        "Load key"
    )]
    #[case(
        "ssh: connect to host h port 22: Connection refused\n",
        "Connection refused"
    )]
    #[case(
        "Welcome\nkex_exchange_identification: Connection closed by remote host\nConnection closed by 10.0.0.1 port 22\n",
        "Connection closed by 10.0.0.1"
    )]
    #[case("", "without a word")]
    fn advice_names_the_cause(#[case] log: &str, #[case] expected: &str) {
        let words = advice(&target(), log);
        assert!(words.contains(expected), "{words}");
    }

    #[test]
    fn a_host_name_is_never_an_option() {
        let mut target = target();
        target.host = "-oProxyCommand=touch x".to_owned();
        let command = target.command(Path::new("/s"), Path::new("/l"));
        let arguments: Vec<_> = command.as_std().get_args().collect();
        let at = arguments
            .iter()
            .position(|argument| *argument == "--")
            .unwrap();
        assert_eq!(arguments[at + 1..], ["-oProxyCommand=touch x"]);
    }
}
