//! Hands the passphrase of a key, or the password of an account, to `ssh`, which
//! asks a program for it.
//!
//! The secret never is in arguments, environment or a file: the program reads it
//! from a named pipe in a folder that only this account may enter, and it is in
//! that pipe only while a login is under way. A password is given once: `ssh` would
//! answer a second question with nothing, which the server counts as one more wrong
//! password, so that it is ended instead.

use std::{
    fs::{self, Permissions},
    io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use compute_domain::shell::quote;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::{io::AsyncWriteExt as _, net::unix::pipe, process::Command};

/// A secret that waits to be asked for once.
#[derive(Debug)]
pub(crate) struct Askpass {
    program: PathBuf,
    /// Keeps the pipe, and what is in it, until the login is over.
    _pipe: pipe::Sender,
}

/// What the secret is the answer to. No other question is answered: above all none
/// about host keys.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Question<'a> {
    /// For the passphrase of a key.
    Passphrase,
    /// For the password of an account on a host.
    Password {
        /// The account.
        user: &'a str,
        /// The host, as `ssh` was told.
        host: &'a str,
    },
}

/// Why a login did not get beyond a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stuck {
    /// The password was asked for again.
    AskedAgain,
    /// Something else was asked.
    OtherQuestion(String),
}

const PASSPHRASE: &str = "#!/bin/sh
case $1 in
  'Enter passphrase for '*) IFS= read -r passphrase <\"$0.pipe\" && printf '%s\\n' \"$passphrase\" ;;
  *) exit 1 ;;
esac
";

/// Letters that `ssh` shows of an account and of a host in its question.
const SHOWN: (usize, usize) = (30, 128);

/// `ssh` asks for a password itself, or passes on what the server's PAM asks.
fn password_program(user: &str, host: &str) -> String {
    let shown = |text: &str, most: usize| text.chars().take(most).collect::<String>();
    let at_host = format!("{}@{}", shown(user, SHOWN.0), shown(host, SHOWN.1));
    let own = quote(&format!("{at_host}'s password: "));
    let passed_on = quote(&format!("({user}@{host}) "));
    format!(
        "#!/bin/sh
case $1 in
  {own}|{passed_on}[Pp]assword:*|{passed_on}'Password for '*|[Pp]assword:*) ;;
  *) printf '%s\\n' \"$1\" >\"$0.other\"; kill \"$PPID\"; exit 1 ;;
esac
mkdir \"$0.asked\" 2>/dev/null || {{ : >\"$0.again\"; kill \"$PPID\"; exit 1; }}
IFS= read -r password <\"$0.pipe\" && printf '%s\\n' \"$password\"
"
    )
}

impl Askpass {
    /// Prepares program and pipe in `folder`. The secret must not hold ends of
    /// lines.
    pub(crate) async fn prepare(
        folder: &Path,
        question: Question<'_>,
        secret: &SecretString,
    ) -> io::Result<Self> {
        let program = folder.join("askpass");
        let text = match question {
            Question::Passphrase => PASSPHRASE.to_owned(),
            Question::Password { user, host } => password_program(user, host),
        };
        fs::write(&program, text)?;
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
        let line = SecretString::from(format!("{}\n", secret.expose_secret()));
        // It does not wait for a reader: a pipe holds far more than a secret.
        pipe.write_all(line.expose_secret().as_bytes()).await?;
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

    /// The question that ended a login, if one did.
    pub(crate) fn stuck(&self) -> Option<Stuck> {
        let beside = |name: &str| self.program.with_extension(name);
        if beside("again").exists() {
            return Some(Stuck::AskedAgain);
        }
        let question = fs::read_to_string(beside("other")).ok()?;
        let shown = question
            .trim()
            .chars()
            .filter(|c| !c.is_control())
            .take(100);
        Some(Stuck::OtherQuestion(shown.collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn ask(askpass: &Askpass, question: &str) -> std::process::Output {
        // A shell in between: the program ends the process that asks.
        Command::new("sh")
            .args(["-c", "\"$0\" \"$1\"; exit $?"])
            .arg(&askpass.program)
            .arg(question)
            .output()
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn only_the_question_for_a_passphrase_is_answered() {
        let folder = tempfile::tempdir().unwrap();
        let passphrase = SecretString::from("correct 'horse' \\n \"staple\"".to_owned());
        let askpass = Askpass::prepare(folder.path(), Question::Passphrase, &passphrase)
            .await
            .unwrap();
        for other in [
            "The authenticity of host 'h' can't be established. Continue?",
            "alice@h's password: ",
        ] {
            let refused = ask(&askpass, other).await;
            assert!(!refused.status.success() && refused.stdout.is_empty());
        }
        let answered = ask(&askpass, "Enter passphrase for key '/keys/id': ").await;
        let words = String::from_utf8(answered.stdout).unwrap();
        assert_eq!(words.trim_end_matches('\n'), passphrase.expose_secret());
    }

    async fn with_password(question: &str) -> (Option<String>, Askpass, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let password = SecretString::from("pass wörd \\ '\"$HOME");
        let asked = Question::Password {
            user: "alice",
            host: "h.example",
        };
        let askpass = Askpass::prepare(folder.path(), asked, &password)
            .await
            .unwrap();
        let answered = ask(&askpass, question).await;
        let words = String::from_utf8(answered.stdout).unwrap();
        let gave = words.strip_suffix('\n').map(str::to_owned);
        (gave, askpass, folder)
    }

    #[tokio::test]
    async fn only_questions_for_the_accounts_password_are_answered() {
        for question in [
            "alice@h.example's password: ",
            "(alice@h.example) Password: ",
            "(alice@h.example) password:",
            "(alice@h.example) Password for alice@h.example:",
            "Password: ",
        ] {
            let (gave, askpass, _folder) = with_password(question).await;
            assert_eq!(gave.as_deref(), Some("pass wörd \\ '\"$HOME"), "{question}");
            assert_eq!(askpass.stuck(), None);
        }
        for question in [
            "Are you sure you want to continue connecting (yes/no/[fingerprint])? ",
            "Please type 'yes', 'no' or the fingerprint: ",
            "alice@other.example's password: ",
            "bob@h.example's password: ",
            "(alice@h.example) Verification code: ",
            "(alice@h.example) New password: ",
            "Enter passphrase for key '/keys/id': ",
            "",
        ] {
            let (gave, askpass, _folder) = with_password(question).await;
            assert_eq!(gave, None, "{question}");
            let expected = Stuck::OtherQuestion(question.trim().to_owned());
            assert_eq!(askpass.stuck(), Some(expected));
        }
    }

    #[tokio::test]
    async fn a_password_is_given_once() {
        let question = "alice@h.example's password: ";
        let (gave, askpass, _folder) = with_password(question).await;
        assert!(gave.is_some());
        let again = ask(&askpass, "(alice@h.example) Password: ").await;
        assert!(!again.status.success() && again.stdout.is_empty());
        assert_eq!(askpass.stuck(), Some(Stuck::AskedAgain));
    }
}
