//! `upload data`: a folder of this machine into the data folder. What Globus
//! brings takes its own time: the life cycle follows it.

use compute_db::Progress;
use compute_domain::job::{Cause, DataSource, Job, root_of};

use super::{StepError, StepOutcome};
use crate::{hpc_handle::HpcHandle, launcher::Folders, local_folder::LocalFolder};

pub(super) async fn run(hpc: &HpcHandle, job: &Job) -> Result<StepOutcome, StepError> {
    let Some(DataSource::Local { path }) = source(job)? else {
        return Ok(Progress::default());
    };
    let refused = |words: String| StepError::Refused(Cause::new(words));
    let folder = Folders::of(job, &hpc.config)
        .data
        .ok_or_else(|| refused("the job has no data folder".to_owned()))?;
    let local = open(hpc, path.clone()).await?;
    let archive = local.pack(&hpc.tasks);
    hpc.connector.upload_folder(&folder, archive).await?;
    Ok(Progress::default())
}

/// Where the job's data comes from.
///
/// # Errors
/// The reason, for the job's owner, why it can come from nowhere.
pub fn source(job: &Job) -> Result<Option<DataSource>, StepError> {
    if job.remote_data_folder_id.is_some() && job.local_data_folder.is_none() {
        return Ok(None);
    }
    DataSource::read(job.local_data_folder.as_ref())
        .map_err(|words| StepError::Refused(Cause::new(words)))
}

async fn open(hpc: &HpcHandle, path: std::path::PathBuf) -> Result<LocalFolder, StepError> {
    let server = &hpc.site.server;
    let (roots, limit) = (server.local_data_roots.clone(), server.upload_limit_mb);
    let look = move || {
        let (root, rest) = root_of(&roots, &path).map_err(|outside| outside.to_string())?;
        LocalFolder::open(root, rest, limit).map_err(|error| error.to_string())
    };
    let opened = hpc.tasks.spawn_blocking(look).await;
    opened
        .map_err(|error| StepError::Trouble(format!("could not look at the data: {error}")))?
        .map_err(|words| StepError::Refused(Cause::new(words)))
}
