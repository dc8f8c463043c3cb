//! Passes the passphrase of a key, or the password of an account, to `ssh`, which
//! runs a program to prompt for it.
//!
//! The secret is never in arguments, environment or a file. The program reads it from
//! a named pipe in a folder that only this account can enter, and the pipe holds it
//! only during a login. A password is given once: `ssh` would answer a second prompt
//! with an empty password, which the server counts as another wrong one, so the
//! program ends `ssh` instead.

use std::{
    fs::{self, Permissions},
    io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use compute_domain::shell::quote;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::{io::AsyncWriteExt as _, net::unix::pipe, process::Command};

/// A secret that can be read once.
#[derive(Debug)]
pub(crate) struct Askpass {
    program: PathBuf,
    /// Keeps the pipe and its content until the login is complete.
    _pipe: pipe::Sender,
}

/// The prompt that the secret answers. No other prompt is answered, in particular none
/// about host keys.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Prompt<'a> {
    /// For the passphrase of a key.
    Passphrase,
    /// For the password of an account on a host.
    Password {
        /// The account.
        user: &'a str,
        /// The host; `ssh` shows it in small letters.
        host: &'a str,
    },
}

/// Why a login failed at a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PromptFailure {
    /// `ssh` prompted for the password again.
    AskedAgain,
    /// `ssh` prompted for something else.
    OtherPrompt(String),
}

const PASSPHRASE: &str = "#!/bin/sh
case $1 in
  'Enter passphrase for '*) IFS= read -r passphrase <\"$0.pipe\" && printf '%s\\n' \"$passphrase\" ;;
  *) exit 1 ;;
esac
";

/// Maximum lengths of account and host in the prompt of `ssh`.
const SHOWN: (usize, usize) = (30, 128);

/// The prompt is that of `ssh`, or one that the server's PAM sends.
fn password_program(user: &str, host: &str) -> String {
    let host = &host.to_ascii_lowercase();
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
    /// Prepares program and pipe in `folder`. The secret must not contain line breaks.
    pub(crate) async fn prepare(
        folder: &Path,
        prompt: Prompt<'_>,
        secret: &SecretString,
    ) -> io::Result<Self> {
        let program = folder.join("askpass");
        let text = match prompt {
            Prompt::Passphrase => PASSPHRASE.to_owned(),
            Prompt::Password { user, host } => password_program(user, host),
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
        // Does not block: the buffer of a pipe is far larger than a secret.
        pipe.write_all(line.expose_secret().as_bytes()).await?;
        Ok(Self {
            program,
            _pipe: pipe,
        })
    }

    /// Makes `ssh` run the program for its prompts.
    pub(crate) fn apply(&self, ssh: &mut Command) {
        ssh.env("SSH_ASKPASS", &self.program)
            .env("SSH_ASKPASS_REQUIRE", "force");
    }

    /// The prompt at which a login failed, if one did.
    pub(crate) fn prompt_failure(&self) -> Option<PromptFailure> {
        let beside = |name: &str| self.program.with_extension(name);
        if beside("again").exists() {
            return Some(PromptFailure::AskedAgain);
        }
        let prompt = fs::read_to_string(beside("other")).ok()?;
        let shown = prompt.trim().chars().filter(|c| !c.is_control()).take(100);
        Some(PromptFailure::OtherPrompt(shown.collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn ask(askpass: &Askpass, prompt: &str) -> std::process::Output {
        // A shell in between: the program kills its parent process.
        Command::new("sh")
            .args(["-c", "\"$0\" \"$1\"; exit $?"])
            .arg(&askpass.program)
            .arg(prompt)
            .output()
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn only_the_question_for_a_passphrase_is_answered() {
        let folder = tempfile::tempdir().unwrap();
        let passphrase = SecretString::from("correct 'horse' \\n \"staple\"".to_owned());
        let askpass = Askpass::prepare(folder.path(), Prompt::Passphrase, &passphrase)
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
        let output = String::from_utf8(answered.stdout).unwrap();
        assert_eq!(output.trim_end_matches('\n'), passphrase.expose_secret());
    }

    async fn with_password(prompt: &str) -> (Option<String>, Askpass, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let password = SecretString::from("pass wörd \\ '\"$HOME");
        let asked = Prompt::Password {
            user: "alice",
            host: "H.example",
        };
        let askpass = Askpass::prepare(folder.path(), asked, &password)
            .await
            .unwrap();
        let answered = ask(&askpass, prompt).await;
        let output = String::from_utf8(answered.stdout).unwrap();
        let gave = output.strip_suffix('\n').map(str::to_owned);
        (gave, askpass, folder)
    }

    #[tokio::test]
    async fn only_questions_for_the_accounts_password_are_answered() {
        for prompt in [
            "alice@h.example's password: ",
            "(alice@h.example) Password: ",
            "(alice@h.example) password:",
            "(alice@h.example) Password for alice@h.example:",
            "Password: ",
        ] {
            let (gave, askpass, _folder) = with_password(prompt).await;
            assert_eq!(gave.as_deref(), Some("pass wörd \\ '\"$HOME"), "{prompt}");
            assert_eq!(askpass.prompt_failure(), None);
        }
        for prompt in [
            "Are you sure you want to continue connecting (yes/no/[fingerprint])? ",
            "Please type 'yes', 'no' or the fingerprint: ",
            "alice@other.example's password: ",
            "bob@h.example's password: ",
            "(alice@h.example) Verification code: ",
            "(alice@h.example) New password: ",
            "Enter passphrase for key '/keys/id': ",
            "",
        ] {
            let (gave, askpass, _folder) = with_password(prompt).await;
            assert_eq!(gave, None, "{prompt}");
            let expected = PromptFailure::OtherPrompt(prompt.trim().to_owned());
            assert_eq!(askpass.prompt_failure(), Some(expected));
        }
    }

    #[tokio::test]
    async fn a_password_is_given_once() {
        let prompt = "alice@h.example's password: ";
        let (gave, askpass, _folder) = with_password(prompt).await;
        assert!(gave.is_some());
        let again = ask(&askpass, "(alice@h.example) Password: ").await;
        assert!(!again.status.success() && again.stdout.is_empty());
        assert_eq!(askpass.prompt_failure(), Some(PromptFailure::AskedAgain));
    }
}
