//! One login: an SSH master connection, over which commands run as sessions.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::Duration,
};

use compute_domain::site::{CommunityLogin, Hpc, is_account_name};
use openssh::Session;
use secrecy::{ExposeSecret as _, SecretString};
use tempfile::TempDir;
use tokio::process::Command;

use crate::{
    askpass::{Askpass, Question, Stuck},
    error::Error,
    meters,
};

/// Where and as whom to log in.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    hpc: String,
    host: String,
    port: u16,
    user: String,
    login: Login,
    known_hosts: PathBuf,
}

/// What the login node is shown.
#[derive(Debug, Clone)]
enum Login {
    Key {
        path: PathBuf,
        passphrase: Option<SecretString>,
    },
    Password(SecretString),
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
const OPTIONS: [&str; 11] = [
    "StrictHostKeyChecking=yes",
    "GlobalKnownHostsFile=/dev/null",
    "UpdateHostKeys=no",
    "IdentitiesOnly=yes",
    "NumberOfPasswordPrompts=1",
    "ConnectTimeout=10",
    "ConnectionAttempts=1",
    "ServerAliveInterval=15",
    "ServerAliveCountMax=3",
    "ForwardAgent=no",
    "ControlPersist=120s",
];

/// The same for a private account: one try, and nothing but the password.
const WITH_PASSWORD: [&str; 3] = [
    "PreferredAuthentications=password,keyboard-interactive",
    "PubkeyAuthentication=no",
    "BatchMode=no",
];

/// `ssh` reads one line of 1 KiB at the most.
const LONGEST_PASSWORD: usize = 512;

fn is_password(text: &str) -> bool {
    (1..=LONGEST_PASSWORD).contains(&text.len()) && !text.chars().any(char::is_control)
}

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
            login: Login::Key {
                path: private_key_path.clone(),
                passphrase: passphrase.clone(),
            },
            known_hosts: hpc.known_hosts.clone(),
        })
    }

    /// The account `user` of its owner on `hpc`.
    ///
    /// # Errors
    /// [`Error::Argument`] if that cannot be an account.
    pub(crate) fn private(hpc: &Hpc, user: &str, password: SecretString) -> Result<Self, Error> {
        if !is_account_name(user) {
            return Err(Error::Argument(format!(
                "{user:?} is not the name of an account"
            )));
        }
        if !is_password(password.expose_secret()) {
            let words = "the password is empty, too long, or holds control characters";
            return Err(Error::Argument(words.to_owned()));
        }
        Ok(Self {
            hpc: hpc.name.clone(),
            host: hpc.ip.clone(),
            port: hpc.port,
            user: user.to_owned(),
            login: Login::Password(password),
            known_hosts: hpc.known_hosts.clone(),
        })
    }

    /// Whether it is a private account.
    pub(crate) fn is_private(&self) -> bool {
        matches!(self.login, Login::Password(_))
    }

    /// `user@host:port`.
    pub(crate) fn node(&self) -> String {
        format!("{}@{}:{}", self.user, self.host, self.port)
    }

    /// Name of the HPC.
    pub(crate) fn hpc(&self) -> &str {
        &self.hpc
    }

    async fn askpass(&self, folder: &Path) -> io::Result<Option<Askpass>> {
        let (question, secret) = match &self.login {
            Login::Key {
                passphrase: None, ..
            } => return Ok(None),
            Login::Key {
                passphrase: Some(passphrase),
                ..
            } => (Question::Passphrase, passphrase),
            Login::Password(password) => {
                let (user, host) = (&self.user, &self.host);
                (Question::Password { user, host }, password)
            }
        };
        Askpass::prepare(folder, question, secret).await.map(Some)
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
        command.args(["-o", &known_hosts]);
        match &self.login {
            Login::Key { path, passphrase } => {
                let batch = if passphrase.is_some() {
                    "BatchMode=no"
                } else {
                    "BatchMode=yes"
                };
                command.args(["-o", "PreferredAuthentications=publickey", "-o", batch]);
                command.arg("-i").arg(path);
            }
            Login::Password(_) => {
                for option in WITH_PASSWORD {
                    command.args(["-o", option]);
                }
            }
        }
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
    /// [`Error::Login`], with what to do about it; [`Error::Password`] if a private
    /// account's password is refused.
    pub(crate) async fn open(target: &Target, control_directory: &Path) -> Result<Self, Error> {
        let opened = Self::try_open(target, control_directory).await;
        meters::login(target.hpc(), opened.is_ok());
        opened
    }

    async fn try_open(target: &Target, control_directory: &Path) -> Result<Self, Error> {
        let failed = |reason: String| Error::Login {
            node: target.node(),
            reason,
        };
        // The socket's name is the one that `Session` expects.
        let folder = TempDir::with_prefix_in("ssh-", control_directory)
            .map_err(|error| failed(format!("cannot make the folder of its socket: {error}")))?;
        let log = folder.path().join("log");
        let mut command = target.command(&folder.path().join("master"), &log);
        let askpass = target
            .askpass(folder.path())
            .await
            .map_err(|error| failed(format!("cannot hand over the secret: {error}")))?;
        if let Some(askpass) = &askpass {
            askpass.apply(&mut command);
        }
        let status = tokio::time::timeout(LOGIN_PATIENCE, command.status())
            .await
            .map_err(|_| failed("it did not answer in time".to_owned()))?
            .map_err(|error| failed(format!("ssh cannot be started here: {error}")))?;
        if !status.success() {
            let log = fs::read_to_string(&log).unwrap_or_default();
            let stuck = askpass.as_ref().and_then(Askpass::stuck);
            return Err(match refusal(target, &log, stuck) {
                Some(words) => Error::Password(words),
                None => failed(advice(target, &log)),
            });
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

/// That the HPC does not take the password of a private account, if that is why
/// the login has failed.
fn refusal(target: &Target, log: &str, stuck: Option<Stuck>) -> Option<String> {
    let Target { hpc, user, .. } = target;
    if !target.is_private() {
        return None;
    }
    match stuck {
        Some(Stuck::OtherQuestion(question)) => {
            return Some(format!(
                "HPC {hpc} asks {user} for more than a password ({question:?}), which cannot be \
                 answered here"
            ));
        }
        Some(Stuck::AskedAgain) => {}
        None => {
            let said = |words: &str| log.contains(words);
            if !said("Permission denied") && !said("Too many authentication failures") {
                return None;
            }
        }
    }
    Some(format!("HPC {hpc} refuses the password of {user}"))
}

/// What `ssh` said, and what to do about it.
fn advice(target: &Target, log: &str) -> String {
    let Target {
        hpc,
        login,
        known_hosts,
        ..
    } = target;
    let key = match login {
        Login::Key { path, .. } => path.as_path(),
        Login::Password(_) => Path::new(""),
    };
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
            login: Login::Key {
                path: "/keys/id".into(),
                passphrase: None,
            },
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
    fn a_refused_password_is_told_from_trouble() {
        let hpc = |login| Target { login, ..target() };
        let private = hpc(Login::Password("secret".into()));
        let log = "cigi-gisolve@h: Permission denied (password).";
        let words = refusal(&private, log, None).unwrap();
        assert!(words.contains("refuses the password of cigi-gisolve"));
        assert!(refusal(&private, "", Some(Stuck::AskedAgain)).is_some());
        let code = Stuck::OtherQuestion("Verification code:".to_owned());
        let words = refusal(&private, "", Some(code)).unwrap();
        assert!(words.contains("Verification code"), "{words}");
        let down = "ssh: connect to host h port 22: Connection refused";
        assert_eq!(refusal(&private, down, None), None);
        assert_eq!(refusal(&target(), log, None), None, "a key is no password");
        assert!(!format!("{private:?}").contains("secret"));
    }

    #[test]
    fn accounts_and_passwords_are_checked() {
        let made = |user: &str, password: &str| {
            let password = SecretString::from(password);
            Target::private(&crate::fixtures::hpc(), user, password).is_ok()
        };
        assert!(made("alice", "p w"));
        assert!(!made("-oProxyCommand=x", "p"));
        for password in ["", "a\nb", "a\0b", &"x".repeat(513)] {
            assert!(!made("alice", password));
        }
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
