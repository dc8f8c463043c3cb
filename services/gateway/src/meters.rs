//! The metrics of the gateway, with their names and descriptions.

use std::time::{Duration, Instant};

use axum::http::{Method, StatusCode};
use metrics::{Unit, counter, describe_counter, describe_histogram, histogram};

use crate::auth::HubError;

const REQUESTS: &str = "cybergis_gateway_requests_total";
const REQUEST_SECONDS: &str = "cybergis_gateway_request_seconds";
const LOOKUPS: &str = "cybergis_gateway_hub_lookups_total";
const QUESTIONS: &str = "cybergis_gateway_hub_questions_total";
const QUESTION_SECONDS: &str = "cybergis_gateway_hub_question_seconds";
const REFUSED_TOKENS: &str = "cybergis_gateway_token_limited_total";
const TOO_MANY: &str = "cybergis_gateway_rate_limited_total";

/// The label of requests for unknown routes and methods.
const OTHER: &str = "other";

/// Describes the metrics to the recorder.
pub fn describe() {
    describe_counter!(REQUESTS, "requests answered, by method, route and status");
    describe_histogram!(
        REQUEST_SECONDS,
        Unit::Seconds,
        "time until such an answer began, by method and route"
    );
    describe_counter!(
        LOOKUPS,
        "tokens looked up, by outcome: known, refused (both kept from before), or asked"
    );
    describe_counter!(
        QUESTIONS,
        "questions to hubs about a token, by hub and outcome: user, refused or away"
    );
    describe_histogram!(
        QUESTION_SECONDS,
        Unit::Seconds,
        "time that a hub took for such an answer, by hub"
    );
    describe_counter!(
        TOO_MANY,
        "requests refused because their user had too many within a minute"
    );
    counter!(TOO_MANY).absolute(0);
    describe_counter!(
        REFUSED_TOKENS,
        "questions to hubs that were not asked because the client's address had given too many \
         tokens that were refused"
    );
    counter!(REFUSED_TOKENS).absolute(0);
}

pub(crate) fn answered(method: &Method, route: Option<&str>, status: StatusCode, took: Duration) {
    let route = route.unwrap_or(OTHER).to_owned();
    // Clients may call a method by any name.
    let method = match *method {
        Method::GET
        | Method::POST
        | Method::PUT
        | Method::DELETE
        | Method::HEAD
        | Method::OPTIONS
        | Method::PATCH => method.to_string(),
        _ => OTHER.to_owned(),
    };
    counter!(REQUESTS, "method" => method.clone(), "route" => route.clone(), "status" => status.as_str().to_owned())
        .increment(1);
    histogram!(REQUEST_SECONDS, "method" => method, "route" => route).record(took);
}

/// A token was looked up in the cache; `is_known`: its user is known.
pub(crate) fn kept_lookup(is_known: bool) {
    let outcome = if is_known { "known" } else { "refused" };
    counter!(LOOKUPS, "outcome" => outcome).increment(1);
}

/// A request to a hub that is under way.
pub(crate) struct HubRequest {
    hub: String,
    begun: Instant,
}

impl HubRequest {
    pub(crate) fn begin(hub: &str) -> Self {
        counter!(LOOKUPS, "outcome" => "asked").increment(1);
        Self {
            hub: hub.to_owned(),
            begun: Instant::now(),
        }
    }

    pub(crate) fn end<T>(self, answer: &Result<Result<T, HubError>, HubError>) {
        let outcome = match answer {
            Ok(Ok(_)) => "user",
            Ok(Err(_)) => "refused",
            Err(_) => "away",
        };
        let Self { hub, begun } = self;
        counter!(QUESTIONS, "hub" => hub.clone(), "outcome" => outcome).increment(1);
        histogram!(QUESTION_SECONDS, "hub" => hub).record(begun.elapsed());
    }
}

pub(crate) fn too_many_requests() {
    counter!(TOO_MANY).increment(1);
}

pub(crate) fn too_many_refused_tokens() {
    counter!(REFUSED_TOKENS).increment(1);
}
