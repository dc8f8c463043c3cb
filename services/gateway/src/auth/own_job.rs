//! The caller's own job, as an extractor.

use std::{marker::PhantomData, sync::Arc};

use axum::extract::{FromRequest, Request};
use compute_domain::{ids::JobId, job::Job};

use super::{
    HubError,
    caller::{Incoming, id_in_path},
    hub::HubUser,
};
use crate::{
    error::GatewayError,
    legacy::{
        fields::Body,
        job_token::{self, AccessToken, WasUsed},
        route_groups::{ForJob, RouteGroup},
    },
    response_slots::ResponseSlot,
    state::AppState,
};

/// A request about the job in its path, which is the caller's. If the caller has no such
/// job, the request is rejected as the group `G` says.
#[derive(Debug)]
pub struct OwnJob<G, B> {
    /// The job.
    pub job: Job,
    /// Who is calling: its owner.
    pub user: Arc<HubUser>,
    /// The body, without the token.
    pub body: B,
    /// Whether the caller has shown the job's own token, which opens nothing else of its
    /// owner.
    pub by_job_token: bool,
    group: PhantomData<G>,
}

/// An [`OwnJob`] whose response may be long: it is loaded when the caller's earlier long
/// responses are sent, so that one user's requests take a bounded amount of memory.
#[derive(Debug)]
pub struct OwnJobInTurn<B> {
    /// The job.
    pub job: Job,
    /// To be kept until the response is sent.
    pub slot: ResponseSlot,
    group: PhantomData<B>,
}

impl<G: RouteGroup, B: Body> FromRequest<AppState> for OwnJob<G, B> {
    type Rejection = GatewayError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, GatewayError> {
        let caller = Caller::read::<G>(request, state).await?;
        caller.load::<G>(state).await
    }
}

impl<B: Body> FromRequest<AppState> for OwnJobInTurn<B> {
    type Rejection = GatewayError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, GatewayError> {
        let caller = Caller::<B>::read::<ForJob>(request, state).await?;
        let slot = state.pages.take(&caller.user.id).await?;
        let OwnJob { job, .. } = caller.load::<ForJob>(state).await?;
        Ok(Self {
            job,
            slot,
            group: PhantomData,
        })
    }
}

/// Who asks about which job.
struct Caller<B> {
    id: JobId,
    user: Arc<HubUser>,
    body: B,
    /// Whether the job's own token was shown.
    by_job_token: bool,
}

impl<B: Body> Caller<B> {
    async fn read<G: RouteGroup>(
        mut request: Request,
        state: &AppState,
    ) -> Result<Self, GatewayError> {
        let id = JobId::from_text(id_in_path(&mut request).await?);
        let was_used = request.extensions().get::<WasUsed>().cloned();
        let mut incoming = Incoming::read(request, state).await?;
        let job_token = incoming.job_token().filter(|_| G::RULES.job_tokens);
        let body = incoming.body(job_token.is_some())?;
        let (user, by_job_token) = match job_token {
            Some(token) => {
                let user = owner(state, &token, &id)
                    .await?
                    .ok_or_else(|| G::RULES.unknown_caller(HubError::Refused))?;
                if let Some(was_used) = was_used {
                    was_used.set();
                }
                (Arc::new(user), true)
            }
            None => (incoming.user::<G>(state).await?, false),
        };
        state.rate.admit(&user.id)?;
        Ok(Self {
            id,
            user,
            body,
            by_job_token,
        })
    }

    async fn load<G: RouteGroup>(self, state: &AppState) -> Result<OwnJob<G, B>, GatewayError> {
        let Self {
            id,
            user,
            body,
            by_job_token,
        } = self;
        // A row can be large: also one whose token was checked is held from here on only.
        let job = state.store.job_of(&user.id, &id).await?;
        Ok(OwnJob {
            job: job.ok_or_else(|| (G::RULES.unknown_job)(id))?,
            user,
            body,
            by_job_token,
            group: PhantomData,
        })
    }
}

/// The owner of the job `id`, if `token` was made for it.
pub(super) async fn owner(
    state: &AppState,
    token: &str,
    id: &JobId,
) -> Result<Option<HubUser>, GatewayError> {
    let Some(token) = AccessToken::decode(token).filter(|token| token.job() == id) else {
        return Ok(None);
    };
    if !state.site.server.job_tokens {
        return Ok(None);
    }
    let Some(job) = state.store.job(id).await? else {
        return Ok(None);
    };
    let sealed = job.secret_token.as_deref().unwrap_or_default();
    let Ok(secret) = state.seal.open(sealed, &job_token::purpose(&job.id)) else {
        return Ok(None);
    };
    let is_valid = token.is_valid(&secret, state.clock.now());
    let user: Option<HubUser> = state.hubs.known_user(&job.user_id);
    Ok(user.filter(|_| is_valid))
}
