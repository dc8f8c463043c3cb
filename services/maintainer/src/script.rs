//! Everything that is written for a job on the HPC, as text: `job.sbatch`,
//! `job.json`, `job.env` and `kernel_init.sh`. Pure: values in, text out.

#[cfg(test)]
mod contained;
mod container;
mod environment;
#[cfg(test)]
mod executed;
#[cfg(test)]
mod golden;
mod job_json;
mod sbatch;

use compute_domain::{
    job::{Job, JobFile, private_path},
    site::Hpc,
};
pub use container::{Bind, Launcher};
pub use environment::{ENV_FILE, render_environment};
pub use job_json::render_job_json;
pub use sbatch::{Directives, Plan, Stages, render_sbatch};

/// Where a program finds its three folders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgramFolders {
    /// The template, and what is rendered beside it.
    pub executable: String,
    /// The data, even if there is none.
    pub data: String,
    /// What is kept.
    pub result: String,
}

impl ProgramFolders {
    /// The folders as a container has them.
    pub fn in_container() -> Self {
        Self {
            executable: "/job/executable".to_owned(),
            data: "/job/data".to_owned(),
            result: "/job/result".to_owned(),
        }
    }
}

/// Absolute paths of the files by which a job is run: in the private place of the
/// account, where no program writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrivateFiles {
    /// The program's variables.
    pub environment: String,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// The exit code.
    pub exit_code: String,
}

impl PrivateFiles {
    /// Those of `job` on `hpc`.
    pub fn of(job: &Job, hpc: &Hpc) -> Self {
        let path = |file| private_path(&hpc.root_path, job.account.as_deref(), &job.id, file);
        Self {
            environment: path(JobFile::Environment),
            stdout: path(JobFile::Stdout),
            stderr: path(JobFile::Stderr),
            exit_code: path(JobFile::ExitCode),
        }
    }
}

/// `kernel_init.sh` of the SingCVMFS connector.
pub fn render_kernel_init(lines: &[String]) -> String {
    let mut script = String::from("#!/bin/bash\n");
    for line in lines {
        script.push_str(line);
        script.push('\n');
    }
    script
}
