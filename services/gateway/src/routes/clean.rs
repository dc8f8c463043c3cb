//! Removal of expired folders.

use axum::{Json, extract::State};
use compute_domain::job::Folder;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    auth::{Authorized, TokenOnly},
    error::GatewayError,
    legacy::route_groups::ForAccount,
    state::AppState,
};

/// Folders of one request, as the caller waits.
const AT_ONCE: usize = 20;

/// The folders that were removed.
#[derive(Debug, Serialize, ToSchema)]
pub struct Cleaned {
    /// One sentence for each folder, and one about all.
    messages: Vec<String>,
    /// Ids of the folders that are gone.
    folder: Vec<String>,
}

/// Removes the caller's expired folders on community accounts, on the HPC as well:
/// those that are older than the operator keeps folders, and that no job needs.
#[utoipa::path(put, path = "/clean", request_body = TokenOnly, tag = "folder",
    responses((status = OK, body = Cleaned)))]
pub async fn clean(
    State(state): State<AppState>,
    caller: Authorized<ForAccount, TokenOnly>,
) -> Result<Json<Cleaned>, GatewayError> {
    let user = &caller.user.id;
    let before = state.clock.now().minus(state.site.server.folder_retention);
    // The connector cannot log in to private accounts now; their owners remove the folders.
    let hpcs = state.site.hpcs.values();
    let community: Vec<_> = hpcs
        .filter(|hpc| hpc.is_community_account)
        .map(|hpc| hpc.name.as_str())
        .collect();
    let expired = state
        .store
        .expired_folders_of(user, &community, before, AT_ONCE)
        .await?;
    let is_all = expired.len() < AT_ONCE;
    let mut cleaned = Cleaned {
        messages: Vec::new(),
        folder: Vec::new(),
    };
    for folder in expired {
        let id = folder.id.clone();
        // From now on no job that names the folder is submitted.
        if !state.store.retire_folder(user, &id).await? {
            continue;
        }
        match remove(&state, &folder).await {
            Ok(()) => {
                cleaned.messages.push(format!("folder {id} is removed"));
                cleaned.folder.push(id.to_string());
            }
            Err(reason) => {
                state.store.unretire_folder(user, &id).await?;
                let words = format!("folder {id} could not be removed: {reason}");
                cleaned.messages.push(words);
            }
        }
    }
    let removed = cleaned.folder.len();
    tracing::info!(user.id = %user, removed, "cleaned");
    cleaned.messages.push(if is_all {
        format!("{removed} expired folders are removed")
    } else {
        format!("{removed} expired folders are removed, there may be more: ask again")
    });
    Ok(Json(cleaned))
}

/// Removes the folder, and before it the scripts, variables and logs of the jobs whose results
/// are in it.
async fn remove(state: &AppState, folder: &Folder) -> Result<(), String> {
    let connector = state.connectors.of_hpc(&folder.hpc);
    let connector = connector.ok_or_else(|| format!("there is no HPC {}", folder.hpc))?;
    let (user, id) = (&folder.user_id, &folder.id);
    let jobs = state.store.jobs_with_result_in(user, id).await;
    for job in jobs.map_err(|error| error.to_string())? {
        let removed = connector.remove_job(&job).await;
        removed.map_err(|error| error.to_string())?;
    }
    connector
        .remove_folder(&folder.hpc_path)
        .await
        .map_err(|error| error.to_string())
}
