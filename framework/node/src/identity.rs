//! Who a client is: authentication behind a trait, and the default for development.
//!
//! *Responsible for*: [`Identity`], the [`Authenticate`] trait, [`Guests`].
//! *Not responsible for*: carrying tokens (`wire`), binding sessions to players (the gateway).
//!
//! Invariants:
//! - I1: a player key comes from here only, never from what a client says of itself later.

use std::fmt;

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// What authentication found out about a client. A session is bound to it for life.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identity {
    /// Key of the player actor; 0 is refused, it is the singleton of the kind.
    pub player: u64,
    /// What the player may do beyond playing; game-defined words.
    pub roles: Vec<String>,
}

/// Why a client was not let in; the text goes to the client.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{reason}")]
pub struct Denied {
    /// For people, without secrets.
    pub reason: String,
}

/// Turns a client's token into an identity.
///
/// Called on the node's thread for each new connection, so it must not block: check signatures, do not ask services.
pub trait Authenticate: fmt::Debug + Send + 'static {
    /// The identity that `token` (at most 1 KiB) proves.
    ///
    /// # Errors
    /// The token proves nothing; the client is told the reason.
    fn authenticate(&self, token: &[u8]) -> Result<Identity, Denied>;

    /// A sentence for start-up when this way lets anybody in; `None` when it is fit for production.
    fn warning(&self) -> Option<&'static str> {
        None
    }
}

/// The development default: everybody is let in, and equal tokens are the same player.
///
/// A client makes its token up once and keeps it. Whoever learns a token *is* that player.
#[derive(Clone, Copy, Debug, Default)]
pub struct Guests;

impl Authenticate for Guests {
    fn authenticate(&self, token: &[u8]) -> Result<Identity, Denied> {
        if token.is_empty() {
            return Err(Denied {
                reason: "an empty token names no guest; send any 16 random bytes and keep them".into(),
            });
        }
        // Any constant will do as seed; it only keeps keys apart from other hashes of the same bytes.
        let player = xxh3_64_with_seed(token, 0x6775_6573_7473);
        Ok(Identity { player: player.max(1), roles: Vec::new() })
    }

    fn warning(&self) -> Option<&'static str> {
        Some("guests: anybody may log in, and whoever knows a guest's token plays as that guest")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_token_is_the_same_guest_and_others_are_not() {
        let ann = Guests.authenticate(b"ann's token").unwrap();
        assert_eq!(ann, Guests.authenticate(b"ann's token").unwrap());
        assert_ne!(ann, Guests.authenticate(b"bob's token").unwrap());
        assert_ne!(ann.player, 0);
    }

    #[test]
    fn an_empty_token_names_nobody() {
        assert!(Guests.authenticate(b"").is_err());
    }
}
