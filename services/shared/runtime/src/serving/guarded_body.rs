//! A body that keeps something until it is sent or given up.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use axum::{
    Error,
    body::{Body, Bytes},
};
use http_body::{Frame, SizeHint};

/// A body with what is kept: a place, or the count of requests at hand.
#[derive(Debug)]
pub struct GuardedBody<G> {
    body: Body,
    _kept: G,
}

impl<G> GuardedBody<G> {
    /// `body`, which keeps `kept`.
    pub fn new(body: Body, kept: G) -> Self {
        Self { body, _kept: kept }
    }
}

impl<G: Unpin> http_body::Body for GuardedBody<G> {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
