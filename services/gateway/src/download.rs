//! Downloads of folders by Globus: one transfer of a folder at a time. The transfer is
//! recorded before Globus is asked, so that a repeated request is the same transfer.

use compute_db::{FolderTransfer, TransferOutcome};
use compute_domain::{
    ids::{FolderId, UserId},
    job::Folder,
};
use compute_globus::{Place, TaskStatus, Transfer, folder_below};
use serde_json::json;

use crate::{
    error::{DownloadRejection, GatewayError, GlobusUnavailable, JobRejection, TransferFailure},
    globus_places,
    globus_session::{GlobusSession, Trouble, hpc_of, is_assumed_over, own_folder},
    state::AppState,
};

/// A download that the folder's owner asks for.
#[derive(Debug)]
pub struct DownloadRequest {
    /// The folder, which is the user's.
    pub folder: Folder,
    /// A folder inside of it; all of it unless given.
    pub from: Option<String>,
    /// Where it goes.
    pub to: Place,
}

/// Begins a transfer, and returns its task id.
///
/// # Errors
/// If a transfer of the folder is running, the path leads out of it, or Globus refuses.
pub async fn begin(
    state: &AppState,
    user: &UserId,
    wanted: DownloadRequest,
) -> Result<String, GatewayError> {
    let begun = try_begin(state, user, wanted).await;
    begun.map_err(|trouble| trouble.while_trying_to("init"))
}

/// The status of the latest transfer; `None` if there was none.
///
/// # Errors
/// If Globus refuses.
pub async fn status(
    state: &AppState,
    user: &UserId,
    folder: &Folder,
) -> Result<Option<TaskStatus>, GatewayError> {
    let status = try_status(state, user, folder).await;
    status.map_err(|trouble| trouble.while_trying_to("query"))
}

/// Whether Globus no longer reads the folder: its latest transfer is over, or it never had one. If
/// Globus is not configured for the folder's HPC any more, no transfer is awaited. Asks
/// Globus, and never for a transfer.
///
/// # Errors
/// If the user has no such folder, or Globus cannot say.
pub async fn is_over(
    state: &AppState,
    user: &UserId,
    folder: &FolderId,
) -> Result<bool, GatewayError> {
    let is_over = try_is_over(state, user, folder).await;
    is_over.map_err(|trouble| match trouble {
        Trouble::Globus(reason) | Trouble::Unknown(reason) => {
            let folder = folder.clone();
            JobRejection::TransferUnknown { folder, reason }.into()
        }
        Trouble::Other(error) => error,
    })
}

async fn try_begin(
    state: &AppState,
    user: &UserId,
    wanted: DownloadRequest,
) -> Result<String, Trouble> {
    let folder = wanted.folder;
    let hpc = hpc_of(state, &folder)?;
    let below =
        |root: &str| folder_below(root, wanted.from.as_deref()).map_err(DownloadRejection::from);
    let (from, on_hpc) = (below(&folder.globus_path)?, below(&folder.hpc_path)?);
    let to = globus_places::of_user(state, user, &wanted.to).map_err(DownloadRejection::from)?;
    let session = GlobusSession::open(state, hpc).await??;
    let before = state.store.folder_transfer(&folder.id).await?;
    if let Some(before) = &before
        && !is_assumed_over(state, before)
        && !session.status(user, before).await?.is_over()
    {
        return Err(DownloadRejection::TransferRunning.into());
    }
    globus_places::nothing_writes_to(state, user, hpc, &folder.id).await?;
    globus_places::is_folder(state, hpc, &on_hpc).await?;
    let transfer = Transfer {
        submission_id: session.globus.submission_id(&session.who).await?,
        label: format!("folder {}", folder.id),
        source: Place {
            endpoint: session.endpoint.clone(),
            path: from,
        },
        destination: to,
        recursive: true,
    };
    let new = FolderTransfer {
        folder_id: folder.id.clone(),
        submission_id: transfer.submission_id.clone(),
        transfer: json!(transfer),
        task_id: None,
        created_at: state.clock.now(),
        is_over: false,
    };
    let instead_of = before.map(|before| before.submission_id);
    let outcome = state
        .store
        .begin_folder_transfer(
            user,
            new.clone(),
            instead_of.as_deref(),
            hpc.keeps_read_only(),
        )
        .await?;
    match outcome {
        TransferOutcome::Begun => {}
        TransferOutcome::Another => return Err(DownloadRejection::TransferRunning.into()),
        TransferOutcome::Written(job) => return Err(DownloadRejection::FolderInUse(job).into()),
    }
    let checked = match session.checked(user, &new).await {
        Ok(checked) => checked,
        // Globus was not asked.
        Err(trouble) => {
            session.record_refusal(&new).await?;
            return Err(trouble);
        }
    };
    let begun = session.submit(&new, &checked).await;
    if let Err(Trouble::Globus(_)) = &begun {
        session.record_refusal(&new).await?;
    }
    begun
}

async fn try_is_over(state: &AppState, user: &UserId, folder: &FolderId) -> Result<bool, Trouble> {
    let folder = own_folder(state, user, folder.clone()).await?;
    let Some(transfer) = state.store.folder_transfer(&folder.id).await? else {
        return Ok(true);
    };
    let is_over = if is_assumed_over(state, &transfer) {
        true
    } else {
        let hpc = state.site.hpcs.get(&folder.hpc);
        let hpc = hpc.ok_or_else(|| TransferFailure::UnknownHpc(folder.hpc.clone()))?;
        match GlobusSession::open(state, hpc).await? {
            Ok(session) => session.known_status(&transfer).await?.is_over(),
            Err(GlobusUnavailable::NotConfigured | GlobusUnavailable::NotConfiguredForHpc(_)) => {
                true
            }
            Err(unavailable @ GlobusUnavailable::NoToken(_)) => return Err(unavailable.into()),
        }
    };
    if is_over && !transfer.is_over {
        let store = &state.store;
        store
            .folder_transfer_is_over(&folder.id, &transfer.submission_id)
            .await?;
    }
    Ok(is_over)
}

async fn try_status(
    state: &AppState,
    user: &UserId,
    folder: &Folder,
) -> Result<Option<TaskStatus>, Trouble> {
    let hpc = state.site.hpcs.get(&folder.hpc);
    let hpc = hpc.ok_or_else(|| TransferFailure::UnknownHpc(folder.hpc.clone()))?;
    let session = GlobusSession::open(state, hpc).await??;
    match state.store.folder_transfer(&folder.id).await? {
        Some(transfer) => match session.status(user, &transfer).await {
            // Whoever asks stops to wait, and may ask for the download once more.
            Err(Trouble::Unknown(_)) if transfer.task_id.is_none() => Ok(Some(TaskStatus::Failed)),
            status => status.map(Some),
        },
        None => Ok(None),
    }
}
