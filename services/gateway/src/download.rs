//! Downloads of folders by Globus: one transfer of a folder at a time. The transfer is
//! recorded before Globus is asked, so that a repeated request is the same transfer.

use std::time::Duration;

use compute_db::{FolderTransfer, StoreError, TransferOutcome};
use compute_domain::{
    ids::{FolderId, UserId},
    job::Folder,
    site::{Hpc, PlaceError},
};
use compute_globus::{Globus, GlobusError, Identity, Place, TaskStatus, Transfer, folder_below};
use compute_runtime::seal::globus_purpose;
use serde_json::json;

use crate::{
    error::{
        DownloadRejection, GatewayError, GlobusUnavailable, JobRejection, SourceRejection,
        TransferFailure,
    },
    globus_places,
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

/// A transfer that began longer ago is taken to be over, whatever Globus says of it: it may not
/// know it any more, or not say so to the identity of today.
const OVER_AFTER: Duration = Duration::from_hours(30 * 24);

/// Whether Globus no longer reads the folder: its latest transfer is over, or there is none. If
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

/// Why a transfer is not begun, or its status not known.
enum Trouble {
    /// Globus, or a check before it is asked, refuses.
    Globus(TransferFailure),
    /// Globus may have received the request, and its response is not known.
    Unknown(TransferFailure),
    Other(GatewayError),
}

impl Trouble {
    fn while_trying_to(self, doing: &'static str) -> GatewayError {
        match self {
            Self::Globus(reason) | Self::Unknown(reason) => {
                DownloadRejection::Failed { doing, reason }.into()
            }
            Self::Other(error) => error,
        }
    }
}

impl From<GlobusError> for Trouble {
    fn from(error: GlobusError) -> Self {
        match error {
            GlobusError::Refused { .. } | GlobusError::TokenRefused { .. } => {
                Self::Globus(error.into())
            }
            _ => Self::Unknown(error.into()),
        }
    }
}

macro_rules! from {
    ($($error:ty => $variant:ident),+ $(,)?) => {$(
        impl From<$error> for Trouble {
            fn from(error: $error) -> Self {
                Self::$variant(error.into())
            }
        }
    )+};
}

from! {
    GlobusUnavailable => Globus,
    SourceRejection => Globus,
    PlaceError => Globus,
    TransferFailure => Globus,
    DownloadRejection => Other,
    StoreError => Other,
    GatewayError => Other,
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
            session.is_refused(&new).await?;
            return Err(trouble);
        }
    };
    let begun = session.submit(&new, &checked).await;
    if let Err(Trouble::Globus(_)) = &begun {
        session.is_refused(&new).await?;
    }
    begun
}

fn is_assumed_over(state: &AppState, transfer: &FolderTransfer) -> bool {
    transfer.is_over || state.clock.now().since(transfer.created_at) > OVER_AFTER
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
    if is_over {
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

async fn own_folder(state: &AppState, user: &UserId, id: FolderId) -> Result<Folder, GatewayError> {
    let folder = state.store.folder_of(user, &id).await?;
    Ok(folder.ok_or(DownloadRejection::UnknownFolder(id))?)
}

fn hpc_of<'a>(state: &'a AppState, folder: &Folder) -> Result<&'a Hpc, DownloadRejection> {
    let hpc = state.site.hpcs.get(&folder.hpc);
    hpc.ok_or_else(|| DownloadRejection::UnknownHpc(folder.hpc.clone()))
}

/// Globus with the identity and the endpoint of one HPC.
pub struct GlobusSession<'a> {
    state: &'a AppState,
    globus: &'a Globus,
    who: Identity,
    endpoint: String,
}

impl<'a> GlobusSession<'a> {
    /// The session of `hpc`, or why Globus cannot reach it.
    ///
    /// # Errors
    /// If the store does not answer.
    pub async fn open(
        state: &'a AppState,
        hpc: &Hpc,
    ) -> Result<Result<Self, GlobusUnavailable>, StoreError> {
        let Some(globus) = &state.globus else {
            return Ok(Err(GlobusUnavailable::NotConfigured));
        };
        let (Some(name), Some(endpoint)) = (&hpc.globus.identity, &hpc.globus.endpoint) else {
            return Ok(Err(GlobusUnavailable::NotConfiguredForHpc(
                hpc.name.clone(),
            )));
        };
        let sealed = state.store.globus_token(name).await?.unwrap_or_default();
        let Ok(refresh_token) = state.seal.open(&sealed, &globus_purpose(name)) else {
            return Ok(Err(GlobusUnavailable::NoToken(name.clone())));
        };
        let who = Identity {
            name: name.clone(),
            refresh_token,
        };
        Ok(Ok(Self {
            state,
            globus,
            who,
            endpoint: endpoint.clone(),
        }))
    }

