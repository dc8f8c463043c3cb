//! The legacy server's texts for bodies that do not fit. What a field must be is read from
//! the derived schema of the body's type, so that the OpenAPI document and the check
//! cannot differ.

use std::{
    any::TypeId,
    collections::HashMap,
    sync::{Arc, LazyLock, PoisonError, RwLock},
};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use utoipa::{
    ToSchema,
    openapi::{
        Object, ObjectBuilder, RefOr, Schema,
        schema::{SchemaType, Type},
    },
};

use crate::error::GatewayError;

/// Name of the token's field.
pub const TOKEN: &str = "jupyterhubApiToken";

/// Name of the field of a job's own token.
pub const ACCESS_TOKEN: &str = "accessToken";

const ABOUT_TOKEN: &str =
    "base64 of HOST@TOKEN; may be left out if the Authorization header holds it.";

/// The fields that a route takes beside the token; others are ignored. A struct of
/// strings, booleans and objects, each of them optional or not.
pub trait Body: DeserializeOwned + ToSchema + Send + 'static {}

impl<T: DeserializeOwned + ToSchema + Send + 'static> Body for T {}

/// The token and the body in `fields`. The token may be missing if the caller shows who
/// they are otherwise (`token_elsewhere`). An optional field that is `null` is absent.
///
/// # Errors
/// One message for each field that does not fit, the token first, then in the order of the
/// struct.
pub fn parse<B: Body>(
    mut fields: Map<String, Value>,
    token_elsewhere: bool,
) -> Result<(Option<String>, B), GatewayError> {
    let token = wrong(&fields, TOKEN, &Type::String, !token_elsewhere);
    let body = fields_of::<B>();
    let body = body
        .iter()
        .filter_map(|field| wrong(&fields, &field.name, &field.kind, field.required));
    let messages: Vec<_> = token.into_iter().chain(body).collect();
    if !messages.is_empty() {
        return Err(GatewayError::InvalidInput(messages));
    }
    let token = match fields.remove(TOKEN) {
        Some(Value::String(token)) => Some(token),
        _ => None,
    };
    let body = serde_json::from_value(Value::Object(fields))
        .map_err(|error| GatewayError::InvalidInput(vec![error.to_string()]))?;
    Ok((token, body))
}

/// A field of a body, as its schema describes it.
struct Field {
    name: String,
    kind: Type,
    required: bool,
}

/// The fields of each type of body that was parsed: a schema is built once, not per request.
static FIELDS: LazyLock<RwLock<HashMap<TypeId, Arc<[Field]>>>> = LazyLock::new(RwLock::default);

fn fields_of<B: Body>() -> Arc<[Field]> {
    let id = TypeId::of::<B>();
    let known = FIELDS.read().unwrap_or_else(PoisonError::into_inner);
    if let Some(fields) = known.get(&id) {
        return fields.clone();
    }
    drop(known);
    let fields: Arc<[Field]> = match B::schema() {
        RefOr::T(Schema::Object(object)) => checked_fields(&object).into(),
        _ => Arc::default(),
    };
    let mut known = FIELDS.write().unwrap_or_else(PoisonError::into_inner);
    known.entry(id).or_insert(fields).clone()
}

fn checked_fields(object: &Object) -> Vec<Field> {
    let field = |(name, property): (&String, &RefOr<Schema>)| {
        let RefOr::T(Schema::Object(property)) = property else {
            return None;
        };
        Some(Field {
            name: name.clone(),
            kind: kind(property)?.clone(),
            required: object.required.contains(name),
        })
    };
    object.properties.iter().filter_map(field).collect()
}

/// The type of a property; `[kind, "null"]` of an optional one.
fn kind(property: &Object) -> Option<&Type> {
    match &property.schema_type {
        SchemaType::Type(kind) => Some(kind),
        SchemaType::Array(kinds) => kinds.iter().find(|kind| **kind != Type::Null),
        SchemaType::AnyValue => None,
    }
}

fn wrong(fields: &Map<String, Value>, name: &str, kind: &Type, required: bool) -> Option<String> {
    let (fits, of): (fn(&Value) -> bool, _) = match kind {
        Type::Object => (Value::is_object, "object"),
        Type::Boolean => (Value::is_boolean, "boolean"),
        _ => (Value::is_string, "string"),
    };
    match fields.get(name) {
        None if required => Some(format!("requires property \"{name}\"")),
        Some(Value::Null) if !required => None,
        Some(value) if !fits(value) => Some(format!("is not of a type(s) {of}")),
        _ => None,
    }
}

/// Adds the token to the documented schema of a body.
pub fn document_token(body: &mut Object) {
    let kinds = SchemaType::from_iter([Type::String, Type::Null]);
    let token = ObjectBuilder::new().schema_type(kinds);
    let token = token.description(Some(ABOUT_TOKEN)).build();
    body.properties.insert(TOKEN.to_owned(), token.into());
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        auth::TokenOnly,
        routes::{
            download::InitDownload,
            job::{ChangeJob, CreateJob},
        },
    };

    fn messages<B: Body>(body: Value) -> Vec<String> {
        match parse::<B>(body.as_object().cloned().unwrap(), false) {
            Ok(_) => Vec::new(),
            Err(GatewayError::InvalidInput(messages)) => messages,
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn texts_of_the_older_server() {
        assert_eq!(
            messages::<TokenOnly>(json!({})),
            ["requires property \"jupyterhubApiToken\""]
        );
        for token in [json!(123), Value::Null] {
            assert_eq!(
                messages::<TokenOnly>(json!({TOKEN: token})),
                ["is not of a type(s) string"]
            );
        }
        let body = json!({TOKEN: "t", "maintainer": 1, "hpc": [], "user": {}, "password": false,
            "jobToken": "yes"});
        let mut expected = vec!["is not of a type(s) string"; 4];
        expected.push("is not of a type(s) boolean");
        assert_eq!(messages::<CreateJob>(body), expected);
        let body = json!({TOKEN: "t", "param": "x", "env": [], "slurm": 1,
            "localExecutableFolder": "git://hello_world", "localDataFolder": true,
            "remoteDataFolder": 5, "remoteExecutableFolder": {}});
        let mut expected = vec!["is not of a type(s) object"; 5];
        expected.extend(["is not of a type(s) string"; 2]);
        assert_eq!(messages::<ChangeJob>(body), expected);
        let body = json!({TOKEN: "t", "maintainer": null});
        assert_eq!(messages::<CreateJob>(body), [""; 0]);
        assert_eq!(
            messages::<InitDownload>(json!({TOKEN: "t", "toPath": null})),
            [
                "requires property \"toEndpoint\"",
                "is not of a type(s) string"
            ]
        );
    }
}
