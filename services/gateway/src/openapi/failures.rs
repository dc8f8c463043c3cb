//! The failures that every operation may respond with, all of one shape, and the token that
//! every body may hold.

use serde::Serialize;
use utoipa::{
    PartialSchema as _, ToSchema,
    openapi::{
        ContentBuilder, OpenApi, RefOr, Required, ResponseBuilder,
        path::Operation,
        path::PathItem,
        schema::{Ref, Schema},
    },
};

use crate::legacy::fields::document_token;

/// Why a request is not answered as asked.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"error": "invalid access", "messages": ["you have no job with id 1795457659HIT7v"]}))]
pub(super) struct ErrorBody {
    /// One sentence.
    error: String,
    /// Details, if there are any.
    #[schema(nullable = false)]
    messages: Option<Vec<String>>,
    /// Always null; kept for older clients.
    message: Option<String>,
}

const ANY: [(&str, &str); 2] = [
    ("500", "A fault of the server."),
    ("503", "A part of the server does not answer: try again."),
];
const WITH_BODY: [(&str, &str); 5] = [
    ("400", "The body is malformed."),
    ("402", "The body or the token is refused."),
    ("403", "The token is not of a user."),
    ("413", "The body is too large."),
    ("429", "Too many requests within a minute."),
];

/// Adds the failures with their shape, and the token to the bodies.
pub fn complete(document: &mut OpenApi) {
    let components = document.components.get_or_insert_default();
    components
        .schemas
        .insert("Refusal".to_owned(), ErrorBody::schema());
    for item in document.paths.paths.values_mut() {
        operations(item).for_each(complete_operation);
    }
    let bodies: Vec<_> = document
        .paths
        .paths
        .values_mut()
        .flat_map(operations)
        .filter_map(body_name)
        .collect();
    let components = document.components.get_or_insert_default();
    for name in bodies {
        if let Some(RefOr::T(Schema::Object(body))) = components.schemas.get_mut(&name) {
            document_token(body);
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [
        &mut item.get,
        &mut item.put,
        &mut item.post,
        &mut item.delete,
    ]
    .into_iter()
    .flatten()
}

/// The name of the schema of an operation's body.
fn body_name(operation: &mut Operation) -> Option<String> {
    let RefOr::T(body) = operation.request_body.as_ref()? else {
        return None;
    };
    let RefOr::T(content) = body.content.get("application/json")? else {
        return None;
    };
    match content.schema.as_ref()? {
        RefOr::Ref(reference) => {
            let (_, name) = reference.ref_location.rsplit_once('/')?;
            Some(name.to_owned())
        }
        RefOr::T(_) => None,
    }
}

fn complete_operation(operation: &mut Operation) {
    // Handlers of different resources may have the same name.
    let tag = operation.tags.iter().flatten().next();
    if let (Some(tag), Some(id)) = (tag, &operation.operation_id) {
        operation.operation_id = Some(format!("{tag}_{id}"));
    }
    let mut failures = ANY.to_vec();
    if let Some(body) = &mut operation.request_body {
        // The token may come in a header instead.
        if let RefOr::T(body) = body {
            body.required = Some(Required::False);
        }
        failures.extend(WITH_BODY);
    } else {
        // The route is public.
        operation.security = Some(Vec::new());
        if operation.parameters.is_some() {
            failures.push(("400", "The path is malformed."));
        }
    }
    let responses = &mut operation.responses.responses;
    for (status, about) in failures {
        responses
            .entry(status.to_owned())
            .or_insert_with(|| RefOr::T(ResponseBuilder::new().description(about).build()));
    }
    for (status, response) in responses {
        let RefOr::T(response) = response else {
            continue;
        };
        if status.starts_with('2') && response.description.is_empty() {
            response.description = "As asked for.".to_owned();
        }
        if !status.starts_with('2') && response.content.is_empty() {
            let of = Ref::from_schema_name("Refusal");
            let content = ContentBuilder::new().schema(Some(of)).build();
            response
                .content
                .insert("application/json".to_owned(), RefOr::T(content));
            if response.description.is_empty() {
                response.description = about(status).to_owned();
            }
        }
    }
}

fn about(status: &str) -> &'static str {
    match status {
        "401" => "Not the caller's, or nobody is logged in.",
        "402" => "The body or the token is refused, or the state does not allow it.",
        "403" => "Refused.",
        "404" => "There is no such thing.",
        "409" => "A request with this Idempotency-Key is in progress.",
        "422" => "The Idempotency-Key was used for another request.",
        _ => "Refused.",
    }
}
