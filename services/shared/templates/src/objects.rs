//! A running `git cat-file --batch-command`: one process for any number of
//! questions.

use std::io;

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    process::{Child, ChildStdin, ChildStdout, Command},
};

/// An object, as git describes it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Object {
    /// Its full name.
    pub(crate) name: String,
    /// `blob`, `commit` …
    pub(crate) kind: String,
    /// Bytes.
    pub(crate) size: u64,
}

/// The process; it ends when this is dropped.
pub(crate) struct Objects {
    _child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Objects {
    /// Starts `command`, which is a `cat-file --batch-command`.
    pub(crate) fn start(mut command: Command) -> io::Result<Self> {
        let mut child = command.stdin(std::process::Stdio::piped()).spawn()?;
        let none = || io::Error::other("no pipe");
        let questions = child.stdin.take().ok_or_else(none)?;
        let answers = BufReader::new(child.stdout.take().ok_or_else(none)?);
        Ok(Self {
            _child: child,
            questions,
            answers,
        })
    }

    /// Asks `info REV` or `contents REV`; `None` if there is no such object. After
    /// `contents` comes the content, which must be read before the next question.
    pub(crate) async fn ask(&mut self, question: &str) -> io::Result<Option<Object>> {
        self.questions
            .write_all(format!("{question}\n").as_bytes())
            .await?;
        self.questions.flush().await?;
        let mut answer = String::new();
        if self.answers.read_line(&mut answer).await? == 0 {
            return Err(io::Error::other("git cat-file ended early"));
        }
        Ok(object(&answer))
    }

    /// The content of `size` bytes after a `contents` question.
    pub(crate) async fn content(&mut self, size: u64) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        (&mut self.answers)
            .take(size)
            .read_to_end(&mut content)
            .await?;
        // A line end of git's own follows.
        self.answers.read_u8().await?;
        Ok(content)
    }
}

/// Reads `NAME SP KIND SP SIZE`; anything else (`REV missing`) is no object.
fn object(answer: &str) -> Option<Object> {
    let mut fields = answer.split_ascii_whitespace();
    let (name, kind, size) = (fields.next()?, fields.next()?, fields.next()?);
    let size = size.parse().ok()?;
    Some(Object {
        name: name.to_owned(),
        kind: kind.to_owned(),
        size,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers() {
        let blob = Object {
            name: "0a1b".to_owned(),
            kind: "blob".to_owned(),
            size: 12,
        };
        assert_eq!(object("0a1b blob 12\n"), Some(blob));
        assert_eq!(object("refs/mirror/head^{commit} missing\n"), None);
        assert_eq!(object("0a1b ambiguous\n"), None);
    }
}
