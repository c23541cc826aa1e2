//! What systems say to the outside.
//!
//! *Responsible for*: [`Outgoing`], a queue that the zone empties after the schedules of each tick and after each operation.
//! *Not responsible for*: operations, which have `cx` and speak at once.
//!
//! Invariants:
//! - I1: messages leave in the order in which they were queued, and only if the tick that queued them ended well.

use std::fmt;
use std::sync::Mutex;

use bevy_ecs::resource::Resource;
use bytes::Bytes;
use lightmoon_actor::Cx;
use lightmoon_actor::reserved::ToSession;
use lightmoon_contract::operation::{CallForm, Link, Target};
use lightmoon_contract::{ActorRef, Lane, Operation, OperationNumber, SessionId, codec};

use crate::limits::OUTGOING_MAX;
use crate::viewers::Viewers;

/// Messages of systems to actors and clients.
///
/// ```
/// use bevy_ecs::prelude::*;
/// use lightmoon_contract::contract;
/// use lightmoon_zone::Outgoing;
///
/// #[contract(number = 9)]
/// pub trait Pilot {
///     #[operation]
///     fn wrecked(place: u32);
/// }
///
/// #[derive(Component)]
/// struct Wreck {
///     pilot: u64,
/// }
///
/// fn tell_pilots(wrecks: Query<&Wreck, Added<Wreck>>, mut outgoing: ResMut<Outgoing>) {
///     for wreck in &wrecks {
///         outgoing.tell(lightmoon_contract::ActorRef::new(wreck.pilot), pilot::Wrecked { place: 7 });
///     }
/// }
/// # fn main() {}
/// ```
#[derive(Resource, Default)]
pub struct Outgoing {
    /// Behind a mutex only because messages need not be `Sync`; nobody ever waits for it.
    letters: Mutex<Vec<Letter>>,
    dropped: u64,
}

/// To whom a push goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Audience {
    /// This session, whether it looks at the zone or not.
    Session(SessionId),
    /// The sessions of this player that look at the zone.
    Player(u64),
    /// Every session that looks at the zone.
    Viewers,
}

enum Letter {
    Tell(Box<dyn FnOnce(&mut Cx) -> bool + Send>),
    Push(Audience, Encoded),
}

/// A push, encoded once for all who get it.
struct Encoded {
    number: OperationNumber,
    lane: Lane,
    bytes: Bytes,
}

impl Outgoing {
    /// Queues a one-way call of an actor.
    pub fn tell<O: Operation>(&mut self, to: ActorRef<O::Contract>, message: O) {
        const { assert!(!matches!(O::SPEC.form, CallForm::Push), "an actor does not serve its pushes") };
        const {
            assert!(
                !O::SPEC.exactly_once,
                "what a system does is in no commit: send it from an operation with `durability = sync`"
            );
        };
        self.queue(Letter::Tell(Box::new(move |cx| cx.tell(Target::from(to), message).is_ok())));
    }

    /// Queues a push of the zone's own contract to clients. It is encoded now, once.
    pub fn push<O: Operation>(&mut self, to: Audience, message: O) {
        const { assert!(matches!(O::SPEC.form, CallForm::Push), "only push operations go to clients") };
        let bytes = codec::encode(&message).into();
        let encoded = Encoded { number: O::SPEC.number, lane: O::SPEC.lane, bytes };
        self.queue(Letter::Push(to, encoded));
    }

    fn letters(&mut self) -> &mut Vec<Letter> {
        self.letters.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Whether there is nothing to send and nothing to count.
    pub(crate) fn is_idle(&mut self) -> bool {
        self.dropped == 0 && self.letters().is_empty()
    }

    fn queue(&mut self, letter: Letter) {
        if self.letters().len() >= OUTGOING_MAX {
            self.dropped += 1;
            return;
        }
        self.letters().push(letter);
    }

    /// Sends everything. Counts (dropped so far, refused now).
    pub(crate) fn flush(&mut self, viewers: &Viewers, cx: &mut Cx) -> (u64, u64) {
        let mut refused = 0;
        for letter in self.letters().drain(..) {
            match letter {
                Letter::Tell(send) => refused += u64::from(!send(cx)),
                Letter::Push(audience, push) => push.send(audience, viewers, cx),
            }
        }
        (std::mem::take(&mut self.dropped), refused)
    }
}

impl Encoded {
    fn send(&self, audience: Audience, viewers: &Viewers, cx: &mut Cx) {
        let mut send = |session| {
            let Self { number, lane, ref bytes } = *self;
            cx.tell_session(session, ToSession::Push { number, lane, bytes: bytes.clone() });
        };
        match audience {
            Audience::Session(session) => send(session),
            Audience::Player(player) => viewers.of_player(player).for_each(|viewer| send(viewer.session)),
            Audience::Viewers => viewers.iter().for_each(|viewer| send(viewer.session)),
        }
    }
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing").field("dropped", &self.dropped).finish_non_exhaustive()
    }
}
