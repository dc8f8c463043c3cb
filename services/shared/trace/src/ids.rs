//! The ids themselves, and their way into headers and out of them.

use std::fmt;

use http::HeaderMap;
use tracing::{
    Span,
    field::{Field, Visit},
};
use tracing_subscriber::{Registry, registry::LookupSpan as _};

use crate::{JOB_HEADER, REQUEST_HEADER, is_fit};

pub(crate) const REQUEST: &str = "request.id";
pub(crate) const JOB: &str = "job.id";

/// What a span, or a call, is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ids {
    /// The request of a client.
    pub request: Option<String>,
    /// The job.
    pub job: Option<String>,
}

impl Ids {
    /// Those of the current span and the ones around it; the innermost counts. None
    /// where [`layer`](crate::layer) is not at work.
    pub fn current() -> Self {
        let of_span = |(id, dispatch): (&tracing::Id, &tracing::Dispatch)| {
            let span = dispatch.downcast_ref::<Registry>()?.span(id)?;
            let ids = span.scope().fold(Self::default(), |ids, span| {
                match span.extensions().get::<Self>() {
                    Some(outer) => ids.or(outer),
                    None => ids,
                }
            });
            Some(ids)
        };
        Span::current()
            .with_subscriber(of_span)
            .flatten()
            .unwrap_or_default()
    }

    /// Those that a caller has sent. What is not fit to be one is left out.
    pub fn from_headers(headers: &HeaderMap) -> Self {
        let read = |name: &str| {
            let text = headers.get(name)?.to_str().ok()?;
            is_fit(text).then(|| text.to_owned())
        };
        Self {
            request: read(REQUEST_HEADER),
            job: read(JOB_HEADER),
        }
    }

    /// The headers that a call takes with it.
    pub fn headers(self) -> impl Iterator<Item = (&'static str, String)> {
        let all = [(REQUEST_HEADER, self.request), (JOB_HEADER, self.job)];
        all.into_iter()
            .filter_map(|(name, id)| Some((name, id.filter(|id| is_fit(id))?)))
    }

    fn or(mut self, outer: &Self) -> Self {
        self.request = self.request.or_else(|| outer.request.clone());
        self.job = self.job.or_else(|| outer.job.clone());
        self
    }
}

/// Reads the fields of a span.
impl Visit for Ids {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            REQUEST => self.request = Some(value.to_owned()),
            JOB => self.job = Some(value.to_owned()),
            _ => {}
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if [REQUEST, JOB].contains(&field.name()) {
            self.record_str(field, &format!("{value:?}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_travel_and_what_is_none_does_not() {
        let ids = Ids {
            request: Some("r-1".to_owned()),
            job: Some("179x".to_owned()),
        };
        let mut headers = HeaderMap::new();
        for (name, id) in ids.clone().headers() {
            headers.insert(name, id.parse().unwrap());
        }
        assert_eq!(Ids::from_headers(&headers), ids);
        headers.insert(REQUEST_HEADER, "a b".parse().unwrap());
        assert_eq!(Ids::from_headers(&headers).request, None);
        let unfit = Ids {
            request: Some("line\nbreak".to_owned()),
            job: None,
        };
        assert_eq!(unfit.headers().count(), 0);
    }
}
