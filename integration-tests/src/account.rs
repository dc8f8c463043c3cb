//! The community account on the login node, inspected as the site's
//! administrator would do it.

use std::{fs, path::PathBuf, process::Command};

use anyhow::Context as _;

use crate::parts::Parts;

/// The account.
#[derive(Debug, Clone)]
pub struct Account {
    slurm_conf: String,
    commands_log: PathBuf,
}

impl Account {
    /// The account of the HPC of this run.
    ///
    /// # Errors
    /// If the HPC is not up.
    pub fn of(parts: &Parts) -> anyhow::Result<Self> {
        Ok(Self {
            slurm_conf: parts.text("hpc", "slurm_conf")?,
            commands_log: PathBuf::from(parts.text("hpc", "commands_log")?),
        })
    }

    /// Runs a Slurm command as the site, which `commands` does not count.
    ///
    /// # Errors
    /// If it fails.
    pub fn slurm(&self, command: &str, args: &[&str]) -> anyhow::Result<String> {
        let output = Command::new(command)
            .args(args)
            .env("SLURM_CONF", &self.slurm_conf)
            .output()?;
        let stderr = String::from_utf8_lossy(&output.stderr);
        anyhow::ensure!(output.status.success(), "{command} {args:?}: {stderr}");
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Slurm jobs of that name, from accounting.
    ///
    /// # Errors
    /// If accounting does not respond.
    pub fn accounted(&self, job_name: &str) -> anyhow::Result<usize> {
        let rows = self.slurm(
            "sacct",
            &[
                "-a",
                "-n",
                "-X",
                "-P",
                "--name",
                job_name,
                "-o",
                "jobid",
                "-S",
                "now-1days",
            ],
        )?;
        Ok(rows.lines().filter(|row| !row.trim().is_empty()).count())
    }

    /// Jobs of those names on the HPC now, running or not.
    ///
    /// # Errors
    /// If the scheduler does not respond.
    pub fn on_hpc(&self, job_names: &[String]) -> anyhow::Result<usize> {
        let rows = self.slurm("squeue", &["-h", "-o", "%j"])?;
        Ok(rows
            .lines()
            .filter(|row| job_names.iter().any(|name| name == row.trim()))
            .count())
    }

    /// Cancels all jobs whose comment begins with the name of the deployment.
    ///
    /// # Errors
    /// If the scheduler does not respond.
    pub fn end_jobs_of(&self, deployment: &str) -> anyhow::Result<()> {
        let rows = self.slurm("squeue", &["-h", "-o", "%i %k"])?;
        let is_of = |row: &&str| row.contains(deployment);
        let ids: Vec<_> = rows
            .lines()
            .filter(is_of)
            .filter_map(|row| row.split(' ').next())
            .collect();
        if !ids.is_empty() {
            self.slurm("scancel", &ids)?;
        }
        Ok(())
    }

    /// Commands that were run on the login node, as `(epoch milliseconds, name and arguments)`.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn commands(&self) -> anyhow::Result<Vec<(u64, String)>> {
        let log = fs::read_to_string(&self.commands_log)
            .with_context(|| format!("no {}", self.commands_log.display()))?;
        let parse = |line: &str| {
            let (at, command) = line.split_once(' ')?;
            Some((at.parse().ok()?, command.to_owned()))
        };
        Ok(log.lines().filter_map(parse).collect())
    }
}
