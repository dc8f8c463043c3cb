//! Bodies as clients send them: JSON, urlencoded or multipart, on any method including GET.
//! An absent body is an empty one.

use axum::{
    RequestExt as _,
    body::Bytes,
    extract::{
        Multipart, Request,
        multipart::{MultipartError, MultipartRejection},
    },
    http::{StatusCode, header::CONTENT_TYPE},
};
use serde_json::{Map, Value};

use crate::error::{GatewayError, ValueRejection};

/// Largest body, bytes.
pub const LIMIT: usize = 1 << 20;

/// Values in one JSON body.
const MAX_VALUES: usize = 50_000;

/// The fields of a request's body.
///
/// # Errors
/// If the body is malformed, too large, or not an object.
pub async fn read(request: Request) -> Result<Map<String, Value>, GatewayError> {
    let kind = request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let kind = kind
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default()
        .trim();
    match kind.to_ascii_lowercase().as_str() {
        "application/json" => json(&bytes(request).await?),
        "application/x-www-form-urlencoded" => Ok(form(&bytes(request).await?)),
        "multipart/form-data" => multipart(request).await,
        // The legacy server read nothing else.
        _ => Ok(Map::new()),
    }
}

async fn bytes(request: Request) -> Result<Bytes, GatewayError> {
    axum::body::to_bytes(request.into_body(), LIMIT)
        .await
        .map_err(|_| GatewayError::TooLarge(LIMIT))
}

fn json(bytes: &[u8]) -> Result<Map<String, Value>, GatewayError> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    check_value_count(bytes)?;
    let value = serde_json::from_slice(bytes)
        .map_err(|error| GatewayError::MalformedBody(format!("no JSON: {error}")))?;
    match value {
        Value::Object(fields) => Ok(fields),
        Value::Array(_) => Err(GatewayError::InvalidInput(vec![
            "is not of a type(s) object".to_owned(),
        ])),
        _ => Err(GatewayError::MalformedBody(
            "neither an object nor an array".to_owned(),
        )),
    }
}

/// Rejects bodies that are small as text and large in memory: each value takes 30 to 300
/// bytes, and the body is read before the caller is known.
fn check_value_count(bytes: &[u8]) -> Result<(), ValueRejection> {
    let (mut values, mut in_text, mut is_escaped) = (0_usize, false, false);
    for byte in bytes {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_text => is_escaped = true,
            b'"' => in_text = !in_text,
            b',' | b'[' | b'{' if !in_text => values += 1,
            _ => {}
        }
    }
    if values > MAX_VALUES {
        return Err(ValueRejection::TooManyValues(MAX_VALUES));
    }
    Ok(())
}

fn form(bytes: &[u8]) -> Map<String, Value> {
    form_urlencoded::parse(bytes)
        .map(|(key, value)| (key.into_owned(), Value::String(value.into_owned())))
        .collect()
}

/// The fields of a form; files are ignored.
async fn multipart(request: Request) -> Result<Map<String, Value>, GatewayError> {
    let mut parts: Multipart = request
        .extract()
        .await
        .map_err(|error: MultipartRejection| GatewayError::MalformedBody(error.body_text()))?;
    let mut fields = Map::new();
    while let Some(part) = parts.next_field().await.map_err(refused)? {
        let name = part.name().map(str::to_owned);
        if let Some(name) = name.filter(|_| part.file_name().is_none()) {
            let text = part.text().await.map_err(refused)?;
            fields.insert(name, Value::String(text));
        }
    }
    Ok(fields)
}

fn refused(error: MultipartError) -> GatewayError {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        GatewayError::TooLarge(LIMIT)
    } else {
        GatewayError::MalformedBody(error.body_text())
    }
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, http};
    use serde_json::json;

    use super::*;

    async fn read_as(kind: &str, body: &'static str) -> Result<Value, GatewayError> {
        let request = http::Request::builder()
            .header(CONTENT_TYPE, kind)
            .body(Body::from(body));
        read(request.unwrap()).await.map(Value::Object)
    }

    #[tokio::test]
    async fn bodies_of_the_recording() {
        for (kind, body, expected) in [
            ("application/json", r#"{"a": 1}"#, Some(json!({"a": 1}))),
            (
                "application/json; charset=utf-8",
                r#"{"a": 1}"#,
                Some(json!({"a": 1})),
            ),
            ("application/json", "", Some(json!({}))),
            ("application/json", "{\"a\": ", None),
            ("application/json", "\"abc\"", None),
            ("application/json", "null", None),
            ("application/json", "[]", None),
            ("text/plain", r#"{"a": 1}"#, Some(json!({}))),
            (
                "application/x-www-form-urlencoded",
                "a=b%3D&c=d+e",
                Some(json!({"a": "b=", "c": "d e"})),
            ),
            (
                "multipart/form-data; boundary=X",
                "--X\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n--X--\r\n",
                Some(json!({"a": "b"})),
            ),
            (
                "multipart/form-data; boundary=X",
                "--X\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\"\r\n\r\nb\r\n\
                 --X\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n--X--\r\n",
                Some(json!({"a": "b"})),
            ),
        ] {
            assert_eq!(read_as(kind, body).await.ok(), expected, "{kind} {body}");
        }
    }

    #[test]
    fn a_body_of_very_many_values_is_refused() {
        let body = |values: usize| format!("{{\"a\":[{}0]}}", "0,".repeat(values));
        assert!(check_value_count(body(MAX_VALUES - 10).as_bytes()).is_ok());
        assert!(check_value_count(body(MAX_VALUES).as_bytes()).is_err());
        let text = format!(
            "{{\"a\":\"{}\\\"{}\"}}",
            ",[{".repeat(30_000),
            ",".repeat(30_000)
        );
        assert!(
            check_value_count(text.as_bytes()).is_ok(),
            "what is in a text is one value"
        );
    }
}
