//! What a token says of its bearer.
//!
//! *Responsible for*: claims as they are written and as they are read, the player of a subject, times and audiences.
//! *Not responsible for*: signatures ([`super::SignedTokens`], [`super::Issuer`]).

use super::denied;
use crate::limits;
use lightmoon_node::{Denied, Identity};
use ring::digest;
use serde::{Deserialize, Serialize};

/// What an issuer says of a player.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Claims {
    sub: String,
    exp: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    roles: Vec<String>,
}

impl Claims {
    /// The bearer is the player of this key, until `expires`: seconds since 1970.
    #[must_use]
    pub fn of_player(player: u64, expires: u64) -> Self {
        Self::of_subject(player.to_string(), expires)
    }

    /// The bearer is whom `subject` names (see [`player_key`]), until `expires`: seconds since 1970.
    #[must_use]
    pub fn of_subject(subject: impl Into<String>, expires: u64) -> Self {
        Self { sub: subject.into(), exp: expires, aud: None, roles: Vec::new() }
    }

    /// The same for this game only.
    #[must_use]
    pub fn audience(mut self, game: impl Into<String>) -> Self {
        self.aud = Some(game.into());
        self
    }

    /// The same with these roles, words of the game.
    #[must_use]
    pub fn roles(mut self, roles: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.roles = roles.into_iter().map(Into::into).collect();
        self
    }
}

/// The player that a token's `sub` names; `None` if it names nobody.
///
/// Decimal digits are the key itself, from 1 to 2^64 - 1, without zeros in front: a login service with numbers of its
/// own uses them. Any other text, an address or a name, is hashed: the first 8 bytes of its SHA-256, big-endian, with the
/// highest bit set, so that it meets no number below 2^63.
///
/// ```
/// use lightmoon::auth::player_key;
/// assert_eq!(player_key("42"), Some(42));
/// assert_eq!(player_key("ann@example.org"), Some(0xc38c_4c7a_fe60_0cdf));
/// assert_eq!(player_key("042"), None);
/// ```
#[must_use]
pub fn player_key(subject: &str) -> Option<u64> {
    if subject.bytes().all(|byte| byte.is_ascii_digit()) {
        // Neither an empty text, nor a 0, nor a second spelling of another player's number.
        return subject.parse().ok().filter(|_| !subject.starts_with('0'));
    }
    let hash = digest::digest(&digest::SHA256, subject.as_bytes());
    let first = hash.as_ref().iter().take(8).fold(0, |key, byte| (key << 8) | u64::from(*byte));
    Some(first | 1 << 63)
}

/// Claims as they are read. A claim of another type than here is an error, never a claim that is missing.
#[derive(Debug, Deserialize)]
pub(super) struct Read {
    sub: String,
    exp: u64,
    nbf: Option<u64>,
    aud: Option<Audience>,
    #[serde(default)]
    roles: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Read {
    /// Whether it is good at `now`, on a clock that is at most [`limits::TOKEN_LEEWAY_SECONDS`] wrong.
    pub(super) fn check_time(&self, now: u64) -> Result<(), Denied> {
        if now >= self.exp.saturating_add(limits::TOKEN_LEEWAY_SECONDS) {
            return Err(denied(format!("the token expired {} seconds ago", now - self.exp)));
        }
        match self.nbf {
            Some(begins) if now.saturating_add(limits::TOKEN_LEEWAY_SECONDS) < begins => {
                Err(denied(format!("the token begins in {} seconds", begins - now)))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Whether it is for this game.
    pub(super) fn check_audience(&self, game: Option<&str>) -> Result<(), Denied> {
        let named: &[String] = match &self.aud {
            None => &[],
            Some(Audience::One(one)) => std::slice::from_ref(one),
            Some(Audience::Several(several)) => several,
        };
        match game {
            None if named.is_empty() => Ok(()),
            Some(game) if named.iter().any(|name| name == game) => Ok(()),
            None => Err(denied("the token is for certain games (`aud`), and this server has no such name")),
            Some(game) => {
                Err(denied(format!("the token is not for this game: its `aud` has to name \"{game}\"")))
            }
        }
    }

    pub(super) fn identity(self) -> Result<Identity, Denied> {
        match player_key(&self.sub) {
            Some(player) => Ok(Identity { player, roles: self.roles }),
            None => {
                Err(denied("the token's `sub` names no player: a number from 1 to 2^64 - 1, or another text"))
            }
        }
    }
}
