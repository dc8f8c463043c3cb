//! The legacy server's paths: in any case, with or without a slash at the end, and with the
//! prefix `/v2`, which a deployment's proxy used to add.

use std::task::{Context, Poll};

use axum::{extract::Request, http::Uri};
use tower::{Layer, Service};

/// Rewrites the path of a request before it is routed.
#[derive(Debug, Clone, Copy)]
pub struct NormalisePath;

impl<S> Layer<S> for NormalisePath {
    type Service = Normalised<S>;

    fn layer(&self, inner: S) -> Normalised<S> {
        Normalised { inner }
    }
}

/// A service behind [`NormalisePath`].
#[derive(Debug, Clone)]
pub struct Normalised<S> {
    inner: S,
}

impl<S: Service<Request>> Service<Request> for Normalised<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request) -> S::Future {
        let path = normalise(request.uri().path());
        if path != request.uri().path() {
            let query = request
                .uri()
                .query()
                .map(|query| format!("?{query}"))
                .unwrap_or_default();
            if let Ok(uri) = format!("{path}{query}").parse::<Uri>() {
                *request.uri_mut() = uri;
            }
        }
        self.inner.call(request)
    }
}

/// Ids keep their case; everything else of a route is lower case.
fn normalise(path: &str) -> String {
    let mut parts: Vec<String> = path
        .split('/')
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect();
    if parts
        .first()
        .is_some_and(|part| part.eq_ignore_ascii_case("v2"))
    {
        parts.remove(0);
    }
    let first = parts
        .first()
        .map(|part| part.to_ascii_lowercase())
        .unwrap_or_default();
    if first == "api-docs" {
        // The files of the documentation have their own case, and its start page
        // is a folder.
        let slash = path.ends_with('/') && parts.len() == 1;
        let rest = parts.get(1..).unwrap_or_default().join("/");
        return if rest.is_empty() {
            if slash {
                "/api-docs/".to_owned()
            } else {
                "/api-docs".to_owned()
            }
        } else {
            format!("/api-docs/{rest}")
        };
    }
    let is_id = |at: usize| match first.as_str() {
        "job" | "folder" | "git" => at == 1,
        "statistic" => at == 2,
        _ => false,
    };
    for (at, part) in parts.iter_mut().enumerate() {
        if !is_id(at) {
            part.make_ascii_lowercase();
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::normalise;

    #[test]
    fn paths_of_older_clients() {
        for (path, routed) in [
            ("/", "/"),
            ("/v2", "/"),
            ("/v2/", "/"),
            ("/HPC/", "/hpc"),
            ("/v2/User/Job", "/user/job"),
            (
                "/Job/17954AbC/Result-Folder-Content/",
                "/job/17954AbC/result-folder-content",
            ),
            ("//job/x", "/job/x"),
            ("/statistic/Job/AbC", "/statistic/job/AbC"),
            ("/api-docs/", "/api-docs/"),
            ("/api-docs", "/api-docs"),
            ("/v2/API-DOCS/openapi.json", "/api-docs/openapi.json"),
        ] {
            assert_eq!(normalise(path), routed, "{path}");
        }
    }
}
