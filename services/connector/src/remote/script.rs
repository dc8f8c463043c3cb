//! The fixed scripts, and the command lines that run them. Pure.

use std::time::Duration;

/// The shell that a script needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shell {
    /// Any shell: the script uses standard commands only.
    Plain,
    /// A shell that finds Slurm: a login shell if the plain one does not, because the
    /// site sets PATH in /etc/profile.
    Scheduler,
}

/// One of the fixed scripts.
#[derive(Debug)]
pub(crate) struct Script {
    /// Name in messages and metrics.
    pub(crate) name: &'static str,
    /// Its text, which follows `scripts/prelude.sh`.
    pub(crate) body: &'static str,
    /// The shell it needs.
    pub(crate) shell: Shell,
    /// Time after which it is killed.
    pub(crate) limit: Duration,
    /// Maximum length of its output in bytes.
    pub(crate) max_output: usize,
}

const PRELUDE: &str = include_str!("../scripts/prelude.sh");

/// Runs a script in a shell that finds Slurm; the arguments are those of the shell.
const LAUNCH_WITH_SCHEDULER: &str =
    "if command -v sbatch >/dev/null 2>&1; then exec sh \"$@\"; else exec bash -l \"$@\"; fi";

/// Seconds between SIGTERM and SIGKILL.
const KILL_AFTER: &str = "5";

/// The command line that runs `script`. The reply is framed by `mark`. The first four
/// arguments are those of the fence.
pub(crate) fn command_line(script: &Script, mark: &str, arguments: &[String]) -> Vec<String> {
    let seconds = script.limit.as_secs().to_string();
    let text = format!("{PRELUDE}{}", script.body);
    let mut line: Vec<String> = ["timeout", "-k", KILL_AFTER, &seconds, "sh", "-c"]
        .map(str::to_owned)
        .into();
    if script.shell == Shell::Scheduler {
        line.extend([LAUNCH_WITH_SCHEDULER, "launch", "-c"].map(str::to_owned));
    }
    line.extend([text, script.name.to_owned(), mark.to_owned()]);
    line.extend_from_slice(arguments);
    line
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        os::unix::fs::{PermissionsExt as _, symlink},
        path::Path,
        process::Command,
    };

    use super::*;
    use crate::{
        fence::Fence,
        remote::frame::{Framed, framed},
    };

    const SCRIPT: Script = Script {
        name: "submit",
        body: "say 0 \"$1\"",
        shell: Shell::Scheduler,
        limit: Duration::from_secs(30),
        max_output: 1000,
    };

    fn with_fence(values: &[&str]) -> Vec<String> {
        let mut arguments = Fence::default().arguments();
        arguments.extend(values.iter().copied().map(str::to_owned));
        arguments
    }

    #[test]
    fn values_are_arguments_and_never_text() {
        let line = command_line(&SCRIPT, "cgc-1", &with_fence(&["$(touch x); '"]));
        assert_eq!(line.last().unwrap(), "$(touch x); '");
        assert_eq!(line[..6], ["timeout", "-k", "5", "30", "sh", "-c"]);
        assert!(
            line[..line.len() - 1]
                .iter()
                .all(|word| !word.contains("touch"))
        );
    }

    #[test]
    fn a_real_shell_frames_its_reply() {
        let line = command_line(&SCRIPT, "cgc-1", &with_fence(&["it's \"one\" $value"]));
        let (program, arguments) = line.split_first().unwrap();
        let output = Command::new(program).args(arguments).output().unwrap();
        let answer = framed(&output.stdout, "cgc-1").unwrap();
        assert_eq!(
            (answer.content, answer.code),
            (&b"it's \"one\" $value\n"[..], 0)
        );
    }

    #[test]
    fn a_login_shell_is_used_if_slurm_is_not_found() {
        let home = tempfile::tempdir().unwrap();
        let (bin, tools) = (home.path().join("bin"), home.path().join("tools"));
        fs::create_dir(&bin).unwrap();
        fs::create_dir(&tools).unwrap();
        for tool in ["timeout", "sh", "bash"] {
            symlink(Path::new("/usr/bin").join(tool), tools.join(tool)).unwrap();
        }
        fs::write(bin.join("sbatch"), "#!/bin/sh\necho our own\n").unwrap();
        fs::set_permissions(bin.join("sbatch"), fs::Permissions::from_mode(0o755)).unwrap();
        let profile = "echo Welcome; PATH=$HOME/bin:$PATH\n";
        fs::write(home.path().join(".bash_profile"), profile).unwrap();

        let sbatch = Script {
            body: "sbatch",
            ..SCRIPT
        };
        let line = command_line(&sbatch, "cgc-1", &with_fence(&[]));
        let (program, arguments) = line.split_first().unwrap();
        let output = Command::new(program)
            .args(arguments)
            .env_clear()
            .env("HOME", home.path())
            .env("PATH", &tools)
            .output()
            .unwrap();
        let answer = framed(&output.stdout, "cgc-1");
        let expected = Framed {
            content: b"our own\n",
            code: 0,
        };
        assert_eq!(answer, Some(expected), "{output:?}");
    }
}
