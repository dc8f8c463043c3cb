//! Responses of the legacy server's web framework outside of handlers: `OPTIONS` lists the
//! methods of a route, `/api-docs` redirects to the documentation, and JSON has a character
//! set.

use axum::{
    body::Body,
    extract::Request,
    http::{
        HeaderValue, Method, StatusCode,
        header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE, LOCATION},
    },
    middleware::Next,
    response::{IntoResponse as _, Response},
};

const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

/// Page that leads to the documentation; relative, so that it holds under a prefix.
const REDIRECT: &str = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
    <title>Redirecting</title>\n</head>\n<body>\n<pre>Redirecting to \
    <a href=\"/api-docs/\">/api-docs/</a></pre>\n</body>\n</html>\n";

/// Around the router: only there it is known which methods a route has.
pub async fn respond(request: Request, next: Next) -> Response {
    if request.uri().path() == "/api-docs" && request.method() == Method::GET {
        let headers = [
            (CONTENT_TYPE, HTML),
            (LOCATION, HeaderValue::from_static("api-docs/")),
        ];
        return (StatusCode::MOVED_PERMANENTLY, headers, REDIRECT).into_response();
    }
    let asks_for_methods = request.method() == Method::OPTIONS;
    let mut response = next.run(request).await;
    if let Some(kind) = response.headers_mut().get_mut(CONTENT_TYPE)
        && kind == "application/json"
    {
        *kind = JSON;
    }
    match response.headers().get(ALLOW).cloned() {
        Some(methods) if asks_for_methods => methods_of(response, &methods),
        _ => response,
    }
}

fn methods_of(response: Response, methods: &HeaderValue) -> Response {
    let (mut parts, _) = response.into_parts();
    parts.status = StatusCode::OK;
    parts.headers.insert(CONTENT_TYPE, HTML);
    parts.headers.remove(CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(methods.as_bytes().to_vec()))
}

#[cfg(test)]
mod tests {
    use axum::{Router, http, middleware, routing::get};
    use tower::{Layer as _, ServiceExt as _};

    use super::*;

    async fn asked(method: &str, path: &str) -> (u16, String) {
        let handler = async || "got";
        let router = Router::new()
            .route("/hpc", get(handler))
            .route("/job/{id}", get(handler).put(handler).delete(handler));
        let app = middleware::from_fn(respond).layer(router);
        let request = http::Request::builder().method(method).uri(path);
        let response = app
            .oneshot(request.body(Body::empty()).unwrap())
            .await
            .unwrap();
        let status = response.status().as_u16();
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 16)
            .await
            .unwrap();
        (status, String::from_utf8(bytes.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn options_name_the_methods() {
        for (method, path, status, body) in [
            ("OPTIONS", "/hpc", 200, "GET,HEAD"),
            ("OPTIONS", "/job/x", 200, "GET,HEAD,PUT,DELETE"),
            ("OPTIONS", "/nowhere", 404, ""),
            ("GET", "/hpc", 200, "got"),
            ("POST", "/hpc", 405, ""),
        ] {
            assert_eq!(
                asked(method, path).await,
                (status, body.to_owned()),
                "{method} {path}"
            );
        }
    }

    #[tokio::test]
    async fn documentation_is_a_folder() {
        let (status, page) = asked("GET", "/api-docs").await;
        assert_eq!(status, 301);
        assert!(page.contains("/api-docs/"), "{page}");
        assert_eq!(
            asked("GET", "/api-docs/").await.0,
            404,
            "that is the router's"
        );
    }
}
