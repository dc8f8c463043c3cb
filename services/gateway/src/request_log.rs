//! The log and the metrics of requests: a span for each, a line when it is answered.

use std::time::{Duration, Instant};

use axum::{
    extract::{MatchedPath, Request},
    http::{self, HeaderName},
    middleware::Next,
    response::Response,
};
use compute_domain::ids::JobId;
use tracing::{Span, field::Empty};

use crate::meters;

/// The header with the id of a request, also in its response.
pub const REQUEST_ID: HeaderName = HeaderName::from_static(compute_trace::REQUEST_HEADER);

/// Removes an id that must not stand in logs, so that the request gets a new one.
pub async fn remove_invalid_id(mut request: Request) -> Request {
    if id_of(&request).is_none() {
        request.headers_mut().remove(REQUEST_ID);
    }
    request
}

/// The span of a request. Never the query or the body: older clients put tokens
/// there.
pub fn span(request: &Request) -> Span {
    tracing::info_span!(
        "request",
        request.id = id_of(request),
        job.id = Empty,
        method = %request.method(),
        path = request.uri().path()
    )
}

/// Records in the current span that the request is about `job`.
pub fn is_about(job: &JobId) {
    Span::current().record("job.id", job.as_str());
}

/// Logs that a request is answered.
pub fn answered<B>(response: &http::Response<B>, latency: Duration, _span: &Span) {
    let duration_ms = u64::try_from(latency.as_millis()).unwrap_or(u64::MAX);
    tracing::info!(status = response.status().as_u16(), duration_ms, "answered");
}

/// Around each route: records the job, counts and times the request.
pub async fn measure(request: Request, next: Next) -> Response {
    let begun = Instant::now();
    if let Some(job) = job_of(&request) {
        is_about(&job);
    }
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    let route = route.as_ref().map(MatchedPath::as_str);
    meters::answered(&method, route, response.status(), begun.elapsed());
    response
}

fn id_of(request: &Request) -> Option<&str> {
    let id = request.headers().get(REQUEST_ID)?.to_str().ok()?;
    compute_trace::is_fit(id).then_some(id)
}

/// The value of `{id}` after `job` in the path of the route.
fn job_of(request: &Request) -> Option<JobId> {
    let route = request.extensions().get::<MatchedPath>()?.as_str();
    let mut both = route.split('/').zip(request.uri().path().split('/'));
    both.find(|(of_route, _)| *of_route == "job")?;
    let (of_route, id) = both.next()?;
    JobId::parse(id).filter(|_| of_route == "{id}")
}

#[cfg(test)]
mod tests {
    use axum::{Router, body::Body, middleware, routing::get};
    use tower::ServiceExt as _;

    use super::*;

    async fn job_in(path: &str) -> String {
        let answer = async |request: Request| {
            job_of(&request).map_or_else(String::new, |job| job.as_str().to_owned())
        };
        let router = Router::new()
            .route("/job/{id}/events", get(answer))
            .route("/user/job", get(answer))
            .route("/folder/{id}", get(answer));
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = router.oneshot(request).await.unwrap();
        let bytes = axum::body::to_bytes(response.into_body(), 1000).await;
        String::from_utf8(bytes.unwrap().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn the_job_is_known_by_the_route() {
        assert_eq!(job_in("/job/179x/events").await, "179x");
        assert_eq!(job_in("/job/%0a/events").await, "", "not fit for logs");
        assert_eq!(job_in("/user/job").await, "");
        assert_eq!(job_in("/folder/179x").await, "");
    }

    #[tokio::test]
    async fn a_request_keeps_its_id_if_it_is_fit() {
        let echo = async |request: Request| id_of(&request).unwrap_or("none").to_owned();
        let router = Router::new()
            .route("/", get(echo))
            .layer(middleware::map_request(remove_invalid_id));
        for (given, kept) in [("a-1", "a-1"), ("a b", "none"), ("{\"a\":1}", "none")] {
            let request = Request::get("/").header(REQUEST_ID, given);
            let request = request.body(Body::empty()).unwrap();
            let response = router.clone().oneshot(request).await.unwrap();
            let bytes = axum::body::to_bytes(response.into_body(), 1000).await;
            assert_eq!(bytes.unwrap(), kept, "{given}");
        }
    }
}
