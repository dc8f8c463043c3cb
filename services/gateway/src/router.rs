//! All routes.

use std::time::Duration;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{StatusCode, Uri},
    middleware,
    response::IntoResponse as _,
};
use tower::ServiceBuilder;
use tower_http::{
    catch_panic::CatchPanicLayer,
    request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer},
    timeout::TimeoutLayer,
    trace::TraceLayer,
};
use utoipa::OpenApi as _;
use utoipa_axum::{router::OpenApiRouter, routes};
use utoipa_swagger_ui::SwaggerUi;

use crate::{
    error::{self, GatewayError},
    idempotency,
    legacy::{body, job_token},
    openapi::{self, Document},
    request_log::{self, REQUEST_ID},
    routes::{
        clean, credential, download, folder, git, job, job_control, site, statistic, usage, user,
    },
    state::AppState,
};

/// How long a request may take.
const TIMEOUT: Duration = Duration::from_secs(30);

fn api() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(site::hello))
        .routes(routes!(site::hpc))
        .routes(routes!(site::maintainer))
        .routes(routes!(site::container))
        .routes(routes!(site::allowlist))
        .routes(routes!(site::whitelist))
        .routes(routes!(site::announcement))
        .routes(routes!(git::list))
        .routes(routes!(git::show))
        .routes(routes!(user::show))
        .routes(routes!(user::jupyter_globus))
        .routes(routes!(user::jobs))
        .routes(routes!(usage::slurm_usage))
        .routes(routes!(statistic::all))
        .routes(routes!(statistic::of_job))
        .routes(routes!(folder::list))
        .routes(routes!(folder::show, folder::change, folder::delete))
        .routes(routes!(clean::clean))
        .routes(routes!(download::globus_init))
        .routes(routes!(download::globus_status))
        .routes(routes!(job::create))
        .routes(routes!(job::show, job::change))
        .routes(routes!(job::submit))
        .routes(routes!(job::events))
        .routes(routes!(job::logs))
        .routes(routes!(job::result_folder_content))
        .routes(routes!(job_control::cancel))
        .routes(routes!(job_control::pause))
        .routes(routes!(job_control::resume))
        .routes(routes!(credential::give))
}

/// The OpenAPI document of the routes.
pub fn document() -> utoipa::openapi::OpenApi {
    let mut document = api().split_for_parts().1;
    openapi::complete(&mut document);
    document
}

/// The routes with their middleware.
pub fn router(state: AppState) -> Router {
    let (routes, mut document) = api().split_for_parts();
    openapi::complete(&mut document);
    // Each from the outside in.
    let request_log = ServiceBuilder::new()
        .layer(middleware::map_request(request_log::remove_invalid_id))
        .layer(SetRequestIdLayer::new(REQUEST_ID, MakeRequestUuid))
        .layer(
            TraceLayer::new_for_http()
                .make_span_with(request_log::span)
                .on_response(request_log::answered),
        )
        .layer(middleware::from_fn(request_log::measure))
        .layer(PropagateRequestIdLayer::new(REQUEST_ID));
    let bounded = ServiceBuilder::new()
        .layer(CatchPanicLayer::custom(|_| {
            GatewayError::Internal.into_response()
        }))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            TIMEOUT,
        ));
    let once = middleware::from_fn_with_state(state.clone(), idempotency::answer_once);
    routes
        .layer(once)
        .layer(middleware::from_fn(job_token::announce_deprecation))
        .fallback(unknown_route)
        .method_not_allowed_fallback(unknown_route)
        .layer(DefaultBodyLimit::max(body::LIMIT))
        .with_state(state)
        .merge(SwaggerUi::new("/api-docs").url("/api-docs/openapi.json", document))
        .layer(bounded)
        .layer(middleware::map_response(error::in_json))
        .layer(request_log)
}

/// A route is a method and a path: another method is another route, as in the legacy server.
async fn unknown_route(uri: Uri) -> GatewayError {
    GatewayError::UnknownRoute(uri.path().to_owned())
}
