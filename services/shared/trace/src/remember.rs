//! What keeps the ids of spans, so that they can be asked for.

use tracing::{
    Metadata, Subscriber,
    level_filters::LevelFilter,
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    Layer,
    filter::{FilterFn, filter_fn},
    layer::Context,
    registry::LookupSpan,
};

use crate::ids::{Ids, JOB, REQUEST};

/// Keeps the ids of spans for [`Ids::current`].
pub fn layer<S>() -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    Remember.with_filter(spans())
}

/// Passes spans that have an id, and nothing else. They have to be there whatever
/// else is filtered: a warning needs them no less than the rest.
pub fn spans() -> FilterFn<fn(&Metadata<'_>) -> bool> {
    let has_id: fn(&Metadata<'_>) -> bool = |metadata| {
        let has = |name| metadata.fields().field(name).is_some();
        metadata.is_span() && (has(REQUEST) || has(JOB))
    };
    filter_fn(has_id).with_max_level_hint(LevelFilter::INFO)
}

struct Remember;

impl<S> Layer<S> for Remember
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            let mut ids = Ids::default();
            attributes.record(&mut ids);
            span.extensions_mut().insert(ids);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(ids) = span.extensions_mut().get_mut::<Ids>()
        {
            values.record(ids);
        }
    }
}

#[cfg(test)]
mod tests {
    use tracing::field::Empty;
    use tracing_subscriber::{Registry, layer::SubscriberExt as _};

    use super::*;

    fn ids(request: Option<&str>, job: Option<&str>) -> Ids {
        Ids {
            request: request.map(str::to_owned),
            job: job.map(str::to_owned),
        }
    }

    #[test]
    fn the_ids_of_a_span_and_of_those_around_it() {
        let subscriber = Registry::default().with(layer());
        tracing::subscriber::with_default(subscriber, || {
            assert_eq!(Ids::current(), Ids::default());
            let request = tracing::info_span!("request", request.id = "r", job.id = Empty);
            let _in_request = request.enter();
            assert_eq!(Ids::current(), ids(Some("r"), None));
            request.record("job.id", "1");
            assert_eq!(Ids::current(), ids(Some("r"), Some("1")));
            let _without_ids = tracing::info_span!("part", n = 1).entered();
            let inner = tracing::info_span!("inner", job.id = %2);
            inner.in_scope(|| assert_eq!(Ids::current(), ids(Some("r"), Some("2"))));
            let job = crate::job("3");
            job.in_scope(|| assert_eq!(Ids::current(), ids(None, Some("3"))));
        });
        assert_eq!(Ids::current(), Ids::default());
    }
}
