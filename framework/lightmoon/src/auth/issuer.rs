//! Making tokens: for login services written in Rust, for operators and for tests.
//!
//! *Responsible for*: signing claims. *Not responsible for*: deciding who gets a token, verifying it.

use super::claims::Claims;
use super::{Error, hmac_key};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use std::fmt;

/// Signs tokens that [`SignedTokens`](super::SignedTokens) of the same key accepts.
pub struct Issuer(Key);

enum Key {
    Hs256(hmac::Key),
    EdDsa(Ed25519KeyPair),
}

impl Issuer {
    /// Signs with HS256 and this secret.
    ///
    /// # Errors
    /// The secret is shorter than 32 bytes.
    pub fn hs256(secret: &[u8]) -> Result<Self, Error> {
        Ok(Self(Key::Hs256(hmac_key(secret)?)))
    }

    /// Signs with EdDSA and the private Ed25519 key of this seed: 32 random bytes.
    ///
    /// # Panics
    /// Never: each seed is a key.
    #[must_use]
    pub fn ed25519(seed: &[u8; 32]) -> Self {
        Self(Key::EdDsa(Ed25519KeyPair::from_seed_unchecked(seed).expect("32 bytes are a seed")))
    }

    /// The public key, for [`SignedTokens::ed25519`](super::SignedTokens::ed25519); `None` for HS256, which has none.
    #[must_use]
    pub fn public_key(&self) -> Option<[u8; 32]> {
        match &self.0 {
            Key::Hs256(_) => None,
            Key::EdDsa(pair) => pair.public_key().as_ref().try_into().ok(),
        }
    }

    /// A token that says this.
    ///
    /// # Panics
    /// Never: claims are texts and numbers.
    #[must_use]
    pub fn sign(&self, claims: &Claims) -> String {
        let json = serde_json::to_vec(claims).expect("texts and numbers can be written as JSON");
        let header: &[u8] = match &self.0 {
            Key::Hs256(_) => br#"{"alg":"HS256","typ":"JWT"}"#,
            Key::EdDsa(_) => br#"{"alg":"EdDSA","typ":"JWT"}"#,
        };
        self.sign_parts(header, &json)
    }

    /// A token of any two parts.
    pub(super) fn sign_parts(&self, header: &[u8], claims: &[u8]) -> String {
        let mut token = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = match &self.0 {
            Key::Hs256(key) => URL_SAFE_NO_PAD.encode(hmac::sign(key, token.as_bytes())),
            Key::EdDsa(pair) => URL_SAFE_NO_PAD.encode(pair.sign(token.as_bytes())),
        };
        token.push('.');
        token.push_str(&signature);
        token
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer").finish_non_exhaustive()
    }
}
