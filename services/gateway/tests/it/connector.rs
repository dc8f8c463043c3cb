//! A connector whose answers are scripted: a method succeeds with an empty response unless
//! a status is set for it.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    future::{Future, Ready, ready},
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use compute_runtime::grpc::{self, Callers, Transport};
use tokio_util::sync::CancellationToken;
use tonic::{
    Code, Request, Response, Status,
    body::Body,
    codegen::http,
    server::{Grpc, NamedService, UnaryService},
};
use tonic_prost::ProstCodec;
use tower::Service;

#[derive(Clone, Default)]
pub(crate) struct Connector {
    pub(crate) address: String,
    failures: Arc<Mutex<BTreeMap<&'static str, (Code, String)>>>,
    calls: Arc<Mutex<Vec<String>>>,
}

impl Connector {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let connector = Self {
            address: format!("http://{}", listener.local_addr().unwrap()),
            ..Self::default()
        };
        let service = connector.clone();
        tokio::spawn(async move {
            let never = CancellationToken::new();
            let descriptors = compute_proto::FILE_DESCRIPTOR_SET;
            grpc::serve(
                listener,
                Transport::Plain,
                service,
                Callers(&[]),
                descriptors,
                never,
            )
            .await
        });
        connector
    }

    /// From now on `method` fails.
    pub(crate) fn fail(&self, method: &'static str, code: Code, message: &str) {
        let failure = (code, message.to_owned());
        self.failures.lock().unwrap().insert(method, failure);
    }

    /// The methods that were called, in order.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }
}

impl NamedService for Connector {
    const NAME: &'static str = "cybergis.compute.v1.Connector";
}

impl Service<http::Request<Body>> for Connector {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let path = request.uri().path();
        let method = path.rsplit('/').next().unwrap_or_default().to_owned();
        let failure = self.failures.lock().unwrap().get(method.as_str()).cloned();
        self.calls.lock().unwrap().push(method);
        let result = match failure {
            Some((code, message)) => Err(Status::new(code, message)),
            None => Ok(()),
        };
        Box::pin(async move {
            let mut grpc = Grpc::new(ProstCodec::<(), ()>::default());
            Ok(grpc.unary(Scripted(result), request).await)
        })
    }
}

/// Reads nothing of a request, and responds with defaults or a status.
struct Scripted(Result<(), Status>);

impl UnaryService<()> for Scripted {
    type Response = ();
    type Future = Ready<Result<Response<()>, Status>>;

    fn call(&mut self, _: Request<()>) -> Self::Future {
        ready(self.0.clone().map(Response::new))
    }
}
