//! Why a connection ends: codes, and who ended it.
//!
//! *Responsible for*: the table of close codes and the facts of one end. *Not responsible for*: closing sockets.
//!
//! Invariants:
//! - I1: a code's number never changes; unknown numbers of newer peers are kept as they are.
//! - I2: a reason is text for people, at most [`limits::REASON_BYTES_MAX`] bytes; programs decide by the code.

use std::fmt;

use crate::limits;

/// Why a connection was closed or a handshake refused. The number is the QUIC application error code and the
/// WebTransport close code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum CloseCode {
    /// 0: the application wanted it. Do not reconnect by yourself.
    Normal,
    /// 1: the server stops or restarts. Reconnect.
    ShuttingDown,
    /// 2: the same player logged in elsewhere. Do not reconnect by yourself: two clients would throw each other out.
    Replaced,
    /// 3: bytes that the protocol does not allow. Do not reconnect: it would happen again.
    ProtocolViolation,
    /// 4: a frame, stream or datagram over its limit. Do not reconnect.
    TooLarge,
    /// 5: no complete handshake in time. Reconnect.
    HandshakeTimeout,
    /// 6: nothing was heard for too long. Reconnect.
    Idle,
    /// 7: the token was not accepted. Get a new one first.
    Unauthenticated,
    /// 8: contracts or protocol versions do not fit. Update the client.
    Incompatible,
    /// 9: too much waits for a slow reader, or the server takes no more players. Reconnect, with back-off.
    Overloaded,
    /// 10: more frames or calls than allowed. Do not reconnect by yourself.
    RateExceeded,
    /// 11: a fault of the other side. Reconnect.
    Internal,
    /// A code of a newer peer. Reconnect, with back-off.
    Unknown(u32),
}

impl CloseCode {
    /// All codes of this version, by number.
    pub const ALL: [Self; 12] = [
        Self::Normal,
        Self::ShuttingDown,
        Self::Replaced,
        Self::ProtocolViolation,
        Self::TooLarge,
        Self::HandshakeTimeout,
        Self::Idle,
        Self::Unauthenticated,
        Self::Incompatible,
        Self::Overloaded,
        Self::RateExceeded,
        Self::Internal,
    ];

    /// The number on the wire.
    #[must_use]
    pub const fn number(self) -> u32 {
        match self {
            Self::Normal => 0,
            Self::ShuttingDown => 1,
            Self::Replaced => 2,
            Self::ProtocolViolation => 3,
            Self::TooLarge => 4,
            Self::HandshakeTimeout => 5,
            Self::Idle => 6,
            Self::Unauthenticated => 7,
            Self::Incompatible => 8,
            Self::Overloaded => 9,
            Self::RateExceeded => 10,
            Self::Internal => 11,
            Self::Unknown(number) => number,
        }
    }

    /// The code of a number; [`CloseCode::Unknown`] for one that this version does not know.
    #[must_use]
    pub fn from_number(number: u32) -> Self {
        Self::ALL.into_iter().find(|code| code.number() == number).unwrap_or(Self::Unknown(number))
    }

    /// Whether a client should try again by itself.
    #[must_use]
    pub const fn is_worth_a_retry(self) -> bool {
        match self {
            Self::ShuttingDown
            | Self::HandshakeTimeout
            | Self::Idle
            | Self::Overloaded
            | Self::Internal
            | Self::Unknown(_) => true,
            Self::Normal
            | Self::Replaced
            | Self::ProtocolViolation
            | Self::TooLarge
            | Self::Unauthenticated
            | Self::Incompatible
            | Self::RateExceeded => false,
        }
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Normal => "normal",
            Self::ShuttingDown => "shutting-down",
            Self::Replaced => "replaced",
            Self::ProtocolViolation => "protocol-violation",
            Self::TooLarge => "too-large",
            Self::HandshakeTimeout => "handshake-timeout",
            Self::Idle => "idle",
            Self::Unauthenticated => "unauthenticated",
            Self::Incompatible => "incompatible",
            Self::Overloaded => "overloaded",
            Self::RateExceeded => "rate-exceeded",
            Self::Internal => "internal",
            Self::Unknown(number) => return write!(f, "code {number}"),
        })
    }
}

/// Who ended a connection.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ClosedBy {
    /// This side.
    Us,
    /// The other side, by a frame or a close code.
    Peer,
    /// Neither: the transport went away.
    Transport,
}

/// The end of a connection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Closing {
    /// Why.
    pub code: CloseCode,
    /// The same for people.
    pub reason: String,
    /// Who.
    pub by: ClosedBy,
}

/// What a peer did that it may not do: becomes a close.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Violation {
    pub(crate) code: CloseCode,
    pub(crate) reason: String,
}

impl Violation {
    /// Bytes that the protocol does not allow here.
    pub(crate) fn protocol(reason: impl Into<String>) -> Self {
        Self { code: CloseCode::ProtocolViolation, reason: reason.into() }
    }

    /// More bytes than allowed here.
    pub(crate) fn too_large(reason: impl Into<String>) -> Self {
        Self { code: CloseCode::TooLarge, reason: reason.into() }
    }
}

/// `text` cut to at most `max` bytes, between characters.
pub(crate) fn cut(mut text: String, max: usize) -> String {
    if text.len() > max {
        let end = (0..=max).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
    }
    text
}

/// A reason that fits a frame.
pub(crate) fn cut_reason(reason: impl Into<String>) -> String {
    cut(reason.into(), limits::REASON_BYTES_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_keep_their_numbers() {
        for (number, code) in (0u32..).zip(CloseCode::ALL) {
            assert_eq!(code.number(), number);
            assert_eq!(CloseCode::from_number(number), code);
        }
        assert_eq!(CloseCode::from_number(12), CloseCode::Unknown(12));
    }

    #[test]
    fn long_reasons_are_cut_between_characters() {
        assert_eq!(cut("aé€".to_owned(), 5), "aé");
        assert_eq!(cut("aé€".to_owned(), 6), "aé€");
        assert_eq!(cut("€".to_owned(), 2), "");
    }
}
