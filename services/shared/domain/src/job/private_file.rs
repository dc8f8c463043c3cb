//! The files by which a job is run: in the private place of its account on the HPC,
//! `root_path/.cgc/jobs/JOB/`, which is bound into no container. What a program can
//! write to decides nothing.

use crate::ids::JobId;

/// One of these files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobFile {
    /// The batch script.
    Script,
    /// The program's variables, a file of `export` lines.
    Environment,
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// The exit code, which the batch script leaves for sites without accounting.
    ExitCode,
}

impl JobFile {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Script => "job.sbatch",
            Self::Environment => "job.env",
            Self::Stdout => "job.stdout",
            Self::Stderr => "job.stderr",
            Self::ExitCode => "job.exit",
        }
    }
}

/// Name of the private place below the root path: each account has one of its own,
/// since private accounts may share a root path. `account` is the name of a private
/// account.
pub fn private_place(account: Option<&str>) -> String {
    match account {
        None => ".cgc".to_owned(),
        Some(account) => format!(".cgc-{account}"),
    }
}

/// Absolute path of `file` of `job`.
pub fn private_path(root_path: &str, account: Option<&str>, job: &JobId, file: JobFile) -> String {
    let root = root_path.trim_end_matches('/');
    let (place, name) = (private_place(account), file.name());
    format!("{root}/{place}/jobs/{job}/{name}")
}

/// Folder of a job's logs in its result folder.
pub const LOG_FOLDER: &str = "slurm_log";

/// Path of the copy of `file` in the logs of a result folder.
pub fn log_path(result_folder: &str, file: JobFile) -> String {
    format!("{result_folder}/{LOG_FOLDER}/{}", file.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_account_has_a_place_of_its_own() {
        let job = JobId::from_text("1795457659Ab3dE");
        let path = |account| private_path("/scratch/", account, &job, JobFile::Stdout);
        assert_eq!(path(None), "/scratch/.cgc/jobs/1795457659Ab3dE/job.stdout");
        assert_eq!(
            path(Some("alice")),
            "/scratch/.cgc-alice/jobs/1795457659Ab3dE/job.stdout"
        );
    }
}
