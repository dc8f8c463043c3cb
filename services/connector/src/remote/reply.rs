//! What came back from a script: a whole answer, or how it was cut.

use super::{frame::framed, pump::Pumped, script::Script};
use crate::error::Error;

/// What a script answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    code: i32,
    content: Vec<u8>,
    notes: String,
}

const MAX_WORDS: usize = 1000;

/// The answer of `script` in what it left; `alive` says whether the login still is.
///
/// # Errors
/// [`Error::Cut`] if there is no whole answer, [`Error::Trouble`] if the script
/// could not be run.
pub(super) fn settle(
    script: &Script,
    mark: &str,
    pumped: Pumped,
    alive: bool,
) -> Result<Reply, Error> {
    let notes = String::from_utf8_lossy(&pumped.stderr).trim().to_owned();
    let code = match pumped.status {
        Ok(status) => status.code(),
        Err(openssh::Error::Remote(_)) => {
            return Err(Error::Trouble(format!(
                "{} could not be run: the login node lacks a command: {notes}",
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
    // A shell that is killed may still print its last line, with a code of its own choice.
    let answer = framed(&pumped.stdout, mark).filter(|answer| Some(answer.code) == code);
    if let Some(answer) = answer {
        return Ok(Reply {
            code: answer.code,
            content: answer.content.to_vec(),
            notes,
        });
    }
    if pumped.too_much {
        return Err(Error::Internal(format!(
            "{} answered too much",
            script.name
        )));
    }
    match code {
        Some(0) | None => Err(cut(script, "its answer did not come whole")),
        Some(code) => {
            let noise = String::from_utf8_lossy(&pumped.stdout);
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

/// An error with what lies behind it.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        words = format!("{words}: {error}");
        source = error.source();
    }
    words
}

fn shorten(words: &str) -> String {
    words.trim().chars().take(MAX_WORDS).collect()
}

impl Reply {
    /// The answer, if the script ended well; otherwise what its exit code means
    /// (`scripts/prelude.sh`) for the path or the thing called `subject`.
    ///
    /// # Errors
    /// As the exit code says.
    pub(crate) fn content(self, subject: &str) -> Result<Vec<u8>, Error> {
        match self.code {
            0 => Ok(self.content),
            40 => Err(Error::Missing(subject.to_owned())),
            41 => Err(Error::Outside(subject.to_owned())),
            42 => Err(Error::Refused(self.words())),
            43 => Err(Error::Uncertain(self.words())),
            _ => Err(Error::Trouble(self.words())),
        }
    }

    /// The answer as text; see [`content`](Self::content).
    ///
    /// # Errors
    /// As [`content`](Self::content).
    pub(crate) fn text(self, subject: &str) -> Result<String, Error> {
        Ok(String::from_utf8_lossy(&self.content(subject)?).into_owned())
    }

    fn words(&self) -> String {
        let said = String::from_utf8_lossy(&self.content);
        let said = shorten(&said);
        if !said.is_empty() {
            return said;
        }
        if !self.notes.is_empty() {
            return shorten(&self.notes);
        }
        format!("exit code {} and no word", self.code)
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
        let silent = reply(1, "").content("f");
        assert_eq!(
            silent,
            Err(Error::Trouble("noise of the login shell".to_owned()))
        );
    }

    fn pumped(status: Result<i32, openssh::Error>, stdout: &str) -> Pumped {
        Pumped {
            stdout: stdout.into(),
            stderr: b"Welcome".to_vec(),
            too_much: false,
            status: status.map(|code| ExitStatus::from_raw(code << 8)),
        }
    }

    #[test]
    fn only_a_whole_answer_counts() {
        let settle = |pumped, alive| settle(&SCRIPT, "cgc-1", pumped, alive);
        let whole = "\ncgc-1 begin\nsubmitted 7\n\ncgc-1 end 0\n";
        let answer = settle(pumped(Ok(0), whole), true).unwrap().content("job");
        assert_eq!(answer, Ok(b"submitted 7\n".to_vec()));

        let lost = Err(openssh::Error::RemoteProcessTerminated);
        for (pumped, alive, expected) in [
            (
                pumped(Ok(0), "\ncgc-1 begin\nsubmit"),
                true,
                "did not come whole",
            ),
            (pumped(Ok(124), whole), true, "took too long"),
            (pumped(Ok(137), whole), true, "took too long"),
            // bash prints the last line even if it is killed
            (pumped(Ok(143), whole), true, "it was killed"),
            (pumped(lost, whole), false, "connection was lost"),
        ] {
            let error = settle(pumped, alive).unwrap_err();
            assert!(matches!(error, Error::Cut { .. }), "{error}");
            assert!(error.to_string().contains(expected), "{error}");
        }
        let error = settle(pumped(Ok(1), "This account is not available."), true).unwrap_err();
        assert!(
            error.to_string().contains("This account is not available."),
            "{error}"
        );
    }
}
