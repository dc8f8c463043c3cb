//! The caller's folders on HPCs.

use axum::{Json, extract::State, response::Response};
use compute_db::FolderPatch;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    auth::{Authorized, OwnFolder, TokenOnly},
    error::GatewayError,
    job_view::FolderView,
    legacy::route_groups::ForAccount,
    limits::check_name,
    state::AppState,
};

/// The caller's folders.
#[derive(Debug, Serialize, ToSchema)]
pub struct Folders {
    /// In the order in which they were made.
    folder: Vec<FolderView>,
}

/// `PUT /folder/:id`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({"name": "first results", "isWritable": false})))]
pub struct ChangeFolder {
    /// A name of at most 255 characters.
    name: Option<String>,
    /// Whether jobs may write to it.
    is_writable: Option<bool>,
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
    caller: Authorized<ForAccount, TokenOnly>,
) -> Result<Response, GatewayError> {
    let slot = state.lists.take(&caller.user.id).await?;
    let folders = state.store.folders_of(&caller.user.id).await?;
    let folder = folders.into_iter().map(FolderView::from).collect();
    Ok(slot.until_sent(Json(Folders { folder })))
}

/// One folder, as an array of it; an empty one if the caller has none of that id.
#[utoipa::path(get, path = "/folder/{id}", request_body = TokenOnly, tag = "folder", params(("id" = String, Path)),
    responses((status = OK, body = Vec<FolderView>)))]
pub async fn show(
    own: Option<OwnFolder<ForAccount, TokenOnly>>,
) -> Result<Json<Vec<FolderView>>, GatewayError> {
    let folder = own.map(|own| FolderView::from(own.folder));
    Ok(Json(folder.into_iter().collect()))
}

/// Renames a folder, or says whether jobs may write to it.
#[utoipa::path(put, path = "/folder/{id}", request_body = ChangeFolder, tag = "folder", params(("id" = String, Path)),
    responses((status = OK, body = FolderView), (status = UNAUTHORIZED), (status = NOT_FOUND)))]
pub async fn change(
    State(state): State<AppState>,
    OwnFolder { folder, caller }: OwnFolder<ForAccount, ChangeFolder>,
) -> Result<Json<FolderView>, GatewayError> {
    let ChangeFolder { name, is_writable } = caller.body;
    check_name(name.as_deref())?;
    let patch = FolderPatch { name, is_writable };
    if patch == FolderPatch::default() {
        return Err(GatewayError::NoFolderChange);
    }
    let (user, id) = (&caller.user.id, folder.id);
    let changed = state.store.change_folder(user, &id, patch).await?;
    let folder = changed.ok_or(GatewayError::NoSuchFolder(id))?;
    Ok(Json(folder.into()))
}

/// Takes a folder out of the list. What is in it stays on the HPC.
#[utoipa::path(delete, path = "/folder/{id}", request_body = TokenOnly, tag = "folder", params(("id" = String, Path)),
    responses((status = OK, body = Deleted), (status = NOT_FOUND)))]
pub async fn delete(
    State(state): State<AppState>,
    OwnFolder { folder, caller }: OwnFolder<ForAccount, TokenOnly>,
) -> Result<Json<Deleted>, GatewayError> {
    let id = folder.id;
    if !state.store.delete_folder(&caller.user.id, &id).await? {
        return Err(GatewayError::NoSuchFolder(id));
    }
    Ok(Json(Deleted { success: true }))
}
