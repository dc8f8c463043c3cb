//! Places at Globus, looked at before a transfer in the operator's name is asked for:
//! whose collection it is, and what is on the HPC where it begins.

use compute_domain::{
    ErrorKind,
    ids::{FolderId, JobId, UserId},
    job::DataSource,
    site::Hpc,
};
use compute_globus::Place;
use serde_json::Value;

use crate::{error::GatewayError, state::AppState};

/// `place` as it is handed to Globus, if it is the user's to read and write.
///
/// # Errors
/// The reason, for the user.
pub fn of_user(state: &AppState, user: &UserId, place: &Place) -> Result<Place, String> {
    let collections = state.site.collections();
    let admitted = collections.admit(user, &place.endpoint, &place.path);
    let admitted = admitted.map_err(|error| error.to_string())?;
    Ok(Place {
        endpoint: admitted.collection,
        path: admitted.path,
    })
}

/// Looks at a `localDataFolder` of Globus; others are looked at when the job is
/// submitted. A job's token does not open its owner's files on the hub.
///
/// # Errors
/// [`GatewayError::Refused`] if the caller may not name it.
pub fn may_be_source(
    state: &AppState,
    user: &UserId,
    folder: Option<&Value>,
    by_job_token: bool,
) -> Result<(), GatewayError> {
    let Ok(Some(DataSource::Globus { endpoint, path })) = DataSource::read(folder) else {
        return Ok(());
    };
    let admitted = state.site.collections().admit(user, &endpoint, &path);
    let admitted = admitted.map_err(|error| GatewayError::Refused(error.to_string()))?;
    if by_job_token && admitted.is_own {
        return Err(GatewayError::Refused(
            "a job's token does not open files on the JupyterHub".to_owned(),
        ));
    }
    Ok(())
}

/// A program that runs could put a link in the place of a folder while Globus reads it.
///
/// # Errors
/// [`GatewayError::NoDownload`] if a job that is not over writes to `folder`.
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
        Some(job) => Err(is_written(&job)),
    }
}

/// What is said of a folder that `job` may write to.
pub fn is_written(job: &JobId) -> GatewayError {
    GatewayError::NoDownload(format!(
        "job {job} is not over and may write to the folder: wait for its end"
    ))
}

/// Whether `path` is a folder on the HPC with no link on the way to it. Globus would
/// follow one, with all rights of the HPC's account.
///
/// # Errors
/// The reason, for the user.
pub async fn is_folder(state: &AppState, hpc: &Hpc, path: &str) -> Result<(), String> {
    if !hpc.is_community_account {
        // Nobody can log in to a private account now.
        return Err(format!(
            "folders on {} are their owners': transfer them with your own account",
            hpc.name
        ));
    }
    let connector = state.connectors.of_hpc(&hpc.name);
    let connector = connector.ok_or_else(|| format!("there is no HPC {}", hpc.name))?;
    let checked = connector.check_folder(path).await;
    checked.map_err(|error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::Refused | ErrorKind::InvalidArgument => error.message,
        kind => {
            tracing::warn!(hpc = hpc.name, ?kind, %error, "could not look at a folder");
            format!("{} does not answer: try again in a moment", hpc.name)
        }
    })
}
