//! Who sent a request, found out before its handler runs.

use axum::extract::Request;
use compute_domain::ids::{JobId, UserId};
use serde_json::{Map, Value};

use super::{
    TokenOnly,
    caller::{Incoming, id_in_path},
    own_job::owner,
};
use crate::{
    legacy::{
        fields::{ACCESS_TOKEN, TOKEN},
        route_groups::ForJob,
    },
    state::AppState,
};

/// Fields of a body that are secret, or differ each time.
const SECRET: [&str; 3] = [ACCESS_TOKEN, TOKEN, "password"];

/// The sender of a request, and what it asks for.
#[derive(Debug)]
pub struct Identified {
    /// Who sent it.
    pub user: UserId,
    /// The fields of its body, without tokens and passwords.
    pub fields: Map<String, Value>,
}

/// Who sent `request`; `None` if that is not known, or the body cannot be read. The handler
/// rejects such a request, with the status of its route.
pub async fn identify(mut request: Request, state: &AppState) -> Option<Identified> {
    let job = id_in_path(&mut request).await.ok().map(JobId::from_text);
    let mut incoming = Incoming::read(request, state).await.ok()?;
    let mut fields = incoming.fields.clone();
    fields.retain(|name, _| !SECRET.contains(&name.as_str()));
    let user = match incoming.job_token() {
        Some(token) => owner(state, &token, &job?).await.ok()??.id,
        None => {
            incoming.body::<TokenOnly>(false).ok()?;
            let user = incoming.user::<ForJob>(state).await.ok()?;
            user.id.clone()
        }
    };
    Some(Identified { user, fields })
}
