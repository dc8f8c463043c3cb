//! The parts that faults strike: PostgreSQL, Redis and an HPC that nobody else uses. The hub is the one of the
//! test run.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context as _;

use super::faults::Part;
use crate::parts::{Parts, local_script};

/// The parts with their options.
const OWN: [(&str, &[&str]); 3] = [
    ("postgres", &["--durable"]),
    ("redis", &["--durable"]),
    ("hpc", &["--user-count", "1"]),
];

/// Running parts. Stopped when dropped.
#[derive(Debug)]
pub struct OwnParts {
    folder: PathBuf,
}

impl OwnParts {
    /// Starts them all at once in `folder`.
    ///
    /// # Errors
    /// If one does not start.
    pub fn up(folder: &Path) -> anyhow::Result<Self> {
        let parts = Self {
            folder: folder.to_owned(),
        };
        fs::create_dir_all(folder)?;
        let shared = std::env::var_os("CYBERGIS_PARTS").context(
            "CYBERGIS_PARTS is not set: run `make chaos`, or the tests with `make test`",
        )?;
        symlink(Path::new(&shared).join("hub"), folder.join("hub"))?;
        let starting = OWN.map(|(name, options)| {
            let mut command = Command::new(local_script(name));
            command.arg("up").arg(folder.join(name)).args(options);
            command.spawn()
        });
        for (started, (name, _)) in starting.into_iter().zip(OWN) {
            anyhow::ensure!(started?.wait()?.success(), "{name} does not start");
        }
        Ok(parts)
    }

    /// Their facts.
    pub fn facts(&self) -> Parts {
        Parts::in_folder(&self.folder)
    }

    /// Stops a part.
    ///
    /// # Errors
    /// If it does not end.
    pub fn stop(&self, part: Part) -> anyhow::Result<()> {
        match part {
            Part::Redis => self.process("KILL", "redis", "redis"),
            Part::EmptiedRedis => {
                self.process("KILL", "redis", "redis")?;
                fs::remove_dir_all(self.folder.join("redis/data/appendonlydir"))?;
                Ok(())
            }
            Part::Postgres => self.process("QUIT", "postgres", "postgres"),
            Part::Sshd => self.process("KILL", "hpc", "sshd"),
            Part::SshSessions => self.end_sessions(),
            Part::Slurmctld => self.process("TERM", "hpc", "slurmctld"),
            Part::KilledSlurmctld => self.process("KILL", "hpc", "slurmctld"),
        }
    }

    /// Starts it again.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(&self, part: Part) -> anyhow::Result<()> {
        match part {
            Part::Redis | Part::EmptiedRedis => self.process("start", "redis", "redis"),
            Part::Postgres => self.process("start", "postgres", "postgres"),
            Part::Sshd => self.process("start", "hpc", "sshd"),
            Part::SshSessions => Ok(()),
            Part::Slurmctld | Part::KilledSlurmctld => self.process("start", "hpc", "slurmctld"),
        }
    }

    fn process(&self, verb: &str, part: &str, name: &str) -> anyhow::Result<()> {
        let output = Command::new(local_script("process"))
            .args([verb.as_ref(), self.folder.join(part).as_os_str()])
            .arg(name)
            .output()?;
        let stderr = String::from_utf8_lossy(&output.stderr);
        anyhow::ensure!(output.status.success(), "{verb} {name}: {stderr}");
        Ok(())
    }

    /// Ends the SSH sessions of the account of this HPC; nobody else has that account.
    fn end_sessions(&self) -> anyhow::Result<()> {
        let user = self.facts().text("hpc", "user")?;
        // It fails if there is none.
        let _ = Command::new("pkill")
            .args(["-KILL", "-x", "-U", &user, "sshd"])
            .status()?;
        Ok(())
    }
}

impl Drop for OwnParts {
    fn drop(&mut self) {
        let stopping = OWN.map(|(name, _)| {
            let mut command = Command::new(local_script(name));
            command.arg("down").arg(self.folder.join(name)).spawn()
        });
        for stopped in stopping.into_iter().flatten() {
            let mut stopped = stopped;
            let _ = stopped.wait();
        }
    }
}
