//! Lanes: urgency and delivery promise of a message.
//!
//! *Responsible for*: the two enums, their pairs and wire numbers. *Not responsible for*: scheduling (`wire`).
//!
//! Invariants:
//! - I1: a lane's number fits one byte and never changes: `priority << 4 | reliability`.

use std::fmt;

use lightmoon_contract_macros::data;

use crate::codec::{Data, DecodeError, DecodeReason, Reader, Writer};
use crate::descriptor::{Scalar, TypeRef, TypeTable};

/// How urgent a message is. Lower numbers go first.
#[data(fixed)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Priority {
    /// Handshakes, closing, attachment: never behind anything.
    Critical = 0,
    /// What a player feels at once.
    High = 1,
    /// The rest of play.
    Normal = 2,
    /// Bulk: late join, chat history, analytics.
    Low = 3,
}

impl Priority {
    /// All, most urgent first.
    pub const ALL: [Self; 4] = [Self::Critical, Self::High, Self::Normal, Self::Low];

    /// The word for it, as in descriptors.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Normal => "normal",
            Self::Low => "low",
        }
    }
}

/// What is promised about delivery.
#[data(fixed)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Reliability {
    /// May be lost, doubled never, may overtake.
    Unreliable = 0,
    /// As unreliable; of several waiting messages of one key only the newest is sent.
    UnreliableLatest = 1,
    /// Arrives once; messages may overtake each other.
    ReliableUnordered = 2,
    /// Arrives once, in order per (sender, receiver, lane).
    ReliableOrdered = 3,
    /// Between actors only: effect and acknowledgement are one commit each; rides reliable-ordered, is no lane.
    ExactlyOnce = 4,
}

impl Reliability {
    /// Whether a loss is repaired.
    #[must_use]
    pub const fn is_reliable(self) -> bool {
        matches!(self, Self::ReliableUnordered | Self::ReliableOrdered | Self::ExactlyOnce)
    }

    /// The words for it, as in descriptors.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unreliable => "unreliable",
            Self::UnreliableLatest => "unreliable-latest",
            Self::ReliableUnordered => "reliable-unordered",
            Self::ReliableOrdered => "reliable-ordered",
            Self::ExactlyOnce => "exactly-once",
        }
    }
}

/// One pair of priority and reliability.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Lane {
    /// Urgency.
    pub priority: Priority,
    /// Delivery promise; never [`Reliability::ExactlyOnce`].
    pub reliability: Reliability,
}

impl Lane {
    /// Where handshakes and closing travel.
    pub const CONTROL: Self =
        Self { priority: Priority::Critical, reliability: Reliability::ReliableOrdered };

    /// The pair; `exactly-once` becomes the reliable-ordered lane that it rides on.
    #[must_use]
    pub const fn new(priority: Priority, reliability: Reliability) -> Self {
        let reliability = match reliability {
            Reliability::ExactlyOnce => Reliability::ReliableOrdered,
            Reliability::Unreliable
            | Reliability::UnreliableLatest
            | Reliability::ReliableUnordered
            | Reliability::ReliableOrdered => reliability,
        };
        Self { priority, reliability }
    }

    /// The byte that names this lane on the wire.
    #[must_use]
    pub const fn number(self) -> u8 {
        ((self.priority as u8) << 4) | self.reliability as u8
    }

    /// The lane of a wire byte; `None` for a byte that names none.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        let priority = match number >> 4 {
            0 => Priority::Critical,
            1 => Priority::High,
            2 => Priority::Normal,
            3 => Priority::Low,
            _ => return None,
        };
        let reliability = match number & 0x0F {
            0 => Reliability::Unreliable,
            1 => Reliability::UnreliableLatest,
            2 => Reliability::ReliableUnordered,
            3 => Reliability::ReliableOrdered,
            _ => return None,
        };
        Some(Self { priority, reliability })
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.priority.name(), self.reliability.name())
    }
}

/// Its [number](Lane::number).
impl Data for Lane {
    const MIN_BYTES: usize = 1;

    fn write(&self, to: &mut Writer) {
        to.put(&self.number());
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = from.position();
        Self::from_number(from.get()?).ok_or_else(|| DecodeError::new(at, DecodeReason::Variant))
    }

    fn describe(_: &mut TypeTable) -> TypeRef {
        TypeRef::Scalar(Scalar::U8)
    }
}
