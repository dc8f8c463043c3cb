//! The documentation of bodies, from the fields that are checked.

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        ObjectBuilder, RefOr, Schema as ApiSchema,
        schema::{SchemaType, Type as ApiType},
    },
};

use crate::schema::{
    ChangeFolder, ChangeJob, CreateJob, Field, GiveCredential, InitDownload, Schema, TOKEN,
    TokenOnly, Type,
};

const ABOUT_TOKEN: &str =
    "base64 of HOST@TOKEN; may be left out if the Authorization header holds it.";

fn described<S: Schema>() -> RefOr<ApiSchema> {
    let token = Field {
        name: TOKEN,
        of: Type::String,
        required: false,
        about: ABOUT_TOKEN,
    };
    let object =
        std::iter::once(&token)
            .chain(S::FIELDS)
            .fold(ObjectBuilder::new(), |object, field| {
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
                let property = ObjectBuilder::new()
                    .schema_type(of)
                    .description(Some(field.about))
                    .build();
                let object = object.property(field.name, property);
                if field.required {
                    object.required(field.name)
                } else {
                    object
                }
            });
    RefOr::T(ApiSchema::Object(object.build()))
}

macro_rules! body {
    ($($schema:ident),+) => {$(
        impl PartialSchema for $schema {
            fn schema() -> RefOr<ApiSchema> {
                described::<Self>()
            }
        }

        impl ToSchema for $schema {}
    )+};
}

body!(
    TokenOnly,
    CreateJob,
    ChangeJob,
    ChangeFolder,
    InitDownload,
    GiveCredential
);