    /// Where a transfer is. One whose answer was lost is asked for again: with the
    /// same submission id it is the same one.
    async fn status(
        &self,
        user: &UserId,
        transfer: &FolderTransfer,
    ) -> Result<TaskStatus, Trouble> {
        if transfer.task_id.is_some() {
            return self.known_status(transfer).await;
        }
        if is_assumed_over(self.state, transfer) {
            // It was refused, or is forgotten, and is not asked for once more.
            return Ok(TaskStatus::Failed);
        }
        // Globus may have accepted it: a check that fails now says nothing of that.
        let checked = self.checked(user, transfer).await;
        let checked = checked.map_err(|trouble| match trouble {
            Trouble::Globus(reason) => Trouble::Unknown(reason),
            other => other,
        })?;
        match self.submit(transfer, &checked).await {
            Ok(task_id) => self.status_of_task(transfer, &task_id).await,
            Err(Trouble::Globus(_)) => {
                self.is_refused(transfer).await?;
                Ok(TaskStatus::Failed)
            }
            Err(other) => Err(other),
        }
    }

    async fn is_refused(&self, transfer: &FolderTransfer) -> Result<(), StoreError> {
        let (folder, submission) = (&transfer.folder_id, &transfer.submission_id);
        let store = &self.state.store;
        store.folder_transfer_refused(folder, submission).await
    }

    /// Where a transfer is that Globus has confirmed.
    async fn known_status(&self, transfer: &FolderTransfer) -> Result<TaskStatus, Trouble> {
        match &transfer.task_id {
            Some(task_id) => self.status_of_task(transfer, task_id).await,
            None => Err(TransferFailure::NotConfirmed.into()),
        }
    }

    async fn status_of_task(
        &self,
        transfer: &FolderTransfer,
        task_id: &str,
    ) -> Result<TaskStatus, Trouble> {
        let status = self.globus.task(&self.who, task_id).await?.status;
        if status.is_over() {
            let (folder, submission) = (&transfer.folder_id, &transfer.submission_id);
            let store = &self.state.store;
            store.folder_transfer_is_over(folder, submission).await?;
        }
        Ok(status)
    }

    /// Right before the transfer is asked for, also where that is done again later: no job
    /// may write to the folder, and no link be on the way to it.
    async fn look_again(
        &self,
        user: &UserId,
        new: &FolderTransfer,
        transfer: &Transfer,
    ) -> Result<(), Trouble> {
        let folder = own_folder(self.state, user, new.folder_id.clone()).await?;
        let hpc = hpc_of(self.state, &folder)?;
        globus_places::nothing_writes_to(self.state, user, hpc, &folder.id).await?;
        let from = &transfer.source.path;
        let below =
            from.strip_prefix(&folder.globus_path)
                .ok_or_else(|| TransferFailure::OutOfFolder {
                    path: from.clone(),
                    folder: folder.id.clone(),
                })?;
        let on_hpc = format!("{}{below}", folder.hpc_path);
        Ok(globus_places::is_folder(self.state, hpc, &on_hpc).await?)
    }

    /// The transfer as it is handed to Globus, if it may be.
    async fn checked(&self, user: &UserId, new: &FolderTransfer) -> Result<Transfer, Trouble> {
        let mut transfer: Transfer =
            serde_json::from_value(new.transfer.clone()).map_err(TransferFailure::Unreadable)?;
        // The row may be of a version that took any destination.
        transfer.destination = globus_places::of_user(self.state, user, &transfer.destination)?;
        self.look_again(user, new, &transfer).await?;
        Ok(transfer)
    }

    async fn submit(&self, new: &FolderTransfer, transfer: &Transfer) -> Result<String, Trouble> {
        let task_id = self.globus.submit(&self.who, transfer).await?;
        let (folder, submission) = (&new.folder_id, &new.submission_id);
        self.state
            .store
            .folder_transfer_accepted(folder, submission, &task_id)
            .await?;
        tracing::info!(folder.id = %folder, globus.task = task_id, "transfer asked for");
        Ok(task_id)
    }
}
