//! Zones as actors.
//!
//! *Responsible for*: [`zone()`], which fits a [`Zone`] to the worker; what is remembered of a zone between activations.
//! *Not responsible for*: the tick (`tick`), back-off after a panic (`lightmoon_actor`), subscribing again (the node).
//!
//! A panic in a system or an operation ends the activation: its world is dropped and nothing of that tick leaves. The worker
//! activates the zone anew, and what waited for it is served then. The node subscribes its viewers again, under new
//! generations. From the dead activation only two numbers are kept: the tick, which goes on, and the counter of ids.
//!
//! Invariants:
//! - I1: operations run between ticks, in order of arrival, each at once; what they did is seen by the schedules of the
//!   next tick. That is what "at tick start" means.
//! - I2: ticks and ids of one zone never come twice while its worker lives.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use bevy_ecs::world::World;
use lightmoon_actor::reserved::ToActor;
use lightmoon_actor::{Activation, ActorKind, Cx};
use lightmoon_contract::call::{Answer, Body, Form, ServeWorld, Served};
use lightmoon_contract::operation::OperationSpec;
use lightmoon_contract::{CallError, OperationNumber, Tick};

use crate::build::Zone;
use crate::identity::NetIds;
use crate::limits::REMEMBERED_MAX;
use crate::options::ZoneOptions;
use crate::tick::TickLoop;
use crate::viewers::ViewerInfo;

/// The kind of actors that answer contract `C` by zones of `Z`.
#[must_use]
pub fn zone<C, Z>(options: ZoneOptions) -> impl ActorKind
where
    C: ServeWorld<Z, Cx, World>,
    Z: Zone,
{
    ZoneKind::<C, Z> { options, remembered: RefCell::default(), kind: PhantomData }
}

struct ZoneKind<C, Z> {
    options: ZoneOptions,
    remembered: RefCell<BTreeMap<u64, Rc<Remembered>>>,
    kind: PhantomData<fn() -> (C, Z)>,
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

impl<C, Z> ActorKind for ZoneKind<C, Z>
where
    C: ServeWorld<Z, Cx, World>,
    Z: Zone,
{
    fn activate(&self, cx: &mut Cx, key: u64) -> Box<dyn Activation> {
        let remembered = self.remember(key);
        let ids = NetIds::new(self.options.block_of(key), Arc::clone(&remembered.ids));
        let inside = TickLoop::new::<Z>(&self.options, ids, cx, Tick(remembered.tick.get()));
        let mut live = Live::<C, Z> { inside, remembered, kind: PhantomData };
        live.inside.flush(cx);
        cx.set_alarm(live.inside.next_due());
        Box::new(live)
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
        let answer = C::serve_world(&mut self.inside.world, cx, number, body, form);
        // Entities that observers identify are there before the answer is read.
        self.inside.world.flush();
        self.inside.counters.operations += 1;
        self.inside.flush(cx);
        answer
    }

    fn obey(&mut self, body: Body) -> Result<(), CallError> {
        match ToActor::open(body).ok_or(CallError::NotAllowed)? {
            ToActor::Subscribe { session, player, avatar, generation, budget_bytes } => {
                self.inside.subscribe(ViewerInfo { session, player, avatar }, generation, budget_bytes);
                Ok(())
            }
            ToActor::Unsubscribe { session, generation } => {
                self.inside.unsubscribe(session, generation);
                Ok(())
            }
            // Only players have sessions of their own.
            ToActor::Connected { .. } | ToActor::Disconnected { .. } | ToActor::ZoneLost { .. } => {
                Err(CallError::NotAllowed)
            }
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
            self.obey(body).map(|()| None)
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

    fn report(&self) -> Option<Box<dyn Any>> {
        Some(Box::new(self.inside.report()))
    }

    fn look(&self) -> Option<Box<dyn Any>> {
        Some(Box::new(self.inside.look()))
    }
}
