//! Input: what arrived at a client, and its unreliable calls of this moment, in one datagram.
//!
//! ```text
//! generation u32 | tick u64 | received u32 | views u64 | count u8 | count calls
//! call as in UnreliableCall
//! ```
//! Datagram, at most 1,200 bytes in all, from minor 2 on. A client sends one within 24 ms after a Delta arrived.

use lightmoon_contract::{Reader, Writer};

use super::{FrameKind, Layout, UnreliableCall};
use crate::close::Violation;
use crate::limits;

/// What arrived of an attachment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Received {
    /// The attachment.
    pub generation: u32,
    /// Tick of the newest Delta that was applied; 0 with `received` 0: none.
    pub tick: u64,
    /// Bit `k`: the Delta of `k` ticks before was applied.
    pub received: u32,
    /// View payloads that were applied.
    pub views: u64,
}

/// What arrived, and unreliable calls.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Input {
    /// What arrived.
    pub received: Received,
    /// Calls, in order; at most [`limits::INPUT_CALLS_MAX`].
    pub calls: Vec<UnreliableCall>,
}

impl Layout for Input {
    const KIND: FrameKind = FrameKind::Input;
    const BODY_BYTES_MAX: usize = limits::DATAGRAM_BYTES_MAX - 1;

    fn write(&self, to: &mut Writer) {
        let Received { generation, tick, received, views } = self.received;
        to.put(&generation);
        to.put(&tick);
        to.put(&received);
        to.put(&views);
        let calls = &self.calls[..self.calls.len().min(limits::INPUT_CALLS_MAX)];
        to.put(&u8::try_from(calls.len()).expect("at most 16"));
        calls.iter().for_each(|call| call.write(to));
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Violation> {
        let received = Received {
            generation: from.get()?,
            tick: from.get()?,
            received: from.get()?,
            views: from.get()?,
        };
        let count = usize::from(from.get::<u8>()?);
        if count > limits::INPUT_CALLS_MAX {
            return Err(Violation::too_large(format!("{count} calls at once")));
        }
        let calls = (0..count).map(|_| UnreliableCall::read(from)).collect::<Result<_, _>>()?;
        Ok(Self { received, calls })
    }
}
