//! Who may call what: a table of the service's methods, asked before each call.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use rustls::pki_types::CertificateDer;
use tonic::{
    Status,
    body::Body,
    server::NamedService,
    transport::server::{TcpConnectInfo, TlsConnectInfo},
};
use tower::Service;

use crate::tls::Role;

/// A method by its name in the contract, and the roles that may call it.
pub type Method = (&'static str, &'static [Role]);

/// The methods of a service; no role may call one that is not listed.
#[derive(Debug, Clone, Copy)]
pub struct Callers(pub &'static [Method]);

impl Callers {
    fn of(self, method: &str) -> &'static [Role] {
        let listed = self.0.iter().find(|(name, _)| *name == method);
        listed.map_or(&[], |(_, roles)| roles)
    }

    /// The answer to a call of `path` (`/package.Service/Method`) by whoever has
    /// shown `certificate`, if it is not for them.
    fn refusal(self, path: &str, certificate: Option<&CertificateDer<'_>>) -> Option<Status> {
        let method = path.rsplit('/').next().unwrap_or_default();
        let Some(certificate) = certificate else {
            return Some(Status::unauthenticated("no certificate was shown"));
        };
        let allowed = self.of(method);
        let is_allowed = allowed.iter().any(|role| role.is_in(certificate));
        (!is_allowed).then(|| {
            let allowed: Vec<_> = allowed.iter().map(|role| role.name()).collect();
            Status::permission_denied(format!(
                "{method} is for {} only, which the certificate of the caller does not say",
                allowed.join(", ")
            ))
        })
    }
}

/// A service whose methods are for certain callers.
#[derive(Clone)]
pub(super) struct Guarded<S> {
    inner: S,
    callers: Callers,
}

impl<S> Guarded<S> {
    pub(super) fn new(inner: S, callers: Callers) -> Self {
        Self { inner, callers }
    }
}

impl<S: NamedService> NamedService for Guarded<S> {
    const NAME: &'static str = S::NAME;
}

type ResponseFuture = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

impl<S> Service<Request<Body>> for Guarded<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> ResponseFuture {
        let shown = shown(&request);
        let certificate = shown.as_deref().and_then(|chain| chain.first());
        match self.callers.refusal(request.uri().path(), certificate) {
            None => Box::pin(self.inner.call(request)),
            Some(status) => {
                tracing::warn!(path = request.uri().path(), %status, "a call was refused");
                Box::pin(async move { Ok(status.into_http()) })
            }
        }
    }
}

fn shown(request: &Request<Body>) -> Option<Arc<Vec<CertificateDer<'static>>>> {
    let connection = request.extensions().get::<TlsConnectInfo<TcpConnectInfo>>();
    connection.and_then(TlsConnectInfo::peer_certs)
}
