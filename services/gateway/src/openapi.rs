//! The OpenAPI document, from the handlers, and its page.

mod failures;

pub use failures::complete;

use utoipa::{
    Modify, OpenApi,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};

/// The document without its routes.
#[derive(Debug, OpenApi)]
#[openapi(
    info(
        title = "CyberGIS-Compute",
        description = "Submits job templates to HPCs. The caller's token is base64 of HOST@TOKEN, \
            in the body as jupyterhubApiToken (also of a GET) or in the Authorization header.",
    ),
    modifiers(&Token),
    security(("token" = [])),
)]
pub struct Document;

struct Token;

impl Modify for Token {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        components.add_security_scheme("token", SecurityScheme::Http(scheme));
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    #[test]
    fn operations_have_names_of_their_own() {
        let document = serde_json::to_value(crate::router::document()).unwrap();
        let paths = document["paths"].as_object().unwrap();
        let operations = paths.values().flat_map(|item| item.as_object().unwrap());
        let mut ids: Vec<_> = operations
            .map(|(_, operation)| operation["operationId"].as_str().unwrap())
            .collect();
        ids.sort_unstable();
        let all = ids.len();
        ids.dedup();
        assert_eq!(ids.len(), all, "{ids:?}");
    }

    /// `docs/openapi.json` says what the routes say; `make openapi` writes it.
    #[test]
    fn openapi_document_is_up_to_date() {
        let document = crate::router::document().to_pretty_json().unwrap() + "\n";
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
        if std::env::var_os("UPDATE_OPENAPI").is_some() {
            fs::write(&path, &document).unwrap();
        }
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            document,
            "run `make openapi`"
        );
    }
}
