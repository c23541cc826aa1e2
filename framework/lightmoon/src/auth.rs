//! Signed tokens: how players log in where guests are not good enough.
//!
//! *Responsible for*: [`SignedTokens`], which lets in whoever shows a JSON Web Token that was signed with the right key;
//! [`Issuer`] and [`Claims`], which make such tokens; the server's settings `--auth`; the verb `token`.
//! *Not responsible for*: who gets a token (a game's login service decides that), or carrying it (`wire`).
//!
//! The form is a compact JWS (RFC 7515) of claims (RFC 7519), with one of two algorithms: HS256, where server and login
//! service share a secret, or EdDSA with Ed25519 (RFC 8037), where the server knows a public key only. Signatures are
//! the work of `ring`.
//!
//! Why no crate for JSON Web Tokens: `jsonwebtoken` built on ring up to version 9, which has CVE-2026-25537. Since then
//! (11.1 in 2026-11) it wants a process-wide provider: aws-lc-rs, whose C build `deny.toml` refuses, or one that brings
//! `rsa` with RUSTSEC-2023-0071. It takes the time from the system, too. What would be left of it here is to split a
//! text at two dots.
//!
//! | claim | says |
//! |---|---|
//! | `sub` | the player, see [`player_key`]; required |
//! | `exp` | when the token ends, whole seconds since 1970; required |
//! | `nbf` | when it begins, the same way |
//! | `aud` | for which games it is: a text or a list of texts; required if [`SignedTokens::audience`] is set, refused if not |
//! | `roles` | a list of texts: [`Identity::roles`] |
//!
//! A token is looked at when a session begins. A session that runs goes on after its token's end; to come back after a
//! lost connection, a token has to be good still.
//!
//! Invariants:
//! - I1: the key decides the algorithm, never the token: a token that names another (or `none`) is refused.
//! - I2: nothing that a token claims is read before its signature is verified.
//! - I3: the work for a token is bounded by its 1,024 bytes, as many as `wire` carries; signatures are compared in
//!   constant time.
//! - I4: neither a secret nor a whole token is ever logged or part of a reason.

mod choice;
mod claims;
mod issuer;
mod token_verb;

use crate::{clock, limits};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use claims::Read;
use lightmoon_node::{Authenticate, Denied, Identity};
use ring::{hmac, signature};
use serde::Deserialize;
use std::fmt;

pub(crate) use choice::{AUTH, AuthOptions, SECRET_FILE, apply};
pub(crate) use token_verb::{TOKEN, TOKEN_VERB, run as run_token_verb};

pub use claims::{Claims, player_key};
pub use issuer::Issuer;

/// Why a key cannot be used. Nothing was done; use a better one.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Whoever has one token could guess the secret. Take 32 random bytes.
    #[error("a secret of {0} bytes can be guessed, it needs {min} or more", min = limits::SECRET_BYTES_MIN)]
    SecretTooShort(usize),
}

/// Lets in whoever shows a token that was signed with the right key and is good now.
///
/// ```
/// use lightmoon::auth::{Claims, Issuer, SignedTokens};
/// use lightmoon::node::Authenticate;
///
/// let secret = [7; 32]; // Of course not.
/// let issuer = Issuer::hs256(&secret)?;
/// let tokens = SignedTokens::hs256(&secret)?.audience("my-game");
/// let token = issuer.sign(&Claims::of_player(42, 4_102_444_800).audience("my-game"));
/// assert_eq!(tokens.authenticate(token.as_bytes()).map(|identity| identity.player), Ok(42));
/// # Ok::<(), lightmoon::auth::Error>(())
/// ```
///
/// It reads the machine's clock, also in the simulator, whose time is another: tests of games use
/// [`Guests`](lightmoon_node::Guests) there.
pub struct SignedTokens {
    key: Key,
    audience: Option<String>,
    /// Seconds since 1970.
    clock: fn() -> u64,
}

enum Key {
    Hs256(hmac::Key),
    EdDsa([u8; 32]),
}

impl Key {
    /// The algorithm's name in a token.
    const fn algorithm(&self) -> &'static str {
        match self {
            Self::Hs256(_) => "HS256",
            Self::EdDsa(_) => "EdDSA",
        }
    }

    fn verify(&self, signed: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Hs256(key) => hmac::verify(key, signed, signature).is_ok(),
            Self::EdDsa(key) => {
                signature::UnparsedPublicKey::new(&signature::ED25519, key).verify(signed, signature).is_ok()
            }
        }
    }
}

