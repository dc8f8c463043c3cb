//! The files that run a job, in the private folder of the account, which no program can
//! see. Every operation may be repeated.

use std::time::Duration;

use bytes::Bytes;
use compute_domain::{ids::JobId, job::JobFile};
use compute_proto::FilePart;

use crate::{
    error::Error,
    files::part,
    paths::{Place, RemotePath},
    remote::{Input, Remote, Script, Shell},
};

static WRITE: Script = Script {
    name: "write_job_file",
    body: concat!(
        include_str!("scripts/fence.sh"),
        include_str!("scripts/write_job_file.sh")
    ),
    shell: Shell::Plain,
    limit: Duration::from_secs(25),
    max_output: 64 << 10,
};
static READ: Script = Script {
    name: "read_job_file",
    body: include_str!("scripts/read_job_file.sh"),
    shell: Shell::Plain,
    limit: Duration::from_secs(25),
    max_output: (1 << 20) + (64 << 10),
};
static RAISE_FENCE: Script = Script {
    name: "raise_fence",
    body: concat!(
        include_str!("scripts/fence.sh"),
        include_str!("scripts/raise_fence.sh")
    ),
    shell: Shell::Plain,
    limit: Duration::from_secs(25),
    max_output: 64 << 10,
};
static STORE_LOGS: Script = Script {
    name: "store_logs",
    body: concat!(
        include_str!("scripts/fence.sh"),
        include_str!("scripts/store_logs.sh")
    ),
    shell: Shell::Plain,
    limit: Duration::from_secs(25),
    max_output: 64 << 10,
};
static REMOVE: Script = Script {
    name: "remove_job",
    body: concat!(
        include_str!("scripts/fence.sh"),
        include_str!("scripts/remove_job.sh")
    ),
    shell: Shell::Plain,
    limit: Duration::from_secs(590),
    max_output: 64 << 10,
};

/// Stores the fence of `remote` at the HPC: calls with an older one change nothing from now on.
///
/// # Errors
/// [`Error::Fenced`] if the HPC knows a newer one; those of [`Remote::run`].
pub(crate) async fn raise_fence(remote: &Remote) -> Result<(), Error> {
    let reply = remote.run(&RAISE_FENCE, Vec::new()).await?;
    reply.content("fence")?;
    Ok(())
}

/// The files of one job.
#[derive(Debug, Clone)]
pub(crate) struct JobFiles<'a> {
    remote: &'a Remote,
    /// Root path, private folder, id of the job: the first arguments of each script.
    arguments: Vec<String>,
    job: &'a str,
}

impl<'a> JobFiles<'a> {
    /// The files of `job`.
    ///
    /// # Errors
    /// [`Error::Argument`] if `job` is not the id of a job.
    pub(crate) fn of(remote: &'a Remote, place: &Place, job: &'a str) -> Result<Self, Error> {
        if JobId::parse(job).is_none() {
            return Err(Error::Argument(format!("{job:?} is not the id of a job")));
        }
        let mut arguments = place.arguments();
        arguments.push(job.to_owned());
        Ok(Self {
            remote,
            arguments,
            job,
        })
    }

    fn with(&self, more: impl IntoIterator<Item = String>) -> Vec<String> {
        let mut arguments = self.arguments.clone();
        arguments.extend(more);
        arguments
    }

    /// Writes `file`, completely or not at all.
    ///
    /// # Errors
    /// [`Error::Trouble`] if the file system rejects it; those of [`Remote::run`].
    pub(crate) async fn write(&self, file: JobFile, content: Bytes) -> Result<(), Error> {
        let arguments = self.with([file.name().to_owned(), content.len().to_string()]);
        let reply = self
            .remote
            .feed(&WRITE, arguments, Input::Whole(content))
            .await?;
        reply.content(file.name())?;
        Ok(())
    }

    /// Reads at most `max` bytes of `file` from `offset` on.
    ///
    /// # Errors
    /// [`Error::Missing`] if it does not exist; those of [`Remote::run`].
    pub(crate) async fn read(
        &self,
        file: JobFile,
        offset: u64,
        max: u32,
    ) -> Result<FilePart, Error> {
        let name = file.name();
        let arguments = self.with([name.to_owned(), offset.to_string(), max.to_string()]);
        let subject = format!("{name} of job {}", self.job);
        let content = self.remote.run(&READ, arguments).await?.content(&subject)?;
        part(&content)
            .ok_or_else(|| Error::Internal(format!("the reply contains no size of {subject}")))
    }

    /// Copies stdout and stderr to `slurm_log/` of `folder`.
    ///
    /// # Errors
    /// [`Error::Missing`] if the job has no files here, or the folder does not exist;
    /// [`Error::Refused`] and [`Error::Outside`] if the folder is not one; those of
    /// [`Remote::run`].
    pub(crate) async fn store_logs(&self, folder: &RemotePath) -> Result<(), Error> {
        let arguments = self.with(folder.arguments().pop());
        let reply = self.remote.run(&STORE_LOGS, arguments).await?;
        reply.content(folder.as_str())?;
        Ok(())
    }

    /// Removes all of them.
    ///
    /// # Errors
    /// [`Error::Trouble`] if something could not be removed; those of [`Remote::run`].
    pub(crate) async fn remove(&self) -> Result<(), Error> {
        let reply = self.remote.run(&REMOVE, self.with([])).await?;
        reply.content(self.job)?;
        Ok(())
    }
}
