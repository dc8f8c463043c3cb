//! Hands the passphrase of a key to `ssh`, which asks a program for it.
//!
//! The passphrase never is in arguments, environment or a file: the program reads
//! it from a named pipe in a folder that only this account may enter, and it is
//! in that pipe only while a login is under way.

use std::{
    fs::{self, Permissions},
    io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret as _, SecretString};
use tokio::{io::AsyncWriteExt as _, net::unix::pipe, process::Command};

/// A passphrase that waits to be asked for once.
#[derive(Debug)]
pub(crate) struct Askpass {
    program: PathBuf,
    /// Keeps the pipe, and what is in it, until the login is over.
    _pipe: pipe::Sender,
}

/// Answers the question for a passphrase and no other: above all none about host keys.
const PROGRAM: &str = "#!/bin/sh
case $1 in
  'Enter passphrase for '*) IFS= read -r passphrase <\"$0.pipe\" && printf '%s\\n' \"$passphrase\" ;;
  *) exit 1 ;;
esac
";

impl Askpass {
    /// Prepares program and pipe in `folder`.
    pub(crate) async fn prepare(folder: &Path, passphrase: &SecretString) -> io::Result<Self> {
        let program = folder.join("askpass");
        fs::write(&program, PROGRAM)?;
        fs::set_permissions(&program, Permissions::from_mode(0o700))?;
        let path = folder.join("askpass.pipe");
        let made = Command::new("mkfifo")
            .args(["-m", "600"])
            .arg(&path)
            .status()
            .await?;
        if !made.success() {
            return Err(io::Error::other("mkfifo failed"));
        }
        let mut pipe = pipe::OpenOptions::new()
            .read_write(true)
            .open_sender(&path)?;
        let line = format!("{}\n", passphrase.expose_secret());
        // It does not wait for a reader: a pipe holds far more than a passphrase.
        pipe.write_all(line.as_bytes()).await?;
        Ok(Self {
            program,
            _pipe: pipe,
        })
    }

    /// Makes `ssh` ask the program.
    pub(crate) fn apply(&self, ssh: &mut Command) {
        ssh.env("SSH_ASKPASS", &self.program)
            .env("SSH_ASKPASS_REQUIRE", "force");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_question_for_a_passphrase_is_answered() {
        let folder = tempfile::tempdir().unwrap();
        let passphrase = SecretString::from("correct 'horse' \\n \"staple\"".to_owned());
        let askpass = Askpass::prepare(folder.path(), &passphrase).await.unwrap();
        let ask = async |question: &str| {
            Command::new(&askpass.program)
                .arg(question)
                .output()
                .await
                .unwrap()
        };
        let refused = ask("The authenticity of host 'h' can't be established. Continue?").await;
        assert!(!refused.status.success() && refused.stdout.is_empty());
        let answered = ask("Enter passphrase for key '/keys/id': ").await;
        let words = String::from_utf8(answered.stdout).unwrap();
        assert_eq!(words.trim_end_matches('\n'), passphrase.expose_secret());
    }
}
