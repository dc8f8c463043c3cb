//! The caller's own folder, as an extractor.

use axum::extract::{FromRequest, OptionalFromRequest, Request};
use compute_domain::{ids::FolderId, job::Folder};

use super::{Authorized, caller::id_in_path};
use crate::{
    error::GatewayError,
    legacy::{fields::Body, route_groups::RouteGroup},
    state::AppState,
};

/// A request about the folder in its path, which is the caller's. If the caller has no
/// such folder, the request is rejected as the group `G` says; an
/// `Option<OwnFolder<_, _>>` is `None` instead.
#[derive(Debug)]
pub struct OwnFolder<G, B> {
    /// The folder.
    pub folder: Folder,
    /// The caller and the body.
    pub caller: Authorized<G, B>,
}

impl<G: RouteGroup, B: Body> OwnFolder<G, B> {
    async fn find(
        request: Request,
        state: &AppState,
    ) -> Result<Result<Self, FolderId>, GatewayError> {
        let mut request = request;
        let id = FolderId::from_text(id_in_path(&mut request).await?);
        let caller =
            <Authorized<G, B> as FromRequest<AppState>>::from_request(request, state).await?;
        let folder = state.store.folder_of(&caller.user.id, &id).await?;
        Ok(folder.map(|folder| Self { folder, caller }).ok_or(id))
    }
}

impl<G: RouteGroup, B: Body> FromRequest<AppState> for OwnFolder<G, B> {
    type Rejection = GatewayError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, GatewayError> {
        Self::find(request, state)
            .await?
            .map_err(G::RULES.unknown_folder)
    }
}

impl<G: RouteGroup, B: Body> OptionalFromRequest<AppState> for OwnFolder<G, B> {
    type Rejection = GatewayError;

    async fn from_request(
        request: Request,
        state: &AppState,
    ) -> Result<Option<Self>, GatewayError> {
        Ok(Self::find(request, state).await?.ok())
    }
}
