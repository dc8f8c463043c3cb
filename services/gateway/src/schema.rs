//! What a route takes, and the older server's words for what does not fit.

use serde_json::{Map, Value};

use crate::error::GatewayError;

/// Type of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// Text.
    String,
    /// An object.
    Object,
    /// True or false.
    Boolean,
}

impl Type {
    fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Object => "object",
            Self::Boolean => "boolean",
        }
    }

    fn fits(self, value: &Value) -> bool {
        match self {
            Self::String => value.is_string(),
            Self::Object => value.is_object(),
            Self::Boolean => value.is_boolean(),
        }
    }
}

/// One field.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub of: Type,
    /// Whether it must be there.
    pub required: bool,
    /// What it means, for the documentation.
    pub about: &'static str,
}

/// The fields that a route takes beside the token. Others are ignored.
pub trait Schema: Send + Sync + 'static {
    /// In the order in which they are checked.
    const FIELDS: &'static [Field];
}

const fn optional(name: &'static str, of: Type, about: &'static str) -> Field {
    Field {
        name,
        of,
        required: false,
        about,
    }
}

const fn required(name: &'static str, of: Type, about: &'static str) -> Field {
    Field {
        name,
        of,
        required: true,
        about,
    }
}

/// Only the token.
#[derive(Debug)]
pub struct TokenOnly;

impl Schema for TokenOnly {
    const FIELDS: &'static [Field] = &[];
}

/// `POST /job`.
#[derive(Debug)]
pub struct CreateJob;

impl Schema for CreateJob {
    const FIELDS: &'static [Field] = &[
        optional(
            "maintainer",
            Type::String,
            "Key of GET /maintainer; `community_contribution` unless given.",
        ),
        optional(
            "hpc",
            Type::String,
            "Key of GET /hpc; the default of the maintainer unless given.",
        ),
        optional(
            "user",
            Type::String,
            "Account on an HPC with private accounts.",
        ),
        optional("password", Type::String, "Its password."),
        optional(
            "jobToken",
            Type::Boolean,
            "Whether the answer shall hold a secretToken (deprecated).",
        ),
    ];
}

/// `PUT /job/:id/credential`.
#[derive(Debug)]
pub struct GiveCredential;

impl Schema for GiveCredential {
    const FIELDS: &'static [Field] = &[
        optional(
            "user",
            Type::String,
            "The account; that of the job unless given.",
        ),
        optional("password", Type::String, "Its password."),
    ];
}

/// `PUT /job/:id`.
#[derive(Debug)]
pub struct ChangeJob;

impl Schema for ChangeJob {
    const FIELDS: &'static [Field] = &[
        optional(
            "param",
            Type::Object,
            "Parameters of the template, by name.",
        ),
        optional("env", Type::Object, "Environment variables, by name."),
        optional(
            "slurm",
            Type::Object,
            "Slurm options, e.g. num_of_task, time, memory.",
        ),
        optional(
            "localExecutableFolder",
            Type::Object,
            "The template: {type: git, gitId}.",
        ),
        optional(
            "localDataFolder",
            Type::Object,
            "The data: {type: globus, endpoint, path}, {type: local, path} or {type: empty}.",
        ),
        optional(
            "remoteDataFolder",
            Type::String,
            "Id of one of the caller's folders, with the data.",
        ),
        optional(
            "remoteExecutableFolder",
            Type::String,
            "Id of one of the caller's folders, with the program.",
        ),
        optional("name", Type::String, "A name of at most 255 characters."),
    ];
}

/// `PUT /folder/:id`.
#[derive(Debug)]
pub struct ChangeFolder;

impl Schema for ChangeFolder {
    const FIELDS: &'static [Field] = &[
        optional("name", Type::String, "A name of at most 255 characters."),
        optional("isWritable", Type::Boolean, "Whether jobs may write to it."),
    ];
}

/// `POST /folder/:id/download/globus-init`.
#[derive(Debug)]
pub struct InitDownload;

impl Schema for InitDownload {
    const FIELDS: &'static [Field] = &[
        optional("jobId", Type::String, "The job that the folder is of."),
        required("toEndpoint", Type::String, "Endpoint or collection id."),
        required("toPath", Type::String, "Folder there."),
        optional(
            "fromPath",
            Type::String,
            "Folder inside of this one; all of it unless given.",
        ),
    ];
}

/// Name of the token's field.
pub const TOKEN: &str = "jupyterhubApiToken";

/// Name of the field of a job's own token.
pub const ACCESS_TOKEN: &str = "accessToken";

/// Checks `body`; the token may be missing if the caller shows who they are
/// otherwise. An optional field that is `null` is absent.
///
/// # Errors
/// One message for each field that does not fit, in the schema's order.
pub fn check(
    fields: &[Field],
    body: &Map<String, Value>,
    token_elsewhere: bool,
) -> Result<(), Vec<String>> {
    let token = Field {
        name: TOKEN,
        of: Type::String,
        required: !token_elsewhere,
        about: "",
    };
    let wrong = |field: &Field| match body.get(field.name) {
        None if field.required => Some(format!("requires property \"{}\"", field.name)),
        Some(Value::Null) if !field.required => None,
        Some(value) if !field.of.fits(value) => {
            Some(format!("is not of a type(s) {}", field.of.name()))
        }
        _ => None,
    };
    let messages: Vec<_> = std::iter::once(&token)
        .chain(fields)
        .filter_map(wrong)
        .collect();
    if messages.is_empty() {
        Ok(())
    } else {
        Err(messages)
    }
}

/// The field `name`, if it is given and fit to be shown.
///
/// # Errors
/// If it is too long or holds control characters.
pub fn name_in(body: &Map<String, Value>) -> Result<Option<String>, GatewayError> {
    let Some(name) = body.get("name").and_then(Value::as_str) else {
        return Ok(None);
    };
    let limit = compute_db::NAME_LIMIT;
    if name.chars().count() > limit {
        let words = format!("name is longer than {limit} characters");
        return Err(GatewayError::Refused(words));
    }
    if name.chars().any(char::is_control) {
        let words = "name holds control characters".to_owned();
        return Err(GatewayError::Refused(words));
    }
    Ok(Some(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn messages(fields: &[Field], body: Value) -> Vec<String> {
        check(fields, body.as_object().unwrap(), false)
            .err()
            .unwrap_or_default()
    }

    #[test]
    fn the_older_servers_words() {
        assert_eq!(
            messages(&[], json!({})),
            ["requires property \"jupyterhubApiToken\""]
        );
        assert_eq!(
            messages(&[], json!({TOKEN: 123})),
            ["is not of a type(s) string"]
        );
        let body = json!({TOKEN: "t", "maintainer": 1, "hpc": [], "user": {}, "password": false});
        assert_eq!(
            messages(CreateJob::FIELDS, body),
            ["is not of a type(s) string"; 4]
        );
        let body = json!({TOKEN: "t", "param": "x", "env": [], "slurm": 1,
            "localExecutableFolder": "git://hello_world", "localDataFolder": true,
            "remoteDataFolder": 5, "remoteExecutableFolder": {}});
        let mut expected = vec!["is not of a type(s) object"; 5];
        expected.extend(["is not of a type(s) string"; 2]);
        assert_eq!(messages(ChangeJob::FIELDS, body), expected);
        assert_eq!(
            messages(&[], json!({TOKEN: null})),
            ["is not of a type(s) string"]
        );
        let body = json!({TOKEN: "t", "maintainer": null});
        assert_eq!(messages(CreateJob::FIELDS, body), [""; 0]);
    }
}
