//! Logging in as a native app: the operator opens a page, agrees, and brings back
//! a code, which is exchanged for a refresh token (RFC 6749, 4.1, with RFC 7636).

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::digest::{SHA256, digest};
use secrecy::{ExposeSecret as _, SecretString};

use crate::{GlobusError, GlobusOptions, access::ask_for_token, http_client};

const SCOPE: &str = "urn:globus:auth:scope:transfer.api.globus.org:all";

/// A login that waits for its code.
#[derive(Debug)]
pub struct Login {
    options: GlobusOptions,
    verifier: SecretString,
}

impl Login {
    /// Begins a login.
    pub fn begin(options: GlobusOptions) -> Self {
        let random: [u8; 32] = rand::random();
        Self {
            options,
            verifier: SecretString::from(BASE64_URL_SAFE_NO_PAD.encode(random)),
        }
    }

    /// The page to open.
    pub fn url(&self) -> String {
        let challenge = digest(&SHA256, self.verifier.expose_secret().as_bytes());
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("client_id", &self.options.client_id)
            .append_pair("redirect_uri", &self.redirect())
            .append_pair("scope", SCOPE)
            .append_pair("state", "_default")
            .append_pair("response_type", "code")
            .append_pair("code_challenge", &BASE64_URL_SAFE_NO_PAD.encode(challenge))
            .append_pair("code_challenge_method", "S256")
            .append_pair("access_type", "offline")
            .finish();
        format!("{}/v2/oauth2/authorize?{query}", self.options.auth_url)
    }

    /// Exchanges the code for a refresh token of `identity`.
    ///
    /// # Errors
    /// [`GlobusError`].
    pub async fn finish(
        self,
        identity: &str,
        code: &SecretString,
    ) -> Result<SecretString, GlobusError> {
        let redirect = self.redirect();
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code.expose_secret().trim()),
            ("code_verifier", self.verifier.expose_secret()),
            ("redirect_uri", &redirect),
            ("client_id", &self.options.client_id),
        ];
        let answer = ask_for_token(&http_client()?, &self.options, &form, identity).await?;
        answer
            .refresh_token
            .ok_or_else(|| GlobusError::Odd("the answer lacks refresh_token".to_owned()))
    }

    fn redirect(&self) -> String {
        format!("{}/v2/web/auth-code", self.options.auth_url)
    }
}
