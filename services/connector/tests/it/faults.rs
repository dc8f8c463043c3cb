//! Scheduler commands that fail in rare ways. A file `.fault-COMMAND` in the folder of a
//! job requests a fault for the next call.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use compute_testing::Facts;

use crate::parts::{Site, TestJob};

const TIMED_OUT: &str =
    "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation";

/// A fault of `sbatch` or `squeue`.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    /// Does the work, and reports a timeout.
    DoneThenTimedOut,
    /// Does nothing, and reports a timeout.
    TimedOut,
    /// Does the work, and kills the processes that wait for the result.
    DoneThenKilled,
    /// Does the work, with a warning.
    DoneWithWarning,
    /// Does the work after 1.5 s.
    Slow,
    /// Refuses the job for good.
    Refused,
}

impl Fault {
    fn as_str(self) -> &'static str {
        match self {
            Self::DoneThenTimedOut => "done-then-timed-out",
            Self::TimedOut => "timed-out",
            Self::DoneThenKilled => "done-then-killed",
            Self::DoneWithWarning => "done-with-warning",
            Self::Slow => "slow",
            Self::Refused => "refused",
        }
    }
}

impl Site {
    /// Makes the next `command` for `job` fail with `fault`.
    pub(crate) fn lie(&self, command: &str, job: &TestJob, fault: Fault) {
        install(&self.facts, command);
        job.leave(&format!(".fault-{command}"), fault.as_str());
    }
}

/// Installs the wrapper of a command. It is the same for all tests, and has no effect
/// without a requested fault.
fn install(facts: &Facts, command: &str) {
    let script = format!(
        "#!/bin/sh
[ -e .fault-{command} ] || exec \"$REAL_BIN\" \"$@\"
fault=$(cat .fault-{command})
rm -f .fault-{command}
case $fault in
  done-then-timed-out) \"$REAL_BIN\" \"$@\" >/dev/null; echo '{TIMED_OUT}' >&2; exit 1 ;;
  timed-out) echo '{TIMED_OUT}' >&2; exit 1 ;;
  done-then-killed) \"$REAL_BIN\" \"$@\" >/dev/null; kill -9 $(ps -o ppid= -p $PPID) $PPID; sleep 1 ;;
  done-with-warning) echo 'sbatch: WARN: be nice' >&2; echo 'welcome'; exec \"$REAL_BIN\" \"$@\" ;;
  refused) echo 'sbatch: error: QOSMaxWallDurationPerJobLimit' >&2; exit 1 ;;
  slow) sleep 1.5; exec \"$REAL_BIN\" \"$@\" ;;
esac
"
    );
    let path = facts.path("faults_dir").join(command);
    let part = Path::new(&path).with_extension(format!("part-{}", std::process::id()));
    fs::write(&part, script).unwrap();
    fs::set_permissions(&part, fs::Permissions::from_mode(0o755)).unwrap();
    fs::rename(&part, &path).unwrap();
}
