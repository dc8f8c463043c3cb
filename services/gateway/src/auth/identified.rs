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
    error::GatewayError,
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
///
/// # Errors
/// [`GatewayError`] if it cannot be found out now: then the handler must not run without a key.
pub async fn identify(
    request: Request,
    state: &AppState,
) -> Result<Option<Identified>, GatewayError> {
    match read(request, state).await {
        Err(error) if error.is_for_now() => Err(error),
        Ok(identified) => Ok(identified),
        Err(_) => Ok(None),
    }
}

async fn read(mut request: Request, state: &AppState) -> Result<Option<Identified>, GatewayError> {
    let job = id_in_path(&mut request).await.ok().map(JobId::from_text);
    let mut incoming = Incoming::read(request, state).await?;
    let mut fields = incoming.fields.clone();
    fields.retain(|name, _| !SECRET.contains(&name.as_str()));
    let user = match (incoming.job_token(), job) {
        (Some(token), Some(job)) => owner(state, &token, &job).await?.map(|owner| owner.id),
        (Some(_), None) => None,
        (None, _) => {
            incoming.body::<TokenOnly>(false)?;
            Some(incoming.user::<ForJob>(state).await?.id.clone())
        }
    };
    Ok(user.map(|user| Identified { user, fields }))
}
