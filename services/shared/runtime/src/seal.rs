//! Sealing secrets that must be kept: Globus refresh tokens, passwords of private
//! accounts. What is sealed can be opened only with the same key file and for the
//! same purpose.
//!
//! ChaCha20-Poly1305 (RFC 8439) with a random 96-bit nonce; the purpose is
//! authenticated with the text, so that a sealed secret moved to another row does
//! not open. Sealed: base64 of nonce, ciphertext and tag, after `v1:`.

use std::{fs, io, path::Path};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ring::{
    aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    rand::{SecureRandom as _, SystemRandom},
};
use secrecy::{ExposeSecret as _, SecretString};

const KEY_BYTES: usize = 32;
const VERSION: &str = "v1:";

/// Why a key cannot be had, or a secret not be opened.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The key file cannot be read or made.
    #[error("the key file {path} cannot be used: {source}")]
    File {
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The key file holds no key.
    #[error("the key file {0} must hold 32 bytes in base64")]
    NoKey(String),
    /// Not sealed with this key for this purpose, or damaged.
    #[error("cannot be opened with this key")]
    Closed,
    /// The system gives no random numbers.
    #[error("the system has no source of random numbers")]
    NoRandom,
}

/// What the Globus refresh token of `identity` is sealed for.
pub fn globus_purpose(identity: &str) -> String {
    format!("globus:{identity}")
}

/// A key that seals and opens. Not shown by `Debug`.
pub struct SealingKey(LessSafeKey);

impl std::fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealingKey")
    }
}

impl SealingKey {
    /// Reads the key in `path`; makes one there, readable to the owner only, if
    /// there is no such file.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn load_or_create(path: &Path) -> Result<Self, SealError> {
        match fs::read_to_string(path) {
            Ok(text) => Self::read(path, &text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::create(path),
            Err(error) => Err(file(path, error)),
        }
    }

    fn read(path: &Path, text: &str) -> Result<Self, SealError> {
        let no_key = || SealError::NoKey(path.display().to_string());
        let bytes = BASE64_STANDARD.decode(text.trim()).map_err(|_| no_key())?;
        Self::of(&bytes).ok_or_else(no_key)
    }

    fn of(bytes: &[u8]) -> Option<Self> {
        let key = UnboundKey::new(&CHACHA20_POLY1305, bytes).ok()?;
        Some(Self(LessSafeKey::new(key)))
    }

    /// Written aside and linked into place: of two processes that make it at once,
    /// one wins, and both use its key.
    fn create(path: &Path) -> Result<Self, SealError> {
        use std::os::unix::fs::OpenOptionsExt as _;
        let mut bytes = [0; KEY_BYTES];
        fill(&mut bytes)?;
        let mut suffix = [0; 8];
        fill(&mut suffix)?;
        let aside = path.with_extension(format!("{:x}.new", u64::from_ne_bytes(suffix)));
        let written = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&aside)
            .and_then(|mut file| {
                io::Write::write_all(&mut file, BASE64_STANDARD.encode(bytes).as_bytes())?;
                file.sync_all()
            })
            .and_then(|()| match fs::hard_link(&aside, path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
                linked => linked,
            });
        // What was made aside is never needed again, however it went.
        let _ = fs::remove_file(&aside);
        written.map_err(|error| file(path, error))?;
        let text = fs::read_to_string(path).map_err(|error| file(path, error))?;
        Self::read(path, &text)
    }

    /// Seals `secret` for `purpose`, e.g. `globus:tester@example.org`.
    ///
    /// # Errors
    /// If the system has no source of random numbers.
    pub fn seal(&self, secret: &SecretString, purpose: &str) -> Result<String, SealError> {
        let mut nonce = [0; NONCE_LEN];
        fill(&mut nonce)?;
        let mut text = secret.expose_secret().as_bytes().to_vec();
        self.0
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(purpose.as_bytes()),
                &mut text,
            )
            .map_err(|_| SealError::Closed)?;
        let sealed = [&nonce[..], &text].concat();
        Ok(format!("{VERSION}{}", BASE64_STANDARD.encode(sealed)))
    }

    /// Opens what [`Self::seal`] gave for the same `purpose`.
    ///
    /// # Errors
    /// [`SealError::Closed`].
    pub fn open(&self, sealed: &str, purpose: &str) -> Result<SecretString, SealError> {
        let closed = |_| SealError::Closed;
        let encoded = sealed.strip_prefix(VERSION).ok_or(SealError::Closed)?;
        let bytes = BASE64_STANDARD
            .decode(encoded)
            .map_err(|_| SealError::Closed)?;
        let (nonce, text) = bytes.split_at_checked(NONCE_LEN).ok_or(SealError::Closed)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(closed)?;
        let mut text = text.to_vec();
        let opened = self
            .0
            .open_in_place(nonce, Aad::from(purpose.as_bytes()), &mut text)
            .map_err(closed)?;
        let opened = std::str::from_utf8(opened).map_err(|_| SealError::Closed)?;
        Ok(SecretString::from(opened.to_owned()))
    }
}

fn fill(bytes: &mut [u8]) -> Result<(), SealError> {
    SystemRandom::new()
        .fill(bytes)
        .map_err(|_| SealError::NoRandom)
}

fn file(path: &Path, source: io::Error) -> SealError {
    SealError::File {
        path: path.display().to_string(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn opens_only_with_the_same_key_and_purpose() {
        let folder = tempfile::tempdir().unwrap();
        let key = SealingKey::load_or_create(&folder.path().join("one")).unwrap();
        let other = SealingKey::load_or_create(&folder.path().join("two")).unwrap();
        let secret = SecretString::from("pass wörd\n\"");
        let sealed = key.seal(&secret, "job:1").unwrap();
        assert_ne!(sealed, key.seal(&secret, "job:1").unwrap(), "a new nonce");
        assert_eq!(
            key.open(&sealed, "job:1").unwrap().expose_secret(),
            secret.expose_secret()
        );
        let mut damaged = sealed.clone().into_bytes();
        let middle = damaged.len() / 2;
        damaged[middle] ^= 1;
        let damaged = String::from_utf8(damaged).unwrap();
        for (key, text, purpose) in [
            (&key, sealed.as_str(), "job:2"),
            (&other, &sealed, "job:1"),
            (&key, &damaged, "job:1"),
            (&key, "v1:", "job:1"),
            (&key, "v1:AAAA", "job:1"),
            (&key, "", "job:1"),
        ] {
            assert!(key.open(text, purpose).is_err(), "{text} {purpose}");
        }
    }

    #[test]
    fn the_key_is_made_once_and_is_the_owners() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("seal.key");
        let first = SealingKey::load_or_create(&path).unwrap();
        let again = SealingKey::load_or_create(&path).unwrap();
        let sealed = first.seal(&SecretString::from("s"), "p").unwrap();
        assert!(again.open(&sealed, "p").is_ok());
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        fs::write(&path, "short").unwrap();
        assert!(matches!(
            SealingKey::load_or_create(&path),
            Err(SealError::NoKey(_))
        ));
    }
}
