//! The documentation of bodies, from the fields that are checked.

use serde_json::{Value, json};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Object, ObjectBuilder, RefOr, Schema as ApiSchema,
        schema::{SchemaType, Type as ApiType},
    },
};

use crate::schema::{
    ChangeFolder, ChangeJob, CreateJob, Field, GiveCredential, InitDownload, Schema, TOKEN,
    TokenOnly, Type,
};

const ABOUT_TOKEN: &str =
    "base64 of HOST@TOKEN; may be left out if the Authorization header holds it.";

fn described<S: Schema>(example: Value) -> RefOr<ApiSchema> {
    let token = Field {
        name: TOKEN,
        of: Type::String,
        required: false,
        about: ABOUT_TOKEN,
    };
    let fields = std::iter::once(&token).chain(S::FIELDS);
    let object = fields.fold(ObjectBuilder::new(), |object, field| {
        let object = object.property(field.name, property(field));
        if field.required {
            object.required(field.name)
        } else {
            object
        }
    });
    RefOr::T(ApiSchema::Object(object.examples([example]).build()))
}

fn property(field: &Field) -> Object {
    let of = match field.of {
        Type::String => ApiType::String,
        Type::Object => ApiType::Object,
        Type::Boolean => ApiType::Boolean,
    };
    // `null` is as good as absent.
    let of = if field.required {
        SchemaType::Type(of)
    } else {
        SchemaType::from_iter([of, ApiType::Null])
    };
    let property = ObjectBuilder::new().schema_type(of);
    property.description(Some(field.about)).build()
}

macro_rules! body {
    ($($schema:ident: $example:tt),+ $(,)?) => {$(
        impl PartialSchema for $schema {
            fn schema() -> RefOr<ApiSchema> {
                described::<Self>(json!($example))
            }
        }

        impl ToSchema for $schema {}
    )+};
}

body! {
    TokenOnly: {"jupyterhubApiToken": "aHViLmV4YW1wbGUub3JnQFRPS0VO"},
    CreateJob: {"maintainer": "community_contribution", "hpc": "keeling_community"},
    ChangeJob: {
        "localExecutableFolder": {"type": "git", "gitId": "hello_world"},
        "param": {"input_a": 50, "input_b": "foo"},
        "slurm": {"num_of_task": 2, "time": "00:10:00"}
    },
    ChangeFolder: {"name": "first results", "isWritable": false},
    InitDownload: {
        "toEndpoint": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
        "toPath": "/~/data/alice/results",
        "fromPath": "/slurm_log"
    },
    GiveCredential: {"password": "PASSWORD"},
}
