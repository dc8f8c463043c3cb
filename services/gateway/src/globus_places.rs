//! Checks of places at Globus before a transfer in the operator's name: whose collection it
//! is, and what is on the HPC where it begins.

use compute_domain::{
    ErrorKind,
    ids::{FolderId, UserId},
    job::DataSource,
    site::{Hpc, PlaceError},
};
use compute_globus::Place;
use serde_json::Value;

use crate::{
    error::{DownloadRejection, GatewayError, JobRejection, SourceRejection},
    state::AppState,
};

/// `place` as it is passed to Globus, if the user may read and write it.
///
/// # Errors
/// [`PlaceError`] if it is not.
pub fn of_user(state: &AppState, user: &UserId, place: &Place) -> Result<Place, PlaceError> {
    let collections = state.site.collections();
    let admitted = collections.admit(user, &place.endpoint, &place.path)?;
    Ok(Place {
        endpoint: admitted.collection,
        path: admitted.path,
    })
}

/// Checks a `localDataFolder` at Globus; others are checked when the job is submitted. A
/// job's token does not open its owner's files on the hub.
///
/// # Errors
/// [`JobRejection`] if the caller may not name it.
pub fn may_be_source(
    state: &AppState,
    user: &UserId,
    folder: Option<&Value>,
    by_job_token: bool,
) -> Result<(), JobRejection> {
    let Ok(Some(DataSource::Globus { endpoint, path })) = DataSource::read(folder) else {
        return Ok(());
    };
    let admitted = state.site.collections().admit(user, &endpoint, &path)?;
    if by_job_token && admitted.is_own {
        return Err(JobRejection::HubFilesByJobToken);
    }
    Ok(())
}

/// Checks that no active job writes to `folder`: a program could replace a folder by a link
/// while Globus reads it.
///
/// # Errors
/// [`DownloadRejection::FolderInUse`] if an active job writes to `folder`.
pub async fn nothing_writes_to(
    state: &AppState,
    user: &UserId,
    hpc: &Hpc,
    folder: &FolderId,
) -> Result<(), GatewayError> {
    let writing = state
        .store
        .job_writing_to(user, folder, hpc.keeps_read_only());
    match writing.await? {
        None => Ok(()),
        Some(job) => Err(DownloadRejection::FolderInUse(job).into()),
    }
}

/// Checks that `path` is a folder on the HPC without a link on the way to it. Globus would
/// follow a link with all rights of the HPC's account.
///
/// # Errors
/// [`SourceRejection`] if it is not, or cannot be checked.
pub async fn is_folder(state: &AppState, hpc: &Hpc, path: &str) -> Result<(), SourceRejection> {
    if !hpc.is_community_account {
        // Nobody can log in to a private account now.
        return Err(SourceRejection::PrivateAccount(hpc.name.clone()));
    }
    let connector = state.connectors.of_hpc(&hpc.name);
    let connector = connector.ok_or_else(|| SourceRejection::UnknownHpc(hpc.name.clone()))?;
    let checked = connector.check_folder(path).await;
    checked.map_err(|error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::Refused | ErrorKind::InvalidArgument => {
            SourceRejection::NoFolder(error.message)
        }
        kind => {
            tracing::warn!(hpc = hpc.name, ?kind, %error, "could not look at a folder");
            SourceRejection::HpcAway(hpc.name.clone())
        }
    })
}
