//! The caller's folders on HPCs.

use axum::{
    Json,
    extract::{Path, State},
    response::Response,
};
use compute_db::FolderPatch;
use compute_domain::ids::FolderId;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    auth::{Authorized, ForChange},
    error::GatewayError,
    job_view::FolderView,
    schema::{ChangeFolder, TokenOnly, name_in},
    state::AppState,
};

/// The caller's folders.
#[derive(Debug, Serialize, ToSchema)]
pub struct Folders {
    /// In the order in which they were made.
    folder: Vec<FolderView>,
}

/// A folder was deleted.
#[derive(Debug, Serialize, ToSchema)]
pub struct Deleted {
    success: bool,
}

/// The caller's folders.
#[utoipa::path(get, path = "/folder", request_body = TokenOnly, tag = "folder", responses((status = OK, body = Folders)))]
pub async fn list(
    State(state): State<AppState>,
    caller: Authorized<ForChange, TokenOnly>,
) -> Result<Response, GatewayError> {
    let place = state.lists.take(&caller.user.id).await?;
    let folders = state.store.folders_of(&caller.user.id).await?;
    let folder = folders.into_iter().map(FolderView::from).collect();
    Ok(place.until_sent(Json(Folders { folder })))
}

/// One folder, as an array of it; an empty one if the caller has none of that id.
#[utoipa::path(get, path = "/folder/{id}", request_body = TokenOnly, tag = "folder", params(("id" = String, Path)),
    responses((status = OK, body = Vec<FolderView>)))]
pub async fn show(
    State(state): State<AppState>,
    Path(id): Path<String>,
    caller: Authorized<ForChange, TokenOnly>,
) -> Result<Json<Vec<FolderView>>, GatewayError> {
    let id = FolderId::from_text(id);
    let folder = state.store.folder_of(&caller.user.id, &id).await?;
    Ok(Json(folder.into_iter().map(FolderView::from).collect()))
}

/// Renames a folder, or says whether jobs may write to it.
#[utoipa::path(put, path = "/folder/{id}", request_body = ChangeFolder, tag = "folder", params(("id" = String, Path)),
    responses((status = OK, body = FolderView), (status = UNAUTHORIZED), (status = NOT_FOUND)))]
pub async fn change(
    State(state): State<AppState>,
    Path(id): Path<String>,
    caller: Authorized<ForChange, ChangeFolder>,
) -> Result<Json<FolderView>, GatewayError> {
    let (id, user) = (FolderId::from_text(id), &caller.user.id);
    let patch = FolderPatch {
        name: name_in(&caller.body)?,
        is_writable: caller.body.get("isWritable").and_then(Value::as_bool),
    };
    let own = state.store.folder_of(user, &id).await?;
    if own.is_some() && patch == FolderPatch::default() {
        return Err(GatewayError::NoFolderChange);
    }
    let changed = state.store.change_folder(user, &id, patch).await?;
    let folder = changed.ok_or(GatewayError::NoSuchFolder(id))?;
    Ok(Json(folder.into()))
}

/// Takes a folder out of the list. What is in it stays on the HPC.
#[utoipa::path(delete, path = "/folder/{id}", request_body = TokenOnly, tag = "folder", params(("id" = String, Path)),
    responses((status = OK, body = Deleted), (status = NOT_FOUND)))]
pub async fn delete(
    State(state): State<AppState>,
    Path(id): Path<String>,
    caller: Authorized<ForChange, TokenOnly>,
) -> Result<Json<Deleted>, GatewayError> {
    let id = FolderId::from_text(id);
    if !state.store.delete_folder(&caller.user.id, &id).await? {
        return Err(GatewayError::NoSuchFolder(id));
    }
    Ok(Json(Deleted { success: true }))
}
