//! The `Maintainer` service: wire types stop here.

use std::sync::Arc;

use compute_domain::{ids::JobId, job::State};
use compute_proto::{
    status_of,
    wire::{NoticeRequest, NoticeResponse, maintainer_server::Maintainer},
};
use tonic::{Request, Response, Status};

use crate::{
    context::Context,
    intake::{self, Claimed},
};

/// Answers for this process.
#[derive(Clone)]
pub struct MaintainerService {
    /// The process.
    pub context: Arc<Context>,
}

#[tonic::async_trait]
impl Maintainer for MaintainerService {
    async fn notice(
        &self,
        request: Request<NoticeRequest>,
    ) -> Result<Response<NoticeResponse>, Status> {
        let id = JobId::from_text(request.into_inner().job_id);
        tracing::Span::current().record("job.id", id.as_str());
        let carried = self.look_at(&id).await.map_err(|error| {
            tracing::warn!(%error, "could not look at the job");
            status_of(compute_domain::ErrorKind::Unavailable, &error.to_string())
        })?;
        tracing::info!(carried, "notified about the job");
        Ok(Response::new(NoticeResponse { carried }))
    }
}

impl MaintainerService {
    async fn look_at(&self, id: &JobId) -> anyhow::Result<bool> {
        let context = &self.context;
        let Some(job) = context.store.job(id).await? else {
            return Ok(false);
        };
        let intent = job.intent.zip(job.intent_by.clone());
        if context.active_jobs.request(id, intent) {
            return Ok(true);
        }
        match context.hpcs.get(&job.hpc) {
            Some(hpc) if job.state == State::Queued => {
                Ok(intake::claim(context, hpc, id).await? == Claimed::Taken)
            }
            _ => Ok(false),
        }
    }
}
