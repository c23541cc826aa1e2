//! Zones as actors.
//!
//! *Responsible for*: [`zone()`], which fits a [`Zone`] to the worker; what is remembered of a zone between activations.
//! *Not responsible for*: the tick (`tick`), back-off after a panic (`lightmoon_actor`), subscribing again (the node).
//!
//! A panic in a system or an operation ends the activation: its world is dropped and nothing of that tick leaves. The worker
//! activates the zone anew, and what waited for it is served then. The node subscribes its viewers again, under new
//! generations. A zone with [`Zone::KEEPS`] is then what the store has of it; of another only two numbers are kept from the
//! dead activation: the tick, which goes on, and the counter of ids.
//!
//! Invariants:
//! - I1: operations run between ticks, in order of arrival, each at once; what they did is seen by the schedules of the
//!   next tick. That is what "at tick start" means.
//! - I2: ticks and ids of one zone that keeps nothing never come twice while its worker lives. One that is kept goes on at
//!   the tick of its snapshot or of its last row, whichever is later: the ticks after it are lived again.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bevy_ecs::world::World;
use lightmoon_actor::reserved::ToActor;
use lightmoon_actor::{
    Activation, ActorKind, Cx, Inspection, Keeping, Kept, Parcel, Save, Unreadable, Unsavable,
};
use lightmoon_contract::call::{Answer, Body, Form, ServeWorld, Served};
use lightmoon_contract::operation::{Durability, OperationSpec};
use lightmoon_contract::{ActorId, CallError, OperationNumber, Tick};
use lightmoon_durable::Loaded;
use lightmoon_replica::Receipt;

use crate::build::Zone;
use crate::identity::NetIds;
use crate::inspect;
use crate::limits::REMEMBERED_MAX;
use crate::options::ZoneOptions;
use crate::persist::error::ReadError;
use crate::tick::{Origin, TickLoop};
use crate::viewers::ViewerInfo;
use crate::visit::{Host, Hosting};

/// The kind of actors that answer contract `C` by zones of `Z`.
#[must_use]
pub fn zone<C, Z>(options: ZoneOptions) -> impl ActorKind
where
    C: ServeWorld<Z, Cx, World>,
    Z: Zone,
{
    ZoneKind::<C, Z> { options, hosting: None, remembered: RefCell::default(), kind: PhantomData }
}

/// As [`zone()`], with zones that players visit.
#[must_use]
pub fn host<C, Z>(options: ZoneOptions) -> impl ActorKind
where
    C: ServeWorld<Z, Cx, World>,
    Z: Host,
{
    let hosting = Some(Hosting::of::<Z>());
    ZoneKind::<C, Z> { options, hosting, remembered: RefCell::default(), kind: PhantomData }
}

struct ZoneKind<C, Z> {
    options: ZoneOptions,
    /// `None`: nobody visits.
    hosting: Option<Hosting>,
    remembered: RefCell<BTreeMap<u64, Rc<Remembered>>>,
    kind: PhantomData<fn() -> (C, Z)>,
}

/// What the store has of an actor.
pub(crate) fn loaded(stored: Parcel) -> Result<Loaded, Unreadable> {
    match stored.downcast::<Loaded>() {
        Ok(loaded) => Ok(*loaded),
        Err(_) => {
            Err(Unreadable("what was loaded is nothing that was stored: a fault of the node".to_owned()))
        }
    }
}

/// What outlives an activation.
#[derive(Debug, Default)]
struct Remembered {
    /// The last tick that ended well.
    tick: Cell<u64>,
    /// Ids given so far.
    ids: Arc<AtomicU64>,
}

impl<C, Z> ZoneKind<C, Z> {
    fn remember(&self, key: u64) -> Rc<Remembered> {
        let mut all = self.remembered.borrow_mut();
        if all.len() >= REMEMBERED_MAX && !all.contains_key(&key) {
            // Those that live are remembered whatever their number: the worker bounds it.
            let over =
                all.iter().find(|(_, remembered)| Rc::strong_count(remembered) == 1).map(|(key, _)| *key);
            over.map(|key| all.remove(&key));
        }
        Rc::clone(all.entry(key).or_default())
    }
}

impl<C, Z> ZoneKind<C, Z>
where
    C: ServeWorld<Z, Cx, World>,
    Z: Zone,
{
    fn live(
        &self,
        cx: &mut Cx,
        key: u64,
        origin: &Origin,
        remembered: Rc<Remembered>,
    ) -> Result<Box<dyn Activation>, ReadError> {
        let ids = NetIds::new(self.options.block_of(key), Arc::clone(&remembered.ids));
        let inside = TickLoop::new::<Z>(&self.options, self.hosting, ids, cx, origin)?;
        let mut live = Live::<C, Z> { inside, remembered, kind: PhantomData };
        live.inside.flush(cx);
        cx.set_alarm(live.inside.next_due());
        Ok(Box::new(live))
    }
}

