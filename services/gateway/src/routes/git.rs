//! Templates.

use axum::{
    Json,
    extract::{Path, State},
};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{error::GatewayError, state::AppState};

/// Templates by id.
#[derive(Debug, Serialize, ToSchema)]
pub struct Templates {
    /// Each manifest with its defaults filled in.
    #[schema(value_type = Object)]
    git: Map<String, Value>,
}

/// Templates that jobs may run.
#[utoipa::path(get, path = "/git", tag = "git", responses((status = OK, body = Templates)))]
pub async fn list(State(state): State<AppState>) -> Json<Templates> {
    Json(Templates {
        git: state.templates.shown(),
    })
}

/// One template's manifest with its defaults filled in.
#[utoipa::path(get, path = "/git/{id}", tag = "git", params(("id" = String, Path)),
    responses((status = OK, body = Object), (status = NOT_FOUND)))]
pub async fn show(
    State(state): State<AppState>,
    Path(id): Path<String>,
) -> Result<Json<Map<String, Value>>, GatewayError> {
    let known = state
        .templates
        .get(&id)
        .filter(|known| known.is_shown)
        .ok_or(GatewayError::UnknownTemplate(id))?;
    Ok(Json(known.manifest.public.clone()))
}
