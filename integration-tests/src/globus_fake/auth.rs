//! The Auth service: a native app's login with PKCE, and refresh tokens.

use std::collections::HashMap;

use axum::{
    Form, Json,
    extract::{Query, State},
    http::StatusCode,
    response::{Html, IntoResponse as _, Response},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::digest::{SHA256, digest};
use serde_json::json;

use super::{CLIENT_ID, Shared};

const SCOPE: &str = "urn:globus:auth:scope:transfer.api.globus.org:all";

type Fields = HashMap<String, String>;

/// The consent page, which is confirmed at once.
pub(super) async fn authorize(
    State(state): State<Shared>,
    Query(query): Query<Fields>,
) -> Response {
    let field = |key: &str| query.get(key).map(String::as_str).unwrap_or_default();
    let is_good = field("client_id") == CLIENT_ID
        && field("response_type") == "code"
        && field("code_challenge_method") == "S256"
        && field("access_type") == "offline"
        && field("scope").split(' ').any(|scope| scope == SCOPE)
        && field("redirect_uri").ends_with("/v2/web/auth-code");
    if !is_good {
        return (
            StatusCode::BAD_REQUEST,
            "a request that Globus would refuse",
        )
            .into_response();
    }
    let code = uuid::Uuid::new_v4().to_string();
    let challenge = field("code_challenge").to_owned();
    state.lock().codes.insert(code.clone(), challenge);
    Html(format!(
        "<html><body>Your code: <code>{code}</code></body></html>"
    ))
    .into_response()
}

pub(super) async fn token(State(state): State<Shared>, Form(form): Form<Fields>) -> Response {
    let field = |key: &str| form.get(key).map(String::as_str).unwrap_or_default();
    let refuse = |error: &str| {
        let body = json!({"error": error, "errors": [{"code": error}]});
        (StatusCode::BAD_REQUEST, Json(body)).into_response()
    };
    if field("client_id") != CLIENT_ID {
        return refuse("invalid_client");
    }
    match field("grant_type") {
        "authorization_code" => {
            let verifier = digest(&SHA256, field("code_verifier").as_bytes());
            let challenge = state.lock().codes.remove(field("code"));
            if challenge != Some(BASE64_URL_SAFE_NO_PAD.encode(verifier)) {
                return refuse("invalid_grant");
            }
            let refresh = new_refresh_token(&state);
            answer(&state, Some(refresh))
        }
        "refresh_token" => {
            let known = &field("refresh_token").to_owned();
            if !state.lock().refresh_tokens.contains(known) {
                return refuse("invalid_grant");
            }
            answer(&state, None)
        }
        _ => refuse("unsupported_grant_type"),
    }
}

pub(super) fn new_refresh_token(state: &Shared) -> String {
    let token = format!("refresh-{}", uuid::Uuid::new_v4());
    state.lock().refresh_tokens.push(token.clone());
    token
}

fn answer(state: &Shared, refresh: Option<String>) -> Response {
    let access = format!("access-{}", uuid::Uuid::new_v4());
    state.lock().access_tokens.push(access.clone());
    let mut body = json!({"access_token": access, "expires_in": 172_800, "token_type": "Bearer",
        "scope": SCOPE, "resource_server": "transfer.api.globus.org", "other_tokens": []});
    if let (Some(body), Some(refresh)) = (body.as_object_mut(), refresh) {
        body.insert("refresh_token".to_owned(), json!(refresh));
    }
    Json(body).into_response()
}
