//! The reply of a script, or why there is no complete one.

use super::{frame::framed, script::Script, stdio::CommandOutput};
use crate::error::Error;

/// The complete reply of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    code: i32,
    content: Vec<u8>,
    notes: String,
}

const MAX_MESSAGE: usize = 1000;

/// The reply of `script` in its output. `alive` tells whether the login is still up.
///
/// # Errors
/// [`Error::Cut`] if the reply is incomplete, [`Error::Trouble`] if the script could not
/// be run.
pub(super) fn settle(
    script: &Script,
    mark: &str,
    output: CommandOutput,
    alive: bool,
) -> Result<Reply, Error> {
    let notes = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    let code = match output.status {
        Ok(status) => status.code(),
        Err(openssh::Error::Remote(_)) => {
            return Err(Error::Trouble(format!(
                "{} could not be run: a command is missing on the login node: {notes}",
                script.name
            )));
        }
        Err(error) if alive => return Err(cut(script, &chain(&error))),
        Err(_) => return Err(cut(script, "the connection was lost")),
    };
    match code {
        // timeout(1): 137 if it had to be killed
        Some(124 | 137) => return Err(cut(script, "it took too long")),
        Some(129..) => return Err(cut(script, "it was killed")),
        Some(_) | None => {}
    }
    // A killed shell may still print its last line, with an arbitrary code.
    let answer = framed(&output.stdout, mark).filter(|answer| Some(answer.code) == code);
    if let Some(answer) = answer {
        return Ok(Reply {
            code: answer.code,
            content: answer.content.to_vec(),
            notes,
        });
    }
    if output.is_truncated {
        return Err(Error::Internal(format!(
            "the output of {} is too long",
            script.name
        )));
    }
    match code {
        Some(0) | None => Err(cut(script, "its output is incomplete")),
        Some(code) => {
            let noise = String::from_utf8_lossy(&output.stdout);
            Err(Error::Trouble(format!(
                "the login shell did not run {} to its end (exit code {code}): {}",
                script.name,
                shorten(&format!("{noise} {notes}"))
            )))
        }
    }
}

pub(super) fn cut(script: &Script, reason: &str) -> Error {
    Error::Cut {
        what: script.name,
        reason: reason.to_owned(),
    }
}

/// The message of an error with those of its sources.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        message = format!("{message}: {error}");
        source = error.source();
    }
    message
}

fn shorten(message: &str) -> String {
    message.trim().chars().take(MAX_MESSAGE).collect()
}

impl Reply {
    /// The content of a successful reply; otherwise the meaning of the exit code
    /// (`scripts/prelude.sh`) for `subject`, a path or the name of a thing.
    ///
    /// # Errors
    /// According to the exit code.
    pub(crate) fn content(self, subject: &str) -> Result<Vec<u8>, Error> {
        match self.code {
            0 => Ok(self.content),
            40 => Err(Error::Missing(subject.to_owned())),
            41 => Err(Error::Outside(subject.to_owned())),
            42 => Err(Error::Refused(self.message())),
            43 => Err(Error::Uncertain(self.message())),
            45 => Err(self.fenced(subject)),
            _ => Err(Error::Trouble(self.message())),
        }
    }

    /// The content as text; see [`content`](Self::content).
    ///
    /// # Errors
    /// As [`content`](Self::content).
    pub(crate) fn text(self, subject: &str) -> Result<String, Error> {
        Ok(String::from_utf8_lossy(&self.content(subject)?).into_owned())
    }

    fn fenced(&self, subject: &str) -> Error {
        let message = self.message();
        match message.parse() {
            Ok(newest) => Error::Fenced {
                subject: subject.to_owned(),
                newest,
            },
            Err(_) => Error::Internal(format!("the reply contains no fence: {message}")),
        }
    }

    fn message(&self) -> String {
        let said = String::from_utf8_lossy(&self.content);
        let said = shorten(&said);
        if !said.is_empty() {
            return said;
        }
        if !self.notes.is_empty() {
            return shorten(&self.notes);
        }
        format!("exit code {} without a message", self.code)
    }
}

#[cfg(test)]
mod tests {
    use std::{os::unix::process::ExitStatusExt as _, process::ExitStatus, time::Duration};

    use super::*;
    use crate::remote::script::Shell;

    const SCRIPT: Script = Script {
        name: "submit",
        body: "",
        shell: Shell::Scheduler,
        limit: Duration::from_secs(30),
        max_output: 1000,
    };

    fn reply(code: i32, content: &str) -> Reply {
        Reply {
            code,
            content: content.into(),
            notes: "noise of the login shell".to_owned(),
        }
    }

    #[test]
    fn exit_codes_mean_something() {
        assert_eq!(reply(0, "x").content("f"), Ok(b"x".to_vec()));
        assert_eq!(
            reply(40, "").content("f"),
            Err(Error::Missing("f".to_owned()))
        );
        assert_eq!(
            reply(41, "").content("f"),
            Err(Error::Outside("f".to_owned()))
        );
        assert_eq!(
            reply(42, "no\n").content("f"),
            Err(Error::Refused("no".to_owned()))
        );
        assert_eq!(
            reply(43, "why").content("f"),
            Err(Error::Uncertain("why".to_owned()))
        );
        let fenced = Error::Fenced {
            subject: "f".to_owned(),
            newest: 7,
        };
        assert_eq!(reply(45, "7\n").content("f"), Err(fenced));
        let silent = reply(1, "").content("f");
        assert_eq!(
            silent,
            Err(Error::Trouble("noise of the login shell".to_owned()))
        );
    }

    fn ended(status: Result<i32, openssh::Error>, stdout: &str) -> CommandOutput {
        CommandOutput {
            stdout: stdout.into(),
            stderr: b"Welcome".to_vec(),
            is_truncated: false,
            status: status.map(|code| ExitStatus::from_raw(code << 8)),
        }
    }

    #[test]
    fn only_a_complete_reply_counts() {
        let settle = |output, alive| settle(&SCRIPT, "cgc-1", output, alive);
        let whole = "\ncgc-1 begin\nsubmitted 7\n\ncgc-1 end 0\n";
        let answer = settle(ended(Ok(0), whole), true).unwrap().content("job");
        assert_eq!(answer, Ok(b"submitted 7\n".to_vec()));

        let lost = Err(openssh::Error::RemoteProcessTerminated);
        for (output, alive, expected) in [
            (ended(Ok(0), "\ncgc-1 begin\nsubmit"), true, "is incomplete"),
            (ended(Ok(124), whole), true, "took too long"),
            (ended(Ok(137), whole), true, "took too long"),
            // bash prints the last line even if it is killed
            (ended(Ok(143), whole), true, "it was killed"),
            (ended(lost, whole), false, "connection was lost"),
        ] {
            let error = settle(output, alive).unwrap_err();
            assert!(matches!(error, Error::Cut { .. }), "{error}");
            assert!(error.to_string().contains(expected), "{error}");
        }
        let error = settle(ended(Ok(1), "This account is not available."), true).unwrap_err();
        assert!(
            error.to_string().contains("This account is not available."),
            "{error}"
        );
    }
}
