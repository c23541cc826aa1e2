//! The player's side of a visit: around any actor that is a player.
//!
//! *Responsible for*: asking the zone in and out as sessions come and go, attaching. *Not responsible for*: what the player is
//! besides; every other message, and those of sessions too, goes on to the actor within.
//!
//! Nothing here waits: a message is sent, and an answer that does not come is asked for again after a while. So it fits around
//! actors that are kept, and those that wait in operations of their own.
//!
//! Invariants:
//! - I1: `Enter` and `Leave` ride one lane, so a zone serves them in the order in which the player decided.
//! - I2: a timer that something newer overtook does nothing.

use std::any::Any;
use std::rc::Rc;
use std::time::Duration;

use lightmoon_actor::reserved::ToActor;
use lightmoon_actor::{
    Activation, ActorKind, Cx, Inspection, Keeping, Kept, Parcel, Save, Unreadable, Unsavable,
};
use lightmoon_contract::call::{Body, Form, Served};
use lightmoon_contract::{
    ActorId, CallError, Caller, Kind, NetId, OperationNumber, OperationSpec, SessionId,
};

use crate::limits::{
    VISIT_AGAIN_MAX, VISIT_AGAIN_MIN, VISIT_GRACE, VISIT_LOOK_AFTER, VISIT_UNANSWERED_MAX,
    VISIT_UNANSWERED_MIN,
};

/// The kind of players that `inner` makes, and that visit the one of the `zones` whose key `zone_of` gives for their key.
///
/// `inner: None`: players that do nothing else.
#[must_use]
pub fn player(inner: Option<Rc<dyn ActorKind>>, zones: Kind, zone_of: fn(u64) -> u64) -> impl ActorKind {
    VisitorKind { inner: inner.unwrap_or_else(|| Rc::new(Nobody)), zones, zone_of }
}

struct VisitorKind {
    inner: Rc<dyn ActorKind>,
    zones: Kind,
    zone_of: fn(u64) -> u64,
}

impl VisitorKind {
    fn around(&self, inner: Box<dyn Activation>, key: u64) -> Box<dyn Activation> {
        let zone = ActorId::new(self.zones, (self.zone_of)(key));
        Box::new(Visitor { inner: Some(inner), visit: Visit::to(zone) })
    }
}

impl ActorKind for VisitorKind {
    fn activate(&self, cx: &mut Cx, key: u64) -> Box<dyn Activation> {
        self.around(self.inner.activate(cx, key), key)
    }

    fn operations(&self) -> &'static [OperationSpec] {
        self.inner.operations()
    }

    fn keeping(&self) -> Option<Keeping> {
        self.inner.keeping()
    }

    fn restore(&self, cx: &mut Cx, key: u64, stored: Parcel) -> Result<Box<dyn Activation>, Unreadable> {
        Ok(self.around(self.inner.restore(cx, key, stored)?, key))
    }

    fn inspect_stored(&self, key: u64, stored: Parcel, to: &mut Inspection) -> Result<(), Unreadable> {
        self.inner.inspect_stored(key, stored, to)
    }
}

/// A player and its visit.
struct Visitor {
    /// `None` only while an operation has it. The box around both stays where it is, so that serving allocates nothing.
    inner: Option<Box<dyn Activation>>,
    visit: Visit,
}

impl Visitor {
    fn inner(&mut self) -> &mut dyn Activation {
        self.inner.as_deref_mut().expect("an operation gives the actor back before anything else happens")
    }
}

impl Activation for Visitor {
    fn serve(
        mut self: Box<Self>,
        cx: &mut Cx,
        number: OperationNumber,
        mut body: Body,
        form: Form,
    ) -> Served<Box<dyn Activation>> {
        if number.is_reserved() {
            let Some(message) = ToActor::open(body) else {
                return Served::Done(self, Err(CallError::WrongType("message of the framework")));
            };
            if self.visit.told(cx, &message) {
                return Served::Done(self, Ok(None));
            }
            body = Body::typed(message);
        }
        let inner = self.inner.take().expect("an operation gives the actor back before the next is served");
        match inner.serve(cx, number, body, form) {
            Served::Done(inner, result) => {
                self.inner = Some(inner);
                Served::Done(self, result)
            }
            Served::Waits(waiting) => Served::Waits(Box::pin(async move {
                let (inner, result) = waiting.await;
                self.inner = Some(inner);
                (self as Box<dyn Activation>, result)
            })),
        }
    }

    fn alarm(&mut self, cx: &mut Cx) {
        self.inner().alarm(cx);
    }

    fn stopping(&mut self, cx: &mut Cx) {
        self.inner().stopping(cx);
    }

    fn save(&mut self, what: Save) -> Result<Kept, Unsavable> {
        self.inner().save(what)
    }

    fn report(&self) -> Option<Box<dyn Any>> {
        self.inner.as_ref()?.report()
    }

    fn look(&self) -> Option<Box<dyn Any>> {
        self.inner.as_ref()?.look()
    }

    fn inspect(&mut self, inspection: &mut Inspection) -> bool {
        self.inner().inspect(inspection)
    }
}

