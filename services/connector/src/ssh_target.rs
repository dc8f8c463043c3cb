//! Login node and account, and the command that logs in.

use std::{
    io,
    path::{Path, PathBuf},
    process::Stdio,
};

use compute_domain::site::{CommunityLogin, Hpc, is_account_name};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::process::Command;

use crate::{
    askpass::{Askpass, Prompt},
    error::Error,
};

/// A login node, and the account to log in with.
#[derive(Debug, Clone)]
pub(crate) struct SshTarget {
    pub(crate) hpc: String,
    host: String,
    port: u16,
    pub(crate) user: String,
    pub(crate) login: Login,
    pub(crate) known_hosts: PathBuf,
}

/// How the account authenticates.
#[derive(Debug, Clone)]
pub(crate) enum Login {
    /// With a key of the deployment.
    Key {
        path: PathBuf,
        passphrase: Option<SecretString>,
    },
    /// With the password of a private account.
    Password(SecretString),
}

/// Options of each login, ssh_config(5). No configuration file is read. A connection that
/// is idle for two minutes ends; so a killed connector leaves none behind.
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

/// Additional options for a private account: one attempt, with the password only.
const WITH_PASSWORD: [&str; 3] = [
    "PreferredAuthentications=password,keyboard-interactive",
    "PubkeyAuthentication=no",
    "BatchMode=no",
];

/// Maximum length in bytes. `ssh` reads a line of at most 1 KiB.
const MAX_PASSWORD_BYTES: usize = 512;

fn is_password(text: &str) -> bool {
    (1..=MAX_PASSWORD_BYTES).contains(&text.len()) && !text.chars().any(char::is_control)
}

impl SshTarget {
    /// The community account of `hpc`.
    ///
    /// # Errors
    /// [`Error::NoLogin`] if it has no community account.
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

    /// The private account `user` on `hpc`.
    ///
    /// # Errors
    /// [`Error::Argument`] if name or password are invalid.
    pub(crate) fn private(hpc: &Hpc, user: &str, password: SecretString) -> Result<Self, Error> {
        if !is_account_name(user) {
            return Err(Error::Argument(format!(
                "{user:?} is not the name of an account"
            )));
        }
        if !is_password(password.expose_secret()) {
            let message = "the password is empty, too long, or contains control characters";
            return Err(Error::Argument(message.to_owned()));
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

    /// The program that answers the prompt of `ssh`, if one is expected.
    ///
    /// # Errors
    /// If it cannot be written to `folder`.
    pub(crate) async fn askpass(&self, folder: &Path) -> io::Result<Option<Askpass>> {
        let (prompt, secret) = match &self.login {
            Login::Key {
                passphrase: None, ..
            } => return Ok(None),
            Login::Key {
                passphrase: Some(passphrase),
                ..
            } => (Prompt::Passphrase, passphrase),
            Login::Password(password) => {
                let (user, host) = (&self.user, &self.host);
                (Prompt::Password { user, host }, password)
            }
        };
        Askpass::prepare(folder, prompt, secret).await.map(Some)
    }

    /// The command that logs in, and creates the control socket and a log.
    pub(crate) fn command(&self, socket: &Path, log: &Path) -> Command {
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

/// The community account of keeling.example.
#[cfg(test)]
pub(crate) fn example() -> SshTarget {
    SshTarget {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_and_passwords_are_checked() {
        let made = |user: &str, password: &str| {
            let password = SecretString::from(password);
            SshTarget::private(&compute_testing::private_hpc(), user, password).is_ok()
        };
        assert!(made("alice", "p w"));
        assert!(!made("-oProxyCommand=x", "p"));
        for password in ["", "a\nb", "a\0b", &"x".repeat(513)] {
            assert!(!made("alice", password));
        }
    }

    #[test]
    fn a_host_name_is_never_an_option() {
        let mut target = example();
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
