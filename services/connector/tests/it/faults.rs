//! Scheduler commands that lie: asked for by a file `.fault-COMMAND` in the job's
//! folder, which is used up by the first call.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use compute_testing::Facts;

use crate::parts::{Site, TestJob};

const TIMED_OUT: &str =
    "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation";

/// How `sbatch` or `squeue` lies.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    /// The work is done, and said not to be.
    DoneThenTimedOut,
    /// Nothing is done, and it is said to be uncertain.
    TimedOut,
    /// The work is done, and whoever waits for the answer is killed.
    DoneThenKilled,
    /// The work is done, with a warning.
    DoneWithWarning,
    /// The work is done, but it takes 1.5 s.
    Slow,
}

impl Fault {
    fn as_str(self) -> &'static str {
        match self {
            Self::DoneThenTimedOut => "done-then-timed-out",
            Self::TimedOut => "timed-out",
            Self::DoneThenKilled => "done-then-killed",
            Self::DoneWithWarning => "done-with-warning",
            Self::Slow => "slow",
        }
    }
}

impl Site {
    /// Makes the next `command` about `job` lie.
    pub(crate) fn lie(&self, command: &str, job: &TestJob, fault: Fault) {
        install(&self.facts, command);
        job.leave(&format!(".fault-{command}"), fault.as_str());
    }
}

/// The same for all tests, and harmless where no fault is asked for.
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
