//! The header `Idempotency-Key`: a string of RFC 9651 (`"8e03978e-40d5"`), or the same without
//! quotes, as many clients send it.

use axum::http::HeaderMap;

use crate::error::IdempotencyRejection;

/// The header's name.
pub(super) const HEADER: &str = "idempotency-key";

/// Longest key, characters.
const LONGEST: usize = 255;

/// The key of a request.
///
/// # Errors
/// [`IdempotencyRejection::Malformed`] if it is none, or there are several.
pub(super) fn read(headers: &HeaderMap) -> Result<String, IdempotencyRejection> {
    let mut all = headers.get_all(HEADER).iter();
    let (Some(value), None) = (all.next(), all.next()) else {
        return Err(IdempotencyRejection::Malformed);
    };
    let text = value
        .to_str()
        .map_err(|_| IdempotencyRejection::Malformed)?;
    parse(text.trim()).ok_or(IdempotencyRejection::Malformed)
}

fn parse(text: &str) -> Option<String> {
    let key = match text.strip_prefix('"') {
        Some(quoted) => unescape(quoted.strip_suffix('"')?)?,
        None => text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"\",;\\".contains(&byte))
            .then(|| text.to_owned())?,
    };
    (1..=LONGEST).contains(&key.len()).then_some(key)
}

/// The text of a string: `\"` and `\\` are escaped, nothing else.
fn unescape(text: &str) -> Option<String> {
    let (mut key, mut characters) = (String::new(), text.chars());
    while let Some(character) = characters.next() {
        match character {
            '\\' => key.push(
                characters
                    .next()
                    .filter(|next| matches!(next, '"' | '\\'))?,
            ),
            '"' => return None,
            ' '..='~' => key.push(character),
            _ => return None,
        }
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_with_and_without_quotes() {
        for (text, key) in [
            (r#""8e03978e-40d5""#, Some("8e03978e-40d5")),
            ("8e03978e-40d5", Some("8e03978e-40d5")),
            (r#""a \"b\" \\ c""#, Some(r#"a "b" \ c"#)),
            ("", None),
            (r#""""#, None),
            (r#"""#, None),
            (r#""a"#, None),
            (r#""a"b""#, None),
            (r#""a\c""#, None),
            (r#""a";p=1"#, None),
            ("a b", None),
            ("a,b", None),
            ("ä", None),
        ] {
            assert_eq!(parse(text).as_deref(), key, "{text}");
        }
        assert!(parse(&"a".repeat(255)).is_some());
        assert!(parse(&"a".repeat(256)).is_none());
    }
}
