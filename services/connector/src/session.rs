//! One login: an SSH master connection, over which commands run as sessions.

use std::{fs, path::Path, sync::Arc, time::Duration};

use openssh::Session;
use tempfile::TempDir;

use crate::{
    askpass::Askpass,
    error::Error,
    login_failure::{advice, password_rejection},
    meters,
    ssh_target::SshTarget,
};

/// An established login. It ends when this is dropped, or after an idle time
/// (`ControlPersist`).
#[derive(Debug)]
pub(crate) struct Master {
    session: Arc<Session>,
    hpc: String,
}

/// Maximum time for connecting and logging in together.
const LOGIN_TIMEOUT: Duration = Duration::from_secs(15);

impl Master {
    /// Logs in. The control socket is in a new folder below `control_directory`, whose
    /// path must be short (the path of a socket has at most 107 bytes).
    ///
    /// # Errors
    /// [`Error::Login`] with the cause and how to correct it; [`Error::Password`] if the
    /// HPC rejects the password of a private account.
    pub(crate) async fn open(target: &SshTarget, control_directory: &Path) -> Result<Self, Error> {
        let opened = Self::try_open(target, control_directory).await;
        meters::login(target.hpc(), &opened);
        opened
    }

    async fn try_open(target: &SshTarget, control_directory: &Path) -> Result<Self, Error> {
        let failed = |reason: String| Error::Login {
            node: target.node(),
            reason,
        };
        // The socket's name is the one that `Session` expects.
        let folder = TempDir::with_prefix_in("ssh-", control_directory)
            .map_err(|error| failed(format!("cannot create the folder of its socket: {error}")))?;
        let log = folder.path().join("log");
        let mut command = target.command(&folder.path().join("master"), &log);
        let askpass = target
            .askpass(folder.path())
            .await
            .map_err(|error| failed(format!("cannot pass the secret to ssh: {error}")))?;
        if let Some(askpass) = &askpass {
            askpass.apply(&mut command);
        }
        let status = tokio::time::timeout(LOGIN_TIMEOUT, command.status())
            .await
            .map_err(|_| failed("it did not respond in time".to_owned()))?
            .map_err(|error| failed(format!("ssh cannot be started here: {error}")))?;
        if !status.success() {
            let log = fs::read_to_string(&log).unwrap_or_default();
            let prompt = askpass.as_ref().and_then(Askpass::prompt_failure);
            return Err(match password_rejection(target, &log, prompt) {
                Some(message) => Error::Password(message),
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

    /// Whether the connection is up. Queries the local `ssh` only.
    pub(crate) async fn is_alive(&self) -> bool {
        self.session.check().await.is_ok()
    }
}

impl Drop for Master {
    fn drop(&mut self) {
        meters::connections(&self.hpc, -1.0);
    }
}
