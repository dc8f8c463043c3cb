//! Fetching a folder by Globus: one transfer of a folder at a time, written down
//! before it is asked for, so that asking again after trouble is the same one.

use compute_db::{FolderTransfer, StoreError, TransferOutcome};
use compute_domain::{
    ids::{FolderId, UserId},
    job::Folder,
    site::Hpc,
};
use compute_globus::{Globus, GlobusError, Identity, Place, TaskStatus, Transfer, folder_below};
use compute_runtime::seal::globus_purpose;
use serde_json::json;

use crate::{error::GatewayError, globus_places, state::AppState};

/// What the folder's owner asks for.
#[derive(Debug)]
pub struct Wanted {
    /// The folder.
    pub folder: FolderId,
    /// A folder inside of it; all of it unless given.
    pub from: Option<String>,
    /// Where it goes.
    pub to: Place,
}

/// Begins a transfer, and returns its task id.
///
/// # Errors
/// If the user has no such folder, a transfer of it is running, the path leads
/// out of it, or Globus refuses.
pub async fn begin(
    state: &AppState,
    user: &UserId,
    wanted: Wanted,
) -> Result<String, GatewayError> {
    let begun = try_begin(state, user, wanted).await;
    begun.map_err(|trouble| trouble.while_trying_to("init"))
}

/// How the latest transfer goes; `None` if there was none.
///
/// # Errors
/// If the user has no such folder, or Globus refuses.
pub async fn status(
    state: &AppState,
    user: &UserId,
    folder: FolderId,
) -> Result<Option<TaskStatus>, GatewayError> {
    let status = try_status(state, user, folder).await;
    status.map_err(|trouble| trouble.while_trying_to("query"))
}

/// Whether Globus reads the folder no more: its latest transfer is over, or there is none. If
/// Globus is not set up for the folder's HPC any more, nobody can ask it, and none is awaited.
///
/// # Errors
/// If the user has no such folder, or Globus cannot say.
pub async fn is_over(
    state: &AppState,
    user: &UserId,
    folder: FolderId,
) -> Result<bool, GatewayError> {
    let is_over = try_is_over(state, user, folder.clone()).await;
    is_over.map_err(|trouble| match trouble {
        Trouble::Globus(words) | Trouble::Unknown(words) => GatewayError::Refused(format!(
            "it is not known whether Globus still transfers the folder {folder}: {words}"
        )),
        Trouble::Other(error) => error,
    })
}

/// Why a transfer is not begun, or its state not known.
enum Trouble {
    /// Globus, or a check before it is asked, refuses.
    Globus(String),
    /// Globus may have got the request, and its response is not known.
    Unknown(String),
    Other(GatewayError),
}

impl Trouble {
    fn while_trying_to(self, doing: &str) -> GatewayError {
        match self {
            Self::Globus(words) | Self::Unknown(words) => {
                GatewayError::NoDownload(format!("failed to {doing} globus with error: {words}"))
            }
            Self::Other(error) => error,
        }
    }
}

impl From<GlobusError> for Trouble {
    fn from(error: GlobusError) -> Self {
        match error {
            GlobusError::Refused { .. } | GlobusError::TokenRefused { .. } => {
                Self::Globus(error.to_string())
            }
            _ => Self::Unknown(error.to_string()),
        }
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Other(error.into())
    }
}

impl From<GatewayError> for Trouble {
    fn from(error: GatewayError) -> Self {
        Self::Other(error)
    }
}

async fn try_begin(state: &AppState, user: &UserId, wanted: Wanted) -> Result<String, Trouble> {
    let folder = own_folder(state, user, wanted.folder).await?;
    let hpc = hpc_of(state, &folder).map_err(GatewayError::NoDownload)?;
    let below = |root: &str| {
        folder_below(root, wanted.from.as_deref())
            .map_err(|error| GatewayError::NoDownload(error.to_string()))
    };
    let (from, on_hpc) = (below(&folder.globus_path)?, below(&folder.hpc_path)?);
    let to = globus_places::of_user(state, user, &wanted.to).map_err(GatewayError::NoDownload)?;
    let desk = Desk::of(state, hpc).await?.map_err(Trouble::Globus)?;
    let before = state.store.folder_transfer(&folder.id).await?;
    if let Some(before) = &before
        && !desk.status(user, before).await?.is_over()
    {
        return Err(running_already().into());
    }
    globus_places::nothing_writes_to(state, user, hpc, &folder.id).await?;
    globus_places::is_folder(state, hpc, &on_hpc)
        .await
        .map_err(Trouble::Globus)?;
    let transfer = Transfer {
        submission_id: desk.globus.submission_id(&desk.who).await?,
        label: format!("folder {}", folder.id),
        source: Place {
            endpoint: desk.endpoint.clone(),
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
        TransferOutcome::Another => return Err(running_already().into()),
        TransferOutcome::Written(job) => return Err(globus_places::is_written(&job).into()),
    }
    let begun = desk.submit(user, &new).await;
    if let Err(Trouble::Globus(_)) = &begun {
        desk.is_over(&new).await?;
    }
    begun
}

async fn try_is_over(state: &AppState, user: &UserId, folder: FolderId) -> Result<bool, Trouble> {
    let folder = own_folder(state, user, folder).await?;
    let Some(transfer) = state.store.folder_transfer(&folder.id).await? else {
        return Ok(true);
    };
    let hpc = hpc_of(state, &folder).map_err(Trouble::Globus)?;
    match Desk::of(state, hpc).await? {
        Ok(desk) if !transfer.is_over => Ok(desk.ask(user, &transfer).await?.is_over()),
        _ => Ok(true),
    }
}

async fn try_status(
    state: &AppState,
    user: &UserId,
    folder: FolderId,
) -> Result<Option<TaskStatus>, Trouble> {
    let folder = own_folder(state, user, folder).await?;
    let hpc = hpc_of(state, &folder).map_err(Trouble::Globus)?;
    let desk = Desk::of(state, hpc).await?.map_err(Trouble::Globus)?;
    match state.store.folder_transfer(&folder.id).await? {
        Some(transfer) => Ok(Some(desk.status(user, &transfer).await?)),
        None => Ok(None),
    }
}

async fn own_folder(state: &AppState, user: &UserId, id: FolderId) -> Result<Folder, GatewayError> {
    let folder = state.store.folder_of(user, &id).await?;
    folder.ok_or(GatewayError::NoFolderToDownload(id))
}

/// The HPC of `folder`; or what to say if it is no longer there.
fn hpc_of<'a>(state: &'a AppState, folder: &Folder) -> Result<&'a Hpc, String> {
    let hpc = state.site.hpcs.get(&folder.hpc);
    hpc.ok_or_else(|| format!("cannot find hpc {}", folder.hpc))
}

