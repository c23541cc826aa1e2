//! The copy that a snapshot is made of: how long a zone stands still for it.
//!
//! *Responsible for*: 100,000 entities with three kept components in four archetypes, as one save copies them.
//! *Not responsible for*: encoding and writing, which happen on other threads while the zone goes on.
//!
//! The floor copies as many bytes as there are values and ids, into a buffer that is kept. Each save is asked of a zone
//! whose last copy was dropped unencoded: such a zone copies again although nothing changed, into the buffers of the last.

use std::cell::RefCell;
use std::hint::black_box;
use std::rc::Rc;

use bevy_ecs::prelude::{Component, World};
use lightmoon_actor::{Activation, ActorKind, Cx, Kinds, Save, Worker, WorkerOptions};
use lightmoon_contract::call::{Body as CallBody, Form, Served};
use lightmoon_contract::{ActorId, Contract, Mono, OperationNumber, contract, data};
use lightmoon_durable::{Loaded, Saved, SnapshotJob};
use lightmoon_zone::{Zone, ZoneBuilder, ZoneOptions, zone};

use crate::figure::{Figure, Goal};
use crate::measure::{Body, Effort, Times};

/// Entities of the zone.
const ENTITIES: usize = 100_000;
/// Bytes of an entity: its values and its id.
const ENTITY_BYTES: usize = size_of::<Position>() + size_of::<Velocity>() + size_of::<Health>() + 8;
/// What the design asks for; its ambition is 1.2.
const GOAL: Goal = Goal::Ratio(3.6);

/// Where something is.
#[data(fixed, persist = "position")]
#[derive(Component, Clone, Copy, Debug, Default)]
struct Position {
    x: f32,
    y: f32,
    z: f32,
}

/// Where it goes.
#[data(fixed, persist = "velocity")]
#[derive(Component, Clone, Copy, Debug, Default)]
struct Velocity {
    x: f32,
    y: f32,
    z: f32,
}

/// How well it is.
#[data(fixed, persist = "health")]
#[derive(Component, Clone, Copy, Debug, Default)]
struct Health {
    points: u32,
    most: u32,
}

/// Makes archetypes.
#[derive(Component)]
struct Red;

/// Makes archetypes.
#[derive(Component)]
struct Round;

#[contract(ticking, number = 1)]
trait Field {
    /// Nothing.
    #[operation]
    fn nothing();
}

struct FieldZone;

impl<Cx> Field<Cx, World> for FieldZone {
    fn nothing(_: &mut World, _: &mut Cx) {}
}

impl Zone for FieldZone {
    const KEEPS: bool = true;

    fn build(zone: &mut ZoneBuilder<'_>) {
        zone.persist_all::<(Position, Velocity, Health)>();
    }

    fn populate(zone: &mut ZoneBuilder<'_>) {
        for number in 0..ENTITIES {
            let mut entity =
                zone.world().spawn((Position::default(), Velocity::default(), Health::default()));
            if number % 2 == 0 {
                entity.insert(Red);
            }
            if number % 4 < 2 {
                entity.insert(Round);
            }
        }
    }
}

/// Measures the copy.
pub(crate) fn run(effort: Effort) -> Vec<Figure> {
    let mut zone = never_stored();
    let job = save(&mut *zone);
    assert!(job.bytes >= ENTITIES * ENTITY_BYTES, "everything is copied");
    drop(job);

    let copying: Body<'_> = Box::new(move |count| {
        for _ in 0..count {
            black_box(save(&mut *zone));
        }
    });
    let (from, mut to) = (vec![1u8; ENTITIES * ENTITY_BYTES], vec![0u8; ENTITIES * ENTITY_BYTES]);
    let floor: Body<'_> = Box::new(move |count| {
        for _ in 0..count {
            to.copy_from_slice(black_box(&from));
            black_box(&to);
        }
    });
    let times = Times::measure(effort, &mut [copying, floor]);
    vec![Figure {
        name: "snapshot.copy.100k-x-3".to_owned(),
        value: times.of(0) * 1e-3,
        unit: "us",
        ratio: times.ratio(0, 1),
        beside: "copying",
        goal: Some(GOAL),
    }]
}

fn save(zone: &mut dyn Activation) -> SnapshotJob {
    let kept = zone.save(Save { snapshot: true }).expect("nothing is too large");
    let parcel = kept.parcel.expect("the last copy was lost");
    let saved = parcel.downcast::<Saved>().expect("zones give such");
    saved.snapshot.expect("a snapshot was asked for")
}

/// An activation, without the worker that it was made by: nothing calls it but we.
fn never_stored() -> Box<dyn Activation> {
    let made = Rc::default();
    let mut kinds = Kinds::default();
    kinds.register(FieldContract::KIND, "Field", Maker { made: Rc::clone(&made) });
    let mut worker = Worker::new(WorkerOptions::default(), kinds);
    worker.start(Mono(0), ActorId::new(FieldContract::KIND, 0));
    worker.turn(Mono(0), &mut Vec::new(), &mut Vec::new());
    made.take().expect("the zone was activated")
}

/// Makes a zone and keeps it from its worker.
struct Maker {
    made: Rc<RefCell<Option<Box<dyn Activation>>>>,
}

impl ActorKind for Maker {
    fn activate(&self, cx: &mut Cx, key: u64) -> Box<dyn Activation> {
        let kind = zone::<FieldContract, FieldZone>(ZoneOptions::default());
        let new = Loaded { is_new: true, ..Loaded::default() };
        let zone = kind.restore(cx, key, Box::new(new)).expect("nothing is read");
        *self.made.borrow_mut() = Some(zone);
        Box::new(Idle)
    }
}

/// What the worker has instead.
struct Idle;

impl Activation for Idle {
    fn serve(
        self: Box<Self>,
        _: &mut Cx,
        _: OperationNumber,
        _: CallBody,
        _: Form,
    ) -> Served<Box<dyn Activation>> {
        Served::Done(self, Ok(None))
    }

    fn alarm(&mut self, _: &mut Cx) {}
}
