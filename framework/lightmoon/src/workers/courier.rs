//! What carries messages from one worker to the others.
//!
//! *Responsible for*: moving an outbox into a ring, as far as there is room. *Not responsible for*: when ([`lightmoon_actor`]).

use std::collections::VecDeque;
use std::sync::Arc;

use lightmoon_actor::{Class, Courier, Crossing, Waiting, WorkerId};
use rtrb::{Producer, PushError};

use super::doorbell::Doorbell;

/// A ring of each class, and what wakes their reader.
struct Way {
    rings: [Producer<Crossing>; 2],
    bell: Arc<Doorbell>,
}

/// The ways of one worker, by their ends; none to itself.
#[derive(Default)]
pub(crate) struct RingCourier {
    ways: Vec<Option<Way>>,
}

impl RingCourier {
    pub(crate) fn push(&mut self, rings: [Producer<Crossing>; 2], bell: Arc<Doorbell>) {
        self.ways.push(Some(Way { rings, bell }));
    }

    pub(crate) fn push_none(&mut self) {
        self.ways.push(None);
    }
}

impl Courier for RingCourier {
    fn carry(&mut self, to: WorkerId, class: Class, outbox: &mut Waiting) {
        let Some(way) = self.ways.get_mut(to.at()).and_then(Option::as_mut) else { return };
        let ring = &mut way.rings[class as usize];
        let before = outbox.len();
        while !ring.is_full()
            && let Some(crossing) = outbox.pop()
        {
            let pushed = ring.push(crossing);
            assert!(pushed.is_ok(), "a ring has one sender: what has room once has it until it is used");
        }
        if outbox.len() < before {
            way.bell.ring();
        }
    }
}

/// Moves from the front what fits; whether that was anything.
pub(crate) fn pour<T>(from: &mut VecDeque<T>, ring: &mut Producer<T>) -> bool {
    let before = from.len();
    while let Some(first) = from.pop_front() {
        if let Err(PushError::Full(first)) = ring.push(first) {
            from.push_front(first);
            break;
        }
    }
    from.len() < before
}