fn running_already() -> GatewayError {
    GatewayError::NoDownload("a globus transfer of this folder is running".to_owned())
}

/// Globus, as it serves one HPC.
pub struct Desk<'a> {
    state: &'a AppState,
    globus: &'a Globus,
    who: Identity,
    endpoint: String,
}

impl<'a> Desk<'a> {
    /// The desk of `hpc`; or why there is none, in words.
    ///
    /// # Errors
    /// If the store does not answer.
    pub async fn of(state: &'a AppState, hpc: &Hpc) -> Result<Result<Self, String>, StoreError> {
        let Some(globus) = &state.globus else {
            return Ok(Err("Globus is not set up on this server".to_owned()));
        };
        let (Some(name), Some(endpoint)) = (&hpc.globus.identity, &hpc.globus.endpoint) else {
            return Ok(Err(format!("Globus is not set up for {}", hpc.name)));
        };
        let sealed = state.store.globus_token(name).await?.unwrap_or_default();
        let Ok(refresh_token) = state.seal.open(&sealed, &globus_purpose(name)) else {
            return Ok(Err(format!(
                "there is no Globus token of {name}: the operator has to run \
                 `cybergis-compute globus login {name}`"
            )));
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
        match self.ask(user, transfer).await {
            Err(Trouble::Globus(_) | Trouble::Unknown(_)) if transfer.task_id.is_none() => {
                Ok(TaskStatus::Failed)
            }
            status => status,
        }
    }

    async fn ask(&self, user: &UserId, transfer: &FolderTransfer) -> Result<TaskStatus, Trouble> {
        let task_id = match &transfer.task_id {
            Some(task_id) => task_id.clone(),
            None => self.submit(user, transfer).await?,
        };
        let status = self.globus.task(&self.who, &task_id).await?.status;
        if status.is_over() {
            self.is_over(transfer).await?;
        }
        Ok(status)
    }

    async fn is_over(&self, transfer: &FolderTransfer) -> Result<(), StoreError> {
        let (folder, submission) = (&transfer.folder_id, &transfer.submission_id);
        let store = &self.state.store;
        store.folder_transfer_is_over(folder, submission).await
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
        let hpc = hpc_of(self.state, &folder).map_err(GatewayError::NoDownload)?;
        globus_places::nothing_writes_to(self.state, user, hpc, &folder.id).await?;
        let from = &transfer.source.path;
        let below = from
            .strip_prefix(&folder.globus_path)
            .ok_or_else(|| Trouble::Globus(format!("{from} is not in the folder {}", folder.id)))?;
        let on_hpc = format!("{}{below}", folder.hpc_path);
        globus_places::is_folder(self.state, hpc, &on_hpc)
            .await
            .map_err(Trouble::Globus)
    }

    async fn submit(&self, user: &UserId, new: &FolderTransfer) -> Result<String, Trouble> {
        let mut transfer: Transfer = serde_json::from_value(new.transfer.clone())
            .map_err(|error| Trouble::Globus(format!("the transfer cannot be read: {error}")))?;
        // The row may be of a version that took any destination.
        transfer.destination = globus_places::of_user(self.state, user, &transfer.destination)
            .map_err(Trouble::Globus)?;
        self.look_again(user, new, &transfer).await?;
        let task_id = self.globus.submit(&self.who, &transfer).await?;
        let (folder, submission) = (&new.folder_id, &new.submission_id);
        self.state
            .store
            .folder_transfer_accepted(folder, submission, &task_id)
            .await?;
        tracing::info!(folder.id = %folder, globus.task = task_id, "transfer asked for");
        Ok(task_id)
    }
}
