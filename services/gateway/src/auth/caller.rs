//! The caller and the body of a request, both checked, as an extractor.

use std::{marker::PhantomData, net::IpAddr, sync::Arc};

use axum::{
    RequestExt as _,
    extract::{FromRequest, Path, Request},
};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{HubError, HubToken, hub::HubUser};
use crate::{
    client_address::client_address,
    error::GatewayError,
    legacy::{
        body,
        fields::{ACCESS_TOKEN, Body, TOKEN, parse},
        route_groups::RouteGroup,
    },
    state::AppState,
};

/// The body of a route that takes nothing but the token.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(examples(json!({"jupyterhubApiToken": "aHViLmV4YW1wbGUub3JnQFRPS0VO"})))]
pub struct TokenOnly {}

/// A request whose caller is known and whose body is a `B`. If not, the request is
/// rejected with the statuses of the group `G`, and the handler does not run.
#[derive(Debug)]
pub struct Authorized<G, B> {
    /// Who is calling.
    pub user: Arc<HubUser>,
    /// The body, without the token.
    pub body: B,
    group: PhantomData<G>,
}

impl<G: RouteGroup, B: Body> FromRequest<AppState> for Authorized<G, B> {
    type Rejection = GatewayError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, GatewayError> {
        let mut incoming = Incoming::read(request, state).await?;
        let body = incoming.body(false)?;
        let user = incoming.user::<G>(state).await?;
        state.rate.admit(&user.id)?;
        Ok(Self {
            user,
            body,
            group: PhantomData,
        })
    }
}

/// What a request says of its caller, and the fields of its body.
pub(super) struct Incoming {
    client: IpAddr,
    token: Option<HubToken>,
    pub(super) fields: Map<String, Value>,
}

impl Incoming {
    pub(super) async fn read(request: Request, state: &AppState) -> Result<Self, GatewayError> {
        Ok(Self {
            client: client_address(&state.site.server.trusted_proxies, &request),
            token: HubToken::from_headers(request.headers()),
            fields: body::read(request).await?,
        })
    }

    /// The token of a job, unless the body holds a hub's token as well.
    pub(super) fn job_token(&self) -> Option<String> {
        let token = self.fields.get(ACCESS_TOKEN)?.as_str()?;
        (!self.fields.contains_key(TOKEN)).then(|| token.to_owned())
    }

    /// The fields as a `B`. A hub's token in the body goes before one in a header.
    pub(super) fn body<B: Body>(&mut self, has_job_token: bool) -> Result<B, GatewayError> {
        let token_elsewhere = has_job_token || self.token.is_some();
        let (token, body) = parse(std::mem::take(&mut self.fields), token_elsewhere)?;
        if let Some(encoded) = token {
            self.token = HubToken::decode(&encoded);
        }
        Ok(body)
    }

    /// Asks the hub whose the token is. A token that cannot be read names no hub.
    pub(super) async fn user<G: RouteGroup>(
        &self,
        state: &AppState,
    ) -> Result<Arc<HubUser>, GatewayError> {
        let user = match &self.token {
            Some(token) => state.hubs.user(token, self.client).await,
            None => Err(HubError::UnknownHost),
        };
        user.map_err(|error| G::RULES.unknown_caller(error))
    }
}

/// The id in the path of the route.
pub(super) async fn id_in_path(request: &mut Request) -> Result<String, GatewayError> {
    let path = request.extract_parts::<Path<String>>().await;
    let Path(id) = path.map_err(|_| GatewayError::MalformedPath)?;
    Ok(id)
}
