//! What of messages goes into an actor's commits: those that it sends, marks of those that it took, replies.
//!
//! *Responsible for*: the types, and their rows in the store. *Not responsible for*: when they are written (`keeper`), what
//! is in arguments and replies (contracts).
//!
//! Invariants:
//! - I1: what a row's reader gives is what its writer was given; anything else is an error.

use bytes::Bytes;
use lightmoon_contract::{ActorId, Kind, Limits, OperationNumber, Priority, SessionId, codec, data};

use crate::layout::{self, Section};
use crate::record::{self, RecordError};

/// The names of rows in the store.
const LETTER: &str = "letter";
const MARK: &str = "mark";
const REPLY: &str = "reply";

/// What of messages goes into one commit.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Mail {
    /// Messages sent, in their order. They are delivered once the commit is durable, until they are taken.
    pub posted: Vec<Posted>,
    /// Messages taken: of whom, and their numbers.
    pub taken: Vec<(ActorId, u64)>,
    /// Replies to requests.
    pub replies: Vec<Reply>,
    /// Requests whose replies are kept no more: session and number.
    pub forgotten: Vec<(SessionId, u64)>,
}

impl Mail {
    /// Bytes of its rows, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let posted = self.posted.iter().map(|posted| posted.arguments.len() + 64).sum::<usize>();
        let replies =
            self.replies.iter().map(|reply| reply.reply.as_ref().map_or(0, Bytes::len) + 64).sum::<usize>();
        posted + replies + 64 * (self.taken.len() + self.forgotten.len())
    }
}

/// A message that takes effect exactly once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Posted {
    /// Who is to take it.
    pub to: ActorId,
    /// Which operation.
    pub operation: OperationNumber,
    /// How urgent it is.
    pub priority: Priority,
    /// Its arguments in the byte format.
    pub arguments: Bytes,
}

/// A message in the outbox of its sender.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Letter {
    /// The message.
    pub posted: Posted,
    /// How often it failed when it was served.
    pub tries: u32,
    /// Whether it is tried no more: see [`crate::limits::TRIES_MAX`].
    pub is_dead: bool,
}

/// The reply to a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reply {
    /// The session that asked.
    pub session: SessionId,
    /// The number of the request in it.
    pub request: u64,
    /// Which operation.
    pub operation: OperationNumber,
    /// A hash of its arguments.
    pub check: u64,
    /// The reply in the byte format; `None`: it was too long to keep. Under request number 0 there is none, and `check` is the
    /// highest number of the session that was forgotten.
    pub reply: Option<Bytes>,
}

#[data]
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct LetterRow {
    kind: u16,
    key: u64,
    operation: u16,
    priority: u8,
    arguments: Vec<u8>,
    tries: u32,
    is_dead: bool,
}

#[data]
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct MarkRow {
    number: u64,
}

#[data]
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct ReplyRow {
    operation: u16,
    check: u64,
    reply: Option<Vec<u8>>,
}

fn open<T: codec::Data>(name: &str, row: &Bytes) -> Result<T, RecordError> {
    let record = record::open_as(name, row)?;
    codec::decode(&record.body, Limits::NODE).map_err(|_| RecordError::Malformed(row.len()))
}

impl Letter {
    /// Bytes of its arguments.
    pub(crate) fn bytes(&self) -> usize {
        self.posted.arguments.len()
    }

    /// The key of its row.
    pub(crate) fn key(number: u64) -> Bytes {
        layout::row(Section::Outbox, number, 0)
    }

    pub(crate) fn seal(&self) -> Bytes {
        let Posted { to, operation, priority, arguments } = &self.posted;
        let row = LetterRow {
            kind: to.kind.0,
            key: to.key,
            operation: operation.0,
            priority: *priority as u8,
            arguments: arguments.to_vec(),
            tries: self.tries,
            is_dead: self.is_dead,
        };
        record::seal(LETTER, 1, &codec::encode(&row))
    }

