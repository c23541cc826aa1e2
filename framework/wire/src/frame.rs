//! Frames: the units on the wire. This file is the list; one file per frame holds its layout.
//!
//! *Responsible for*: kinds, who may send what where, length prefixes, dispatch to the layouts.
//! *Not responsible for*: when a frame is allowed (`server`, `client`).
//!
//! ```text
//! stream    lane u8, then frames:  length varint | kind u8 | body      (length counts kind and body)
//! datagram  one frame:                             kind u8 | body
//! ```
//!
//! Bodies are fixed layouts in the byte format of `lightmoon_contract::codec`: integers are varints, but `u8` is a raw
//! byte; bytes and text have their length in front.
//!
//! Invariants:
//! - I1: a frame's body ends exactly where the frame ends; no prefix of a frame is a frame.
//! - I2: a kind's number and a layout never change within `lightmoon/1`; new minors add kinds.
//! - I3: `read(write(frame)) == frame` for every frame within its limits.

mod answer;
mod attach;
mod call;
mod delta;
mod describe;
mod describing;
mod detach;
#[cfg(test)]
mod document;
mod field;
mod goodbye;
mod held;
mod hello;
mod input;
mod lane_ack;
mod ping;
mod pong;
mod push;
mod refuse;
mod state;
#[cfg(test)]
mod tests;
mod ticket;
mod unreliable_call;
#[cfg(test)]
mod vectors;
mod view;
mod welcome;

use bytes::Bytes;
use lightmoon_contract::codec::Limits;
use lightmoon_contract::{Lane, Reader, Writer};

use crate::close::Violation;
use crate::limits;
use crate::stream::SOLO_BIT;

pub use answer::{Answer, Fault};
pub use attach::Attach;
pub use call::{Aimed, Call};
pub use delta::Delta;
pub use describe::Describe;
pub use describing::Describing;
pub use detach::Detach;
pub use goodbye::Goodbye;
pub use held::Held;
pub use hello::Hello;
pub use input::{Input, Received};
pub use lane_ack::LaneAck;
pub use ping::Ping;
pub use pong::Pong;
pub use push::Push;
pub use refuse::Refuse;
pub use state::State;
pub use ticket::Ticket;
pub use unreliable_call::UnreliableCall;
pub use view::View;
pub use welcome::Welcome;

/// A frame's bytes: what each frame file implements.
pub(crate) trait Layout: Sized {
    /// Which frame it is.
    const KIND: FrameKind;
    /// Most bytes of a body.
    const BODY_BYTES_MAX: usize;

    /// Appends the body.
    fn write(&self, to: &mut Writer);

    /// Bytes of the body, or at least about as many: so that a frame of the hot path takes one allocation.
    fn size(&self) -> usize {
        limits::HEADER_BYTES_MAX
    }

    /// Reads the body, and leaves what follows it.
    fn read(from: &mut Reader<'_>) -> Result<Self, Violation>;
}

/// Which side of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Sender {
    Client,
    Server,
}

/// Who may send a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum SentBy {
    Client,
    Server,
    Both,
}

/// Where a frame travels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum On {
    Stream,
    Datagram,
}