/// Where a player is.
#[derive(Debug)]
struct Visit {
    zone: ActorId,
    session: Option<SessionId>,
    /// What the session is attached to; none: to nothing yet.
    avatar: NetId,
    /// Whether the zone may have an avatar of this player.
    is_inside: bool,
    /// How often in a row the zone refused.
    refusals: u32,
    /// How often in a row the zone was asked and did not answer.
    unanswered: u32,
    /// The newest timer.
    serial: u32,
}

impl Visit {
    const fn to(zone: ActorId) -> Self {
        Self {
            zone,
            session: None,
            avatar: NetId::NONE,
            is_inside: false,
            refusals: 0,
            unanswered: 0,
            serial: 0,
        }
    }

    /// Takes note of a message of the framework; whether it concerns nobody else.
    fn told(&mut self, cx: &mut Cx, message: &ToActor) -> bool {
        match *message {
            ToActor::Connected { session } => {
                self.session = Some(session);
                self.enter(cx);
                false
            }
            ToActor::Disconnected { session } => {
                // The end of an older session says nothing: the newer one has taken the avatar over.
                if self.session.take_if(|own| *own == session).is_some() && self.is_inside {
                    self.wait(cx, VISIT_GRACE);
                }
                false
            }
            ToActor::ZoneLost { session, zone } => {
                if self.session == Some(session) && zone == self.zone {
                    self.enter(cx);
                }
                false
            }
            ToActor::Entered { session, avatar } => {
                self.entered(cx, session, avatar);
                true
            }
            ToActor::Settle { serial } => {
                if serial == self.serial {
                    self.settle(cx);
                }
                true
            }
            ToActor::Subscribe { .. }
            | ToActor::Unsubscribe { .. }
            | ToActor::Received { .. }
            | ToActor::Enter { .. }
            | ToActor::Leave { .. } => false,
        }
    }

    /// Begins to bring the session to an avatar.
    fn enter(&mut self, cx: &mut Cx) {
        (self.avatar, self.refusals, self.unanswered) = (NetId::NONE, 0, 0);
        self.ask(cx);
    }

    fn ask(&mut self, cx: &mut Cx) {
        let Some(session) = self.session else { return };
        self.is_inside = true;
        cx.tell_actor(self.zone, ToActor::Enter { player: cx.key(), session });
        // What waits for a zone that starts over stays there. So no answer means that the zone failed over this very message, and
        // would again: not so often that the worker sets the zone aside, with everybody in it.
        let pause = doubled(VISIT_UNANSWERED_MIN, self.unanswered, VISIT_UNANSWERED_MAX);
        self.unanswered = self.unanswered.saturating_add(1);
        self.wait(cx, pause);
    }

    fn entered(&mut self, cx: &mut Cx, session: SessionId, avatar: NetId) {
        let is_news = self.session == Some(session) && self.avatar != avatar;
        let is_refused = self.session == Some(session) && avatar == NetId::NONE;
        if !(is_news || is_refused) || cx.caller() != Caller::Actor(self.zone) {
            return;
        }
        self.unanswered = 0;
        self.avatar = avatar;
        if is_refused {
            let pause = doubled(VISIT_AGAIN_MIN, self.refusals, VISIT_AGAIN_MAX);
            self.refusals = self.refusals.saturating_add(1);
            return self.wait(cx, pause);
        }
        cx.attach(session, self.zone, avatar);
        // A zone that failed while this was on its way has another avatar, and the node did not know yet whom to tell.
        self.wait(cx, VISIT_LOOK_AFTER);
    }

    /// A timer fell.
    fn settle(&mut self, cx: &mut Cx) {
        match self.session {
            Some(_) if self.avatar == NetId::NONE => self.ask(cx),
            Some(session) => cx.tell_actor(self.zone, ToActor::Enter { player: cx.key(), session }),
            None if self.is_inside => {
                self.is_inside = false;
                cx.tell_actor(self.zone, ToActor::Leave { player: cx.key() });
            }
            None => {}
        }
    }

    fn wait(&mut self, cx: &mut Cx, length: Duration) {
        self.serial = self.serial.wrapping_add(1);
        cx.tell_later(length, ToActor::Settle { serial: self.serial });
    }
}

/// `least`, doubled so often.
fn doubled(least: Duration, times: u32, most: Duration) -> Duration {
    least.saturating_mul(1 << times.min(16)).min(most)
}

/// A player that does nothing of its own.
struct Nobody;

impl ActorKind for Nobody {
    fn activate(&self, _cx: &mut Cx, _key: u64) -> Box<dyn Activation> {
        Box::new(Self)
    }
}

impl Activation for Nobody {
    fn serve(
        self: Box<Self>,
        _cx: &mut Cx,
        number: OperationNumber,
        _body: Body,
        _form: Form,
    ) -> Served<Box<dyn Activation>> {
        let result = if number.is_reserved() { Ok(None) } else { Err(CallError::NoSuchOperation(number)) };
        Served::Done(self, result)
    }

    fn alarm(&mut self, _cx: &mut Cx) {
        // It sets none.
    }
}
