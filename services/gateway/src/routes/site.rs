//! Public information about the deployment.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use compute_domain::site::Hub;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::state::AppState;

/// A greeting.
#[derive(Debug, Serialize, ToSchema)]
pub struct Hello {
    /// Always `hello world`.
    message: &'static str,
}

/// HPCs by name.
#[derive(Debug, Serialize, ToSchema)]
pub struct Hpcs {
    /// Without login, key, root path and batch preamble.
    #[schema(value_type = Object)]
    hpc: BTreeMap<String, Map<String, Value>>,
}

/// Maintainers by name.
#[derive(Debug, Serialize, ToSchema)]
pub struct Maintainers {
    /// As configured.
    #[schema(value_type = Object)]
    maintainer: BTreeMap<String, Map<String, Value>>,
}

/// Containers by name.
#[derive(Debug, Serialize, ToSchema)]
pub struct Containers {
    /// As configured.
    #[schema(value_type = Object)]
    container: BTreeMap<String, Map<String, Value>>,
}

/// Hubs whose users may log in: host and comment.
#[derive(Debug, Serialize, ToSchema)]
pub struct Allowlist {
    /// Comment by host.
    allowlist: BTreeMap<String, String>,
}

/// The same under its older name.
#[derive(Debug, Serialize, ToSchema)]
pub struct Whitelist {
    /// Comment by host.
    whitelist: BTreeMap<String, String>,
}

/// Announcements.
#[derive(Debug, Serialize, ToSchema)]
pub struct Announcements {
    /// As configured.
    #[schema(value_type = Vec<Object>)]
    announcements: Vec<Value>,
}

/// Greets.
#[utoipa::path(get, path = "/", tag = "site", responses((status = OK, body = Hello)))]
pub async fn hello() -> Json<Hello> {
    Json(Hello {
        message: "hello world",
    })
}

/// HPCs that jobs may run on.
#[utoipa::path(get, path = "/hpc", tag = "site", responses((status = OK, body = Hpcs)))]
pub async fn hpc(State(state): State<AppState>) -> Json<Hpcs> {
    let hpcs = state.site.hpcs.iter();
    Json(Hpcs {
        hpc: hpcs
            .map(|(name, hpc)| (name.clone(), hpc.public.clone()))
            .collect(),
    })
}

/// Maintainers that jobs may name.
#[utoipa::path(get, path = "/maintainer", tag = "site", responses((status = OK, body = Maintainers)))]
pub async fn maintainer(State(state): State<AppState>) -> Json<Maintainers> {
    let all = state.site.maintainers.iter();
    Json(Maintainers {
        maintainer: all
            .map(|(name, m)| (name.clone(), m.public.clone()))
            .collect(),
    })
}

/// Containers that templates may name.
#[utoipa::path(get, path = "/container", tag = "site", responses((status = OK, body = Containers)))]
pub async fn container(State(state): State<AppState>) -> Json<Containers> {
    let all = state.site.containers.iter();
    Json(Containers {
        container: all
            .map(|(name, c)| (name.clone(), c.public.clone()))
            .collect(),
    })
}

/// Hubs whose users may log in.
#[utoipa::path(get, path = "/allowlist", tag = "site", responses((status = OK, body = Allowlist)))]
pub async fn allowlist(State(state): State<AppState>) -> Json<Allowlist> {
    Json(Allowlist {
        allowlist: comments(&state.site.hubs),
    })
}

/// Hubs whose users may log in, under the older name.
#[utoipa::path(get, path = "/whitelist", tag = "site", responses((status = OK, body = Whitelist)))]
pub async fn whitelist(State(state): State<AppState>) -> Json<Whitelist> {
    Json(Whitelist {
        whitelist: comments(&state.site.hubs),
    })
}

/// What the operator announces.
#[utoipa::path(get, path = "/announcement", tag = "site", responses((status = OK, body = Announcements)))]
pub async fn announcement(State(state): State<AppState>) -> Json<Announcements> {
    Json(Announcements {
        announcements: state.site.announcements.clone(),
    })
}

fn comments(hubs: &BTreeMap<String, Hub>) -> BTreeMap<String, String> {
    hubs.iter()
        .map(|(host, hub)| (host.clone(), hub.comment.clone()))
        .collect()
}
