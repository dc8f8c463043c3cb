//! The caller's token: base64 of `HOST@TOKEN`, in the body or in the
//! `Authorization` header.

use axum::http::{HeaderMap, header::AUTHORIZATION};
use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use secrecy::SecretString;

/// A token and the hub that may know it.
#[derive(Debug, Clone)]
pub struct HubToken {
    /// Host of the hub, with port if any.
    pub host: String,
    /// What the hub gave to its user.
    pub token: SecretString,
}

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Names the hub of a bare token in `Authorization`.
const HOST_HEADER: &str = "x-jupyterhub-host";

impl HubToken {
    /// Reads base64(`HOST@TOKEN`), of either alphabet, with or without padding;
    /// `None` if it is no such thing.
    pub fn decode(encoded: &str) -> Option<Self> {
        let bytes = BASE64.decode(encoded.trim().replace('-', "+").replace('_', "/"));
        let bytes = bytes.ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let (host, token) = text.split_once('@')?;
        Some(Self {
            host: host.to_owned(),
            token: SecretString::from(token.to_owned()),
        })
    }

    /// Reads `token T`, `Bearer T` or `Basic T`; T as in the body, or a hub's bare
    /// token with the host in `X-Jupyterhub-Host`. Anything else there is somebody
    /// else's, a proxy's for one, and no token.
    pub fn from_headers(headers: &HeaderMap) -> Option<Self> {
        let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
        let (scheme, token) = value.trim().split_once(' ')?;
        let known = ["token", "bearer", "basic"];
        if !known.iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
            return None;
        }
        let token = token.trim();
        let host = headers.get(HOST_HEADER).and_then(|host| host.to_str().ok());
        match host {
            Some(host) => Some(Self {
                host: host.to_owned(),
                token: SecretString::from(token.to_owned()),
            }),
            None => Self::decode(token),
        }
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn tokens_as_clients_send_them() {
        let token = HubToken::decode("MTI3LjAuMC4xOjgwMDBAYWxpY2V0b2tlbg==").unwrap();
        assert_eq!(token.host, "127.0.0.1:8000");
        assert_eq!(token.token.expose_secret(), "alicetoken");
        let unpadded = HubToken::decode("MTI3LjAuMC4xOjgwMDBAYWxpY2V0b2tlbg").unwrap();
        assert_eq!(unpadded.token.expose_secret(), "alicetoken");
        for encoded in ["aEA/Pz8/", "aEA_Pz8_"] {
            let token = HubToken::decode(encoded).unwrap();
            assert_eq!(token.token.expose_secret(), "????");
        }
        assert!(HubToken::decode("bm9hdHNpZ24=").is_none(), "no @");
        assert!(HubToken::decode("").is_none());
        assert!(HubToken::decode("%%%").is_none());
        assert!(
            !format!("{token:?}").contains("alicetoken"),
            "a secret is not shown"
        );
    }

    #[test]
    fn headers() {
        let with = |value: &str, host: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, value.parse().unwrap());
            if let Some(host) = host {
                headers.insert(HOST_HEADER, host.parse().unwrap());
            }
            HubToken::from_headers(&headers).map(|token| token.host)
        };
        let encoded = "MTI3LjAuMC4xOjgwMDBAYWxpY2V0b2tlbg==";
        for scheme in ["token", "Bearer", "Basic"] {
            let value = format!("{scheme} {encoded}");
            assert_eq!(with(&value, None).as_deref(), Some("127.0.0.1:8000"));
        }
        assert_eq!(with("token abc", Some("hub:1")).as_deref(), Some("hub:1"));
        assert_eq!(with("token abc", None), None);
        assert_eq!(with("Digest abc", Some("hub:1")), None);
    }
}