/// The part in front of a token, of which only this matters.
#[derive(Deserialize)]
struct Header {
    alg: String,
    /// Extensions that a reader has to understand; we understand none.
    crit: Option<Vec<String>>,
}

impl SignedTokens {
    /// Tokens signed with HS256 and this secret, which the login service has too.
    ///
    /// # Errors
    /// The secret is shorter than 32 bytes.
    pub fn hs256(secret: &[u8]) -> Result<Self, Error> {
        Ok(Self::new(Key::Hs256(hmac_key(secret)?)))
    }

    /// Tokens signed with EdDSA and the private key that belongs to this public Ed25519 key, as raw bytes. Whoever has
    /// the server's files then still cannot sign.
    #[must_use]
    pub fn ed25519(public_key: [u8; 32]) -> Self {
        Self::new(Key::EdDsa(public_key))
    }

    fn new(key: Key) -> Self {
        Self { key, audience: None, clock: clock::unix_seconds }
    }

    /// The same for tokens whose `aud` names `game`. Set it if one key signs for several games: a token of one of them
    /// opens no other.
    #[must_use]
    pub fn audience(mut self, game: impl Into<String>) -> Self {
        self.audience = Some(game.into());
        self
    }

    /// What the token claims, once its signature is verified.
    fn verified(&self, token: &[u8]) -> Result<Read, Denied> {
        if token.len() > limits::TOKEN_BYTES_MAX {
            return Err(denied(format!("the token has more than {} bytes", limits::TOKEN_BYTES_MAX)));
        }
        let parts = split(token).ok_or_else(|| denied("this is no signed token; log in to get one"))?;
        let header: Header = part(parts.header)
            .map_err(|why| denied(format!("the token's header is not understood: {why}")))?;
        let algorithm = self.key.algorithm();
        if header.alg != algorithm {
            return Err(denied(format!(
                "the token is not signed with {algorithm}, which this server asks for"
            )));
        }
        if header.crit.is_some() {
            return Err(denied("the token has extensions, which this server does not know"));
        }
        let is_right = URL_SAFE_NO_PAD
            .decode(parts.signature)
            .is_ok_and(|signature| self.key.verify(parts.signed, &signature));
        if !is_right {
            return Err(denied("the token's signature is wrong"));
        }
        part(parts.claims).map_err(|why| denied(format!("the token's claims are not understood: {why}")))
    }
}

impl Authenticate for SignedTokens {
    fn authenticate(&self, token: &[u8]) -> Result<Identity, Denied> {
        let claims = self.verified(token)?;
        claims.check_time((self.clock)())?;
        claims.check_audience(self.audience.as_deref())?;
        claims.identity()
    }
}

impl fmt::Debug for SignedTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedTokens")
            .field("algorithm", &self.key.algorithm())
            .field("audience", &self.audience)
            .finish_non_exhaustive()
    }
}

/// The three parts of a token, and what its signature is over.
struct Parts<'a> {
    signed: &'a [u8],
    header: &'a [u8],
    claims: &'a [u8],
    signature: &'a [u8],
}

fn split(token: &[u8]) -> Option<Parts<'_>> {
    let mut dots = token.iter().enumerate().filter(|(_, byte)| **byte == b'.').map(|(at, _)| at);
    let (first, second, None) = (dots.next()?, dots.next()?, dots.next()) else { return None };
    Some(Parts {
        signed: &token[..second],
        header: &token[..first],
        claims: &token[first + 1..second],
        signature: &token[second + 1..],
    })
}

/// A part that is JSON in base64; else what is wrong with it.
fn part<T: for<'de> Deserialize<'de>>(text: &[u8]) -> Result<T, String> {
    let json = URL_SAFE_NO_PAD.decode(text).map_err(|e| e.to_string())?;
    // The sentence of serde_json names what is wrong; it repeats a value only to who sent it.
    serde_json::from_slice(&json).map_err(|e| e.to_string())
}

fn denied(reason: impl Into<String>) -> Denied {
    Denied { reason: reason.into() }
}

fn hmac_key(secret: &[u8]) -> Result<hmac::Key, Error> {
    if secret.len() < limits::SECRET_BYTES_MIN {
        return Err(Error::SecretTooShort(secret.len()));
    }
    Ok(hmac::Key::new(hmac::HMAC_SHA256, secret))
}

#[cfg(test)]
mod tests;