impl<C, Z> ActorKind for ZoneKind<C, Z>
where
    C: ServeWorld<Z, Cx, World>,
    Z: Zone,
{
    fn activate(&self, cx: &mut Cx, key: u64) -> Box<dyn Activation> {
        let remembered = self.remember(key);
        let origin = Origin::Anew(Tick(remembered.tick.get()));
        self.live(cx, key, &origin, remembered).unwrap_or_else(|error| {
            unreachable!("nothing is read for a zone that begins anew: {error}");
        })
    }

    fn keeping(&self) -> Option<Keeping> {
        Z::KEEPS.then(|| self.options.keeping())
    }

    fn restore(&self, cx: &mut Cx, key: u64, stored: Parcel) -> Result<Box<dyn Activation>, Unreadable> {
        let stored = loaded(stored)?;
        let origin = Origin::Stored(stored);
        let remembered = Rc::new(Remembered::default());
        remembered.ids.store(origin.ids_before(), Ordering::Relaxed);
        self.live(cx, key, &origin, remembered).map_err(|error| error.of(C::NAME, ActorId::new(C::KIND, key)))
    }

    fn operations(&self) -> &'static [OperationSpec] {
        C::SPEC.operations
    }
}

/// A zone that is alive.
struct Live<C, Z> {
    inside: TickLoop,
    remembered: Rc<Remembered>,
    kind: PhantomData<fn() -> (C, Z)>,
}

impl<C, Z> Live<C, Z>
where
    C: ServeWorld<Z, Cx, World>,
    Z: Zone,
{
    fn operate(
        &mut self,
        cx: &mut Cx,
        number: OperationNumber,
        body: Body,
        form: Form,
    ) -> Result<Answer, CallError> {
        if Z::KEEPS {
            let spec = C::SPEC.operations.iter().find(|spec| spec.number == number);
            // What takes effect exactly once stands in a commit beside the mark that it was taken.
            let is_durable = |spec: &OperationSpec| spec.durability == Durability::Sync || spec.exactly_once;
            self.inside.begin_operation(spec.is_some_and(is_durable));
        }
        let answer = C::serve_world(&mut self.inside.world, cx, number, body, form);
        // Entities that observers identify are there before the answer is read.
        self.inside.world.flush();
        self.inside.counters.operations += 1;
        self.inside.flush(cx);
        answer
    }

    fn obey(&mut self, cx: &mut Cx, body: Body) -> Result<(), CallError> {
        match ToActor::open(body).ok_or(CallError::NotAllowed)? {
            ToActor::Subscribe { session, player, avatar, generation, budget_bytes, takes_deltas } => {
                let info = ViewerInfo { session, player, avatar };
                self.inside.subscribe(info, generation, budget_bytes, takes_deltas);
                Ok(())
            }
            ToActor::Received { session, generation, tick, received, views } => {
                let receipt = Receipt { generation, tick: Tick(tick), received, views };
                self.inside.received(cx.now(), session, &receipt);
                Ok(())
            }
            ToActor::Unsubscribe { session, generation } => {
                self.inside.unsubscribe(session, generation);
                Ok(())
            }
            ToActor::Enter { player, session } => self.inside.enter(cx, player, session),
            ToActor::Leave { player } => self.inside.leave(cx, player),
            // Only players have sessions of their own.
            ToActor::Connected { .. }
            | ToActor::Disconnected { .. }
            | ToActor::ZoneLost { .. }
            | ToActor::Entered { .. }
            | ToActor::Settle { .. } => Err(CallError::NotAllowed),
        }
    }
}

impl<C, Z> Activation for Live<C, Z>
where
    C: ServeWorld<Z, Cx, World>,
    Z: Zone,
{
    fn serve(
        mut self: Box<Self>,
        cx: &mut Cx,
        number: OperationNumber,
        body: Body,
        form: Form,
    ) -> Served<Box<dyn Activation>> {
        let result = if number.is_reserved() {
            self.obey(cx, body).map(|()| None)
        } else {
            self.operate(cx, number, body, form)
        };
        Served::Done(self, result)
    }

    fn alarm(&mut self, cx: &mut Cx) {
        let remembered = &self.remembered;
        let next = self.inside.run_due(cx, |tick| remembered.tick.set(tick.0));
        cx.set_alarm(next);
    }

    fn save(&mut self, what: Save) -> Result<Kept, Unsavable> {
        let Some(saved) = self.inside.save(what).transpose()? else { return Ok(Kept::default()) };
        let in_commit = !saved.is_empty();
        let copied = saved.snapshot.as_ref().map(|job| job.bytes);
        let bytes = saved.bytes() + copied.unwrap_or(0);
        let parcel = (in_commit || copied.is_some()).then(|| Box::new(saved) as Parcel);
        Ok(Kept { parcel, in_commit, bytes })
    }

    fn report(&self) -> Option<Box<dyn Any>> {
        Some(Box::new(self.inside.report()))
    }

    fn look(&self) -> Option<Box<dyn Any>> {
        Some(Box::new(self.inside.look()))
    }

    fn chart(&self, places_max: usize) -> Option<Box<dyn Any>> {
        Some(Box::new(self.inside.chart(places_max)))
    }

    fn inspect(&mut self, inspection: &mut Inspection) -> bool {
        inspect::zone(&self.inside.world, inspection);
        true
    }
}