/// Makes the enums of all frames and what is looked up by kind.
macro_rules! frames {
    ($($(#[$doc:meta])* $frame:ident = $number:literal, $by:ident, $on:ident;)*) => {
        /// A frame's kind: the byte in front of its body.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(u8)]
        pub(crate) enum FrameKind {
            $($(#[$doc])* $frame = $number,)*
        }

        impl FrameKind {
            #[cfg(test)]
            pub(crate) const ALL: &'static [Self] = &[$(Self::$frame,)*];

            fn from_number(number: u8) -> Option<Self> {
                match number {
                    $($number => Some(Self::$frame),)*
                    _ => None,
                }
            }

            const fn path(self) -> (SentBy, On) {
                match self {
                    $(Self::$frame => (SentBy::$by, On::$on),)*
                }
            }

            const fn body_bytes_max(self) -> usize {
                match self {
                    $(Self::$frame => $frame::BODY_BYTES_MAX,)*
                }
            }

            fn read(self, from: &mut Reader<'_>) -> Result<Frame, Violation> {
                match self {
                    $(Self::$frame => $frame::read(from).map(Frame::$frame),)*
                }
            }
        }

        /// Any frame.
        #[derive(Clone, PartialEq, Eq, Debug)]
        pub(crate) enum Frame {
            $($(#[$doc])* $frame($frame),)*
        }

        impl Frame {
            /// The frame's name, for reasons.
            pub(crate) const fn name(&self) -> &'static str {
                match self {
                    $(Self::$frame(_) => stringify!($frame),)*
                }
            }
        }

        #[cfg(test)]
        impl Frame {
            /// The bytes as they travel: with a length on streams, without in datagrams.
            pub(crate) fn bytes(&self) -> Vec<u8> {
                match self {
                    $(Self::$frame(frame) => {
                        let mut out = Vec::new();
                        match On::$on {
                            On::Stream => write_stream(frame, &mut out),
                            On::Datagram => out = write_datagram(frame).to_vec(),
                        }
                        out
                    })*
                }
            }

            pub(crate) const fn kind(&self) -> FrameKind {
                match self {
                    $(Self::$frame(_) => FrameKind::$frame,)*
                }
            }
        }
    };
}

frames! {
    /// Who the client is and what it was built from. First of all.
    Hello = 1, Client, Stream;
    /// Asks the client for its descriptor.
    Describe = 2, Server, Stream;
    /// The client's descriptor.
    Describing = 3, Client, Stream;
    /// The handshake succeeded.
    Welcome = 4, Server, Stream;
    /// The handshake failed.
    Refuse = 5, Server, Stream;
    /// The connection ends in order.
    Goodbye = 6, Both, Stream;
    /// What resumes the session.
    Ticket = 7, Server, Stream;
    /// How much of a lane has arrived.
    LaneAck = 8, Both, Stream;
    /// A reliable call.
    Call = 16, Client, Stream;
    /// The answer to a request.
    Answer = 17, Server, Stream;
    /// A message of an actor to the client.
    Push = 18, Server, Stream;
    /// The session looks at a zone from here on.
    Attach = 32, Server, Stream;
    /// The session looks at no zone from here on.
    Detach = 33, Server, Stream;
    /// Reliable part of what the session sees.
    View = 34, Server, Stream;
    /// Unreliable part of what the session sees.
    State = 48, Server, Datagram;
    /// An unreliable call.
    UnreliableCall = 49, Client, Datagram;
    /// Asks for a Pong.
    Ping = 50, Both, Datagram;
    /// Answers a Ping.
    Pong = 51, Both, Datagram;
    /// Unreliable part of what the session sees, against what the client has.
    Delta = 52, Server, Datagram;
    /// What arrived at a client, and its unreliable calls.
    Input = 53, Client, Datagram;
}

impl SentBy {
    fn allows(self, sender: Sender) -> bool {
        match self {
            Self::Both => true,
            Self::Client => sender == Sender::Client,
            Self::Server => sender == Sender::Server,
        }
    }
}

/// The bytes of `frame` as they stand on a stream.
#[cfg(test)]
pub(crate) fn stream_bytes<F: Layout>(frame: &F) -> Bytes {
    let mut out = Vec::with_capacity(limits::HEADER_BYTES_MAX + frame.size());
    write_stream(frame, &mut out);
    out.into()
}

/// The bytes of a stream that holds `frame` alone; `None`: it is too large for one.
pub(crate) fn solo_bytes<F: Layout>(lane: Lane, frame: &F) -> Option<Bytes> {
    let mut bytes = vec![SOLO_BIT | lane.number()];
    write_stream(frame, &mut bytes);
    (bytes.len() - 1 <= limits::SOLO_FRAME_BYTES_MAX).then(|| bytes.into())
}

/// The number of the request in a kept frame of a client; `None`: it wants no answer.
pub(crate) fn request_of(frame: &[u8]) -> Option<u64> {
    let (_, header) = read_length(frame).ok()??;
    let Frame::Call(call) = read_stream(Sender::Client, frame.get(header..)?).ok()? else { return None };
    Some(call.request).filter(|request| *request != 0)
}

/// Appends `frame` with its length.
pub(crate) fn write_stream<F: Layout>(frame: &F, out: &mut Vec<u8>) {
    let length = 1 + frame.size();
    // Grown once, and mostly to just what leaves.
    out.reserve(width(count(length)) + length);
    let mut to = Writer::onto(std::mem::take(out));
    to.window(|to| {
        to.raw(&[F::KIND as u8]);
        frame.write(to);
    });
    *out = to.into_bytes();
}

/// The bytes of `frame` as a datagram.
pub(crate) fn write_datagram<F: Layout>(frame: &F) -> Bytes {
    let mut bytes = Vec::with_capacity(1 + frame.size());
    bytes.push(F::KIND as u8);
    let mut to = Writer::onto(bytes);
    frame.write(&mut to);
    to.into_bytes().into()
}

/// The length in front of a frame and the bytes that the length itself takes; `None`: more must arrive.
pub(crate) fn read_length(bytes: &[u8]) -> Result<Option<(usize, usize)>, Violation> {
    let Some(first) = bytes.first() else { return Ok(None) };
    let width = match first {
        0..0xFB => return Ok(Some((usize::from(*first), 1))),
        0xFB => 2,
        0xFC => 4,
        // Eight and sixteen bytes are lengths that no frame has, in any form.
        0xFD..=0xFF => return Err(Violation::too_large("length of a frame is over 32 bits")),
    };
    let Some(mut digits) = bytes.get(1..=width).map(<[u8]>::iter) else { return Ok(None) };
    let length =
        digits.try_rfold(0usize, |sum, digit| sum.checked_mul(256)?.checked_add(usize::from(*digit)));
    length.map(|length| Some((length, 1 + width))).ok_or_else(|| Violation::too_large("length of a frame"))
}

/// Checks, from kind and length alone, that `sender` may send such a frame on a stream.
pub(crate) fn check_length(sender: Sender, number: u8, length: usize) -> Result<(), Violation> {
    let kind = check_kind(sender, number, On::Stream)?;
    let max = kind.body_bytes_max() + 1;
    if length > max {
        return Err(Violation::too_large(format!("{kind:?} of {length} bytes, at most {max}")));
    }
    Ok(())
}

fn check_kind(sender: Sender, number: u8, on: On) -> Result<FrameKind, Violation> {
    let kind = FrameKind::from_number(number)
        .ok_or_else(|| Violation::protocol(format!("unknown frame kind {number}")))?;
    let (sent_by, travels_on) = kind.path();
    if travels_on != on || !sent_by.allows(sender) {
        return Err(Violation::protocol(format!("{kind:?} does not travel this way")));
    }
    Ok(kind)
}

/// Reads one frame of a stream, without its length; `frame` is exactly the frame.
pub(crate) fn read_stream(sender: Sender, frame: &[u8]) -> Result<Frame, Violation> {
    read(sender, frame, On::Stream)
}

/// Reads the one frame of a datagram.
pub(crate) fn read_datagram(sender: Sender, datagram: &[u8]) -> Result<Frame, Violation> {
    if datagram.len() > limits::DATAGRAM_BYTES_MAX {
        return Err(Violation::too_large(format!("datagram of {} bytes", datagram.len())));
    }
    read(sender, datagram, On::Datagram)
}

fn read(sender: Sender, frame: &[u8], on: On) -> Result<Frame, Violation> {
    let Some((number, body)) = frame.split_first() else {
        return Err(Violation::protocol("frame without a kind"));
    };
    let kind = check_kind(sender, *number, on)?;
    let explain = |error| Violation::protocol(format!("{kind:?}: {error}"));
    // Lengths are checked already and bodies hold no lists: these limits only have to be wide enough.
    let mut from = Reader::new(body, Limits::NODE).map_err(explain)?;
    let frame = kind.read(&mut from).map_err(|violation| violation.within(kind))?;
    from.finish().map_err(explain)?;
    Ok(frame)
}

impl Violation {
    fn within(self, kind: FrameKind) -> Self {
        Self { reason: format!("{kind:?}: {}", self.reason), ..self }
    }
}

/// Bytes of a number in a frame.
const fn width(number: u64) -> usize {
    match number {
        0..=250 => 1,
        251..=0xFFFF => 3,
        0x1_0000..=0xFFFF_FFFF => 5,
        0x1_0000_0000..=u64::MAX => 9,
    }
}

/// A size as a count.
pub(crate) const fn count(size: usize) -> u64 {
    // No machine has addresses wider than 64 bits.
    size as u64
}
