//! Globus on behalf of one HPC: what is checked before a recorded transfer is handed over, and
//! what Globus says of it.

use std::time::Duration;

use compute_db::{FolderTransfer, StoreError};
use compute_domain::{
    ids::{FolderId, UserId},
    job::Folder,
    site::{Hpc, PlaceError},
};
use compute_globus::{Globus, GlobusError, Identity, TaskStatus, Transfer};
use compute_runtime::seal::globus_purpose;

use crate::{
    error::{DownloadRejection, GatewayError, GlobusUnavailable, SourceRejection, TransferFailure},
    globus_places,
    state::AppState,
};

/// A transfer that began longer ago is taken to be over, whatever Globus says of it: it may not
/// know it any more, or not say so to the identity of today.
const OVER_AFTER: Duration = Duration::from_hours(30 * 24);

/// Why a transfer is not begun, or its status not known.
pub(crate) enum Trouble {
    /// Globus, or a check before it is asked, refuses.
    Globus(TransferFailure),
    /// Globus may have received the request, and its response is not known.
    Unknown(TransferFailure),
    Other(GatewayError),
}

impl Trouble {
    pub(crate) fn while_trying_to(self, doing: &'static str) -> GatewayError {
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

/// Whether nothing is awaited of the transfer any more.
pub(crate) fn is_assumed_over(state: &AppState, transfer: &FolderTransfer) -> bool {
    transfer.is_over || state.clock.now().since(transfer.created_at) > OVER_AFTER
}

pub(crate) async fn own_folder(
    state: &AppState,
    user: &UserId,
    id: FolderId,
) -> Result<Folder, GatewayError> {
    let folder = state.store.folder_of(user, &id).await?;
    Ok(folder.ok_or(DownloadRejection::UnknownFolder(id))?)
}

pub(crate) fn hpc_of<'a>(
    state: &'a AppState,
    folder: &Folder,
) -> Result<&'a Hpc, DownloadRejection> {
    let hpc = state.site.hpcs.get(&folder.hpc);
    hpc.ok_or_else(|| DownloadRejection::UnknownHpc(folder.hpc.clone()))
}

/// Globus with the identity and the endpoint of one HPC.
pub struct GlobusSession<'a> {
    state: &'a AppState,
    pub(crate) globus: &'a Globus,
    pub(crate) who: Identity,
    pub(crate) endpoint: String,
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
    pub(crate) async fn status(
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
                self.record_refusal(transfer).await?;
                Ok(TaskStatus::Failed)
            }
            Err(other) => Err(other),
        }
    }

    pub(crate) async fn record_refusal(&self, transfer: &FolderTransfer) -> Result<(), StoreError> {
        let (folder, submission) = (&transfer.folder_id, &transfer.submission_id);
        let store = &self.state.store;
        store.folder_transfer_refused(folder, submission).await
    }

    /// Where a transfer is that Globus has confirmed.
    pub(crate) async fn known_status(
        &self,
        transfer: &FolderTransfer,
    ) -> Result<TaskStatus, Trouble> {
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
        if status.is_over() && !transfer.is_over {
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
    pub(crate) async fn checked(
        &self,
        user: &UserId,
        new: &FolderTransfer,
    ) -> Result<Transfer, Trouble> {
        let mut transfer: Transfer =
            serde_json::from_value(new.transfer.clone()).map_err(TransferFailure::Unreadable)?;
        // The row may be of a version that took any destination.
        transfer.destination = globus_places::of_user(self.state, user, &transfer.destination)?;
        self.look_again(user, new, &transfer).await?;
        Ok(transfer)
    }

    pub(crate) async fn submit(
        &self,
        new: &FolderTransfer,
        transfer: &Transfer,
    ) -> Result<String, Trouble> {
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
