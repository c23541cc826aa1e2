//! Tickets: what lets a client go on with its session over another connection, and after a restart of the node.
//!
//! *Responsible for*: the bytes of a ticket, signing them, and reading only what was signed here. *Not responsible for*: whether a
//! session may be resumed ([`super::resume`]), keeping the key (the shell).
//!
//! ```text
//! version u8 | session u64 | player u64 | login u64 | expires u64 (ms Utc) | HMAC-SHA-256 of all before, 32 bytes      little-endian
//! ```
//!
//! Invariants:
//! - I1: nobody without the key makes a ticket or changes one (Source: RFC 2104); the tag is compared in constant time.
//! - I2: a ticket says nothing that a client may not know; it is a secret because whoever shows it is the player.

use std::fmt;

use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use lightmoon_contract::SessionId;
use sha2::Sha256;

const VERSION: u8 = 1;
const CLAIM_BYTES: usize = 1 + 4 * 8;
const TAG_BYTES: usize = 32;

/// What signs tickets. Keep it over restarts, or clients have to log in anew; the same for all processes of one game.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct TicketKey(pub [u8; 32]);

impl fmt::Debug for TicketKey {
    /// Leaves out the bytes: whoever has them can be any player.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TicketKey")
    }
}

/// What a ticket says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Claims {
    pub(super) session: SessionId,
    /// Key of the session's player.
    pub(super) player: u64,
    /// The serial of the login that began the session: of two logins of a player the later one is higher.
    pub(super) login: u64,
    /// From then on the ticket resumes nothing; ms since 1970.
    pub(super) expires_ms: u64,
}

impl Claims {
    /// The ticket that says this.
    pub(super) fn seal(&self, key: &TicketKey) -> Bytes {
        let mut ticket = Vec::with_capacity(CLAIM_BYTES + TAG_BYTES);
        ticket.push(VERSION);
        for word in [self.session.0, self.player, self.login, self.expires_ms] {
            ticket.extend_from_slice(&word.to_le_bytes());
        }
        let tag = mac(key, &ticket).finalize().into_bytes();
        ticket.extend_from_slice(&tag);
        ticket.into()
    }

    /// What a ticket of ours says, whether it expired or not; `None` for any other bytes.
    pub(super) fn open(key: &TicketKey, ticket: &[u8]) -> Option<Self> {
        let (claims, tag) = ticket.split_at_checked(CLAIM_BYTES)?;
        if tag.len() != TAG_BYTES || mac(key, claims).verify_slice(tag).is_err() {
            return None;
        }
        let (version, words) = claims.split_first()?;
        if *version != VERSION {
            return None;
        }
        let mut words = words.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word));
        Some(Self {
            session: SessionId(words.next()?),
            player: words.next()?,
            login: words.next()?,
            expires_ms: words.next()?,
        })
    }
}

fn mac(key: &TicketKey, bytes: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(&key.0).expect("HMAC takes keys of any length");
    mac.update(bytes);
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: TicketKey = TicketKey([7; 32]);
    const CLAIMS: Claims =
        Claims { session: SessionId(u64::MAX), player: 2, login: 3 << 40, expires_ms: 1_700_000_000_000 };

    #[test]
    fn a_ticket_says_what_was_signed() {
        let ticket = CLAIMS.seal(&KEY);
        assert!(ticket.len() <= lightmoon_wire::limits::TICKET_BYTES_MAX);
        assert_eq!(Claims::open(&KEY, &ticket), Some(CLAIMS));
    }

    #[test]
    fn the_tag_is_the_hmac_of_the_standard() {
        // Source: RFC 4231 section 4.3, whose key is shorter: HMAC pads keys with zeros.
        let mut key = [0; 32];
        key[..4].copy_from_slice(b"Jefe");
        let tag = mac(&TicketKey(key), b"what do ya want for nothing?").finalize().into_bytes();
        let start = [0x5B, 0xDC, 0xC1, 0x46, 0xBF, 0x60, 0x75, 0x4E];
        assert_eq!(tag[..8], start);
    }

    #[test]
    fn every_changed_bit_cut_or_longer_ticket_and_other_key_is_refused() {
        let ticket = CLAIMS.seal(&KEY);
        for bit in 0..ticket.len() * 8 {
            let mut changed = ticket.to_vec();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Claims::open(&KEY, &changed), None, "bit {bit}");
        }
        for end in 0..ticket.len() {
            assert_eq!(Claims::open(&KEY, &ticket[..end]), None, "{end} bytes");
        }
        assert_eq!(Claims::open(&KEY, &[&ticket[..], &[0]].concat()), None);
        assert_eq!(Claims::open(&TicketKey([8; 32]), &ticket), None);
    }

    #[test]
    fn a_key_never_reaches_a_log() {
        assert_eq!(format!("{KEY:?}"), "TicketKey");
    }
}