    pub(crate) fn open(row: &Bytes) -> Result<Self, RecordError> {
        let read: LetterRow = open(LETTER, row)?;
        let LetterRow { kind, key, operation, priority, arguments, tries, is_dead } = read;
        let priority =
            Priority::ALL.get(usize::from(priority)).copied().ok_or(RecordError::Malformed(row.len()))?;
        let (to, operation) = (ActorId::new(Kind(kind), key), OperationNumber(operation));
        Ok(Self { posted: Posted { to, operation, priority, arguments: arguments.into() }, tries, is_dead })
    }
}

/// The key of the mark of a sender.
pub(crate) fn mark_key(from: ActorId) -> Bytes {
    layout::row(Section::Inbox, from.key, from.kind.0.into())
}

/// The sender whose mark has a key with these numbers.
pub(crate) fn mark_of(k1: u64, k2: u64) -> Option<ActorId> {
    Some(ActorId::new(Kind(u16::try_from(k2).ok()?), k1))
}

pub(crate) fn seal_mark(number: u64) -> Bytes {
    record::seal(MARK, 1, &codec::encode(&MarkRow { number }))
}

pub(crate) fn open_mark(row: &Bytes) -> Result<u64, RecordError> {
    open::<MarkRow>(MARK, row).map(|mark| mark.number)
}

/// The key of a reply.
pub(crate) fn reply_key(session: SessionId, request: u64) -> Bytes {
    layout::row(Section::Replies, session.0, request)
}

pub(crate) fn seal_reply(reply: &Reply) -> Bytes {
    let row = ReplyRow {
        operation: reply.operation.0,
        check: reply.check,
        reply: reply.reply.as_ref().map(|reply| reply.to_vec()),
    };
    record::seal(REPLY, 1, &codec::encode(&row))
}

pub(crate) fn open_reply(session: u64, request: u64, row: &Bytes) -> Result<Reply, RecordError> {
    let ReplyRow { operation, check, reply } = open(REPLY, row)?;
    let (session, operation) = (SessionId(session), OperationNumber(operation));
    Ok(Reply { session, request, operation, check, reply: reply.map(Bytes::from) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter() -> Letter {
        let posted = Posted {
            to: ActorId::new(Kind(7), u64::MAX),
            operation: OperationNumber(3),
            priority: Priority::High,
            arguments: Bytes::from_static(b"thirty coins"),
        };
        Letter { posted, tries: 2, is_dead: true }
    }

    #[test]
    fn rows_read_back_as_they_were_written() {
        assert_eq!(Letter::open(&letter().seal()), Ok(letter()));
        assert_eq!(open_mark(&seal_mark(1 << 60)), Ok(1 << 60));
        let from = ActorId::new(Kind(0xFEFF), 5);
        let (section, k1, k2) = layout::numbers(&mark_key(from)).expect("a key");
        assert_eq!((section, mark_of(k1, k2)), (Section::Inbox as u8, Some(from)));
        let reply = Reply {
            session: SessionId(9),
            request: 4,
            operation: OperationNumber(1),
            check: 77,
            reply: Some(Bytes::from_static(b"yes")),
        };
        assert_eq!(open_reply(9, 4, &seal_reply(&reply)), Ok(reply));
    }

    /// The book says these numbers.
    #[test]
    fn a_message_costs_its_arguments_and_little_more() {
        let letter = letter();
        let row = Letter::key(1 << 60).len() + letter.seal().len() - letter.posted.arguments.len();
        let mark = mark_key(letter.posted.to).len() + seal_mark(1 << 60).len();
        assert!(row <= 54 && mark <= 46, "{row} and {mark} bytes");
    }

    #[test]
    fn rows_that_changed_are_none() {
        for row in [letter().seal(), seal_mark(3)] {
            for at in 0..row.len() {
                let mut bytes = row.to_vec();
                bytes[at] ^= 0x10;
                let bytes = Bytes::from(bytes);
                assert!(Letter::open(&bytes).is_err() && open_mark(&bytes).is_err(), "byte {at}");
            }
        }
    }
}
