//! The caller and the body of a request, both checked, as an extractor.

use std::{marker::PhantomData, sync::Arc};

use axum::extract::{FromRequest, Request};
use serde_json::{Map, Value};

use super::{HubError, HubToken, Refusals, hub::HubUser};
use crate::{
    body,
    error::GatewayError,
    schema::{Schema, TOKEN, check},
    state::AppState,
};

/// A request whose body fits the schema `S` and whose caller is known; if not, the
/// route refuses as `R` says, and the handler does not run.
#[derive(Debug)]
pub struct Authorized<R, S> {
    /// Who is calling.
    pub user: Arc<HubUser>,
    /// The body's fields, without the token; no field is `null`.
    pub body: Map<String, Value>,
    way: PhantomData<(R, S)>,
}

impl<R: Refusals, S: Schema> FromRequest<AppState> for Authorized<R, S> {
    type Rejection = GatewayError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, GatewayError> {
        let in_header = HubToken::is_in_header(request.headers());
        let from_header = HubToken::from_headers(request.headers());
        let mut body = body::read(request).await?;
        check(S::FIELDS, &body, in_header).map_err(GatewayError::InvalidInput)?;
        body.retain(|_, value| !value.is_null());
        let token = match body.remove(TOKEN) {
            Some(Value::String(encoded)) => HubToken::decode(&encoded),
            _ => from_header,
        };
        // A token that cannot be read names no hub.
        let user = match token {
            Some(token) => state.hubs.user(&token).await,
            None => Err(HubError::UnknownHost),
        };
        Ok(Self {
            user: user.map_err(R::refuse)?,
            body,
            way: PhantomData,
        })
    }
}
