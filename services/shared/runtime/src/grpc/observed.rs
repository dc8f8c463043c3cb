//! Around a gRPC service: each call is counted and timed, and answered in a span
//! with the ids that its caller has sent.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use compute_trace::Ids;
use http::{Request, Response};
use tonic::{Code, Status, body::Body, server::NamedService};
use tower::Service;
use tracing::Instrument as _;

use crate::meters::Call;

/// A service whose calls are seen.
#[derive(Debug, Clone)]
pub(super) struct Observed<S>(pub(super) S);

impl<S: NamedService> NamedService for Observed<S> {
    const NAME: &'static str = S::NAME;
}

impl<S> Service<Request<Body>> for Observed<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let path = request.uri().path();
        let method = path.rsplit('/').next().unwrap_or_default().to_owned();
        let Ids {
            request: request_id,
            job,
        } = Ids::from_headers(request.headers());
        let span = tracing::info_span!("call", method, request.id = request_id, job.id = job);
        let answer = span.in_scope(|| self.0.call(request));
        let seen = async move {
            let call = Call::begin(&method);
            let answer = answer.await?;
            // What is refused has its code in the headers.
            let status = Status::from_header_map(answer.headers());
            let code = status.map_or(Code::Ok, |status| status.code());
            let duration = call.end(code);
            let duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
            tracing::debug!(?code, duration_ms, "answered");
            Ok(answer)
        };
        Box::pin(seen.instrument(span))
    }
}
