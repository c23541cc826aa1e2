//! Stored types that another build wrote, and registrations that cannot be.

use std::marker::PhantomData;

use bevy_ecs::prelude::*;
use lightmoon_actor::ActorKind;
use lightmoon_contract::{ActorId, Contract, Limits, NetId, Persist, UpgradeError, codec, contract, data};
use lightmoon_zone::{NetIdentity, NetIds, Zone, ZoneBuilder, ZoneOptions, zone};

use crate::desk::Desk;

/// A place for hulls.
#[contract(ticking, number = 31)]
pub(crate) trait Dock {
    /// Makes a hull.
    #[operation(durability = sync)]
    fn moor(left: u8) -> NetId;
    /// All hulls.
    #[operation]
    fn hulls() -> Vec<String>;
}

/// A hull of any build.
trait Hull: Persist + Component + Clone {
    fn moored(left: u8) -> Self;
    fn text(&self) -> String;
}

/// As the first build had it.
#[data(persist = "hull")]
#[derive(Component, Clone, Default)]
struct Old {
    percent: u8,
}

impl Hull for Old {
    fn moored(left: u8) -> Self {
        Self { percent: left }
    }

    fn text(&self) -> String {
        format!("{} %", self.percent)
    }
}

/// As the second had it.
#[data]
#[derive(Component, Clone, Default)]
struct New {
    left: f32,
    shield: f32,
}

impl Persist for New {
    const NAME: &'static str = "hull";
    const VERSION: u16 = 3;

    fn upgrade(version: u16, bytes: &[u8]) -> Result<Self, UpgradeError> {
        if version != 1 {
            return Err(UpgradeError::unknown::<Self>(version));
        }
        let old: Old = codec::decode(bytes, Limits::NODE)
            .map_err(|error| UpgradeError::unreadable::<Self>(version, error))?;
        Ok(Self { left: f32::from(old.percent) / 100.0, shield: 1.0 })
    }
}

impl Hull for New {
    fn moored(left: u8) -> Self {
        Self { left: f32::from(left), shield: 0.0 }
    }

    fn text(&self) -> String {
        format!("{} and {}", self.left, self.shield)
    }
}

/// A build that knows nothing of hulls.
#[data(persist = "sail")]
#[derive(Component, Clone, Default)]
struct Sail {
    area: u8,
}

impl Hull for Sail {
    fn moored(area: u8) -> Self {
        Self { area }
    }

    fn text(&self) -> String {
        format!("{} m2", self.area)
    }
}

struct DockZone<H>(PhantomData<H>);

impl<H: Hull> Zone for DockZone<H> {
    const KEEPS: bool = true;

    fn build(zone: &mut ZoneBuilder<'_>) {
        zone.persist::<H>();
    }
}

impl<Cx, H: Hull> Dock<Cx, World> for DockZone<H> {
    fn moor(world: &mut World, _: &mut Cx, left: u8) -> NetId {
        let entity = world.spawn(H::moored(left)).id();
        world.get::<NetIdentity>(entity).unwrap().id()
    }

    fn hulls(world: &mut World, _: &mut Cx) -> Vec<String> {
        world.query::<&H>().iter(world).map(Hull::text).collect()
    }
}

fn kind<H: Hull>() -> Box<dyn ActorKind> {
    Box::new(zone::<DockContract, DockZone<H>>(ZoneOptions::default()))
}

/// A dock with one hull in the snapshot and one in a row.
fn stored<H: Hull>() -> Desk {
    let mut desk = Desk::new(ActorId::new(DockContract::KIND, 1), kind::<H>);
    desk.ask(dock::Moor { left: 50 });
    desk.save(true);
    desk.tamper(|loaded| loaded.entities.clear());
    desk.ask(dock::Moor { left: 25 });
    desk.save(false);
    desk
}

#[test]
fn an_older_version_is_upgraded_in_snapshots_and_rows() {
    let mut desk = stored::<Old>();
    desk.crash_into(kind::<New>);
    assert_eq!(desk.unreadable(), None);
    assert_eq!(desk.ask(dock::Hulls {}), ["0.5 and 1", "0.25 and 1"]);
}

#[test]
fn a_newer_version_is_refused_and_named() {
    let mut desk = stored::<New>();
    desk.crash_into(kind::<Old>);
    let why = desk.unreadable().unwrap();
    assert_eq!(why, "Dock 31/1: `hull` has version 3 in the store, this build reads up to 1");
}

const UNKNOWN: &str = "Dock 31/1: this build keeps nothing with the name `hull`: run a build that does, or leave it out for ever with `retire(\"hull\")`";

/// A build that has done with hulls.
struct NoHulls;

impl Zone for NoHulls {
    const KEEPS: bool = true;

    fn build(zone: &mut ZoneBuilder<'_>) {
        zone.persist::<Sail>().retire("hull");
    }
}

impl<Cx> Dock<Cx, World> for NoHulls {
    fn moor(world: &mut World, cx: &mut Cx, left: u8) -> NetId {
        DockZone::<Sail>::moor(world, cx, left)
    }

    fn hulls(world: &mut World, _: &mut Cx) -> Vec<String> {
        let count = world.query::<&NetIdentity>().iter(world).count();
        vec![format!("{} things, {} sails", count, world.query::<&Sail>().iter(world).count())]
    }
}

/// A build that has hulls with sails.
struct Both;

impl Zone for Both {
    const KEEPS: bool = true;

    fn build(zone: &mut ZoneBuilder<'_>) {
        zone.persist_all::<(Old, Sail)>();
    }
}

impl<Cx> Dock<Cx, World> for Both {
    fn moor(world: &mut World, cx: &mut Cx, left: u8) -> NetId {
        let id = DockZone::<Old>::moor(world, cx, left);
        let entity = world.resource::<NetIds>().entity(id).unwrap();
        world.entity_mut(entity).insert(Sail { area: left });
        id
    }

    fn hulls(_: &mut World, _: &mut Cx) -> Vec<String> {
        Vec::new()
    }
}

#[test]
fn a_type_that_is_retired_is_left_out_with_entities_that_had_nothing_else() {
    let without = || Box::new(zone::<DockContract, NoHulls>(ZoneOptions::default())) as Box<dyn ActorKind>;
    for has_snapshot in [true, false] {
        let mut desk = stored::<Old>();
        desk.tamper(|loaded| loaded.snapshot = loaded.snapshot.take().filter(|_| has_snapshot));
        desk.crash_into(without);
        assert_eq!(desk.unreadable(), None);
        assert_eq!(desk.ask(dock::Hulls {}), ["0 things, 0 sails"]);
    }
    let with = || Box::new(zone::<DockContract, Both>(ZoneOptions::default())) as Box<dyn ActorKind>;
    let mut desk = Desk::new(ActorId::new(DockContract::KIND, 1), with);
    desk.ask(dock::Moor { left: 50 });
    desk.save(true);
    desk.tamper(|loaded| loaded.entities.clear());
    desk.ask(dock::Moor { left: 25 });
    desk.save(false);
    desk.crash_into(without);
    assert_eq!(desk.ask(dock::Hulls {}), ["2 things, 2 sails"]);
    // What was left out is gone for good.
    desk.save(true);
    desk.tamper(|loaded| loaded.entities.clear());
    desk.crash_into(kind::<Sail>);
    assert_eq!(desk.ask(dock::Hulls {}), ["50 m2", "25 m2"]);
}

#[test]
fn an_unknown_type_is_refused_and_named_in_snapshots_and_rows() {
    let mut desk = stored::<Old>();
    desk.crash_into(kind::<Sail>);
    assert_eq!(desk.unreadable().unwrap(), UNKNOWN);
    let mut desk = stored::<Old>();
    desk.tamper(|loaded| loaded.snapshot = None);
    desk.crash_into(kind::<Sail>);
    assert_eq!(desk.unreadable().unwrap(), UNKNOWN);
}

#[test]
fn bytes_that_are_no_value_of_their_version_are_refused_and_named() {
    // The second build forgot to raise the version.
    #[data(fixed, persist = "hull")]
    #[derive(Component, Clone, Default)]
    struct Wrong {
        left: [u64; 4],
    }
    impl Hull for Wrong {
        fn moored(_: u8) -> Self {
            Self::default()
        }
        fn text(&self) -> String {
            String::new()
        }
    }
    let mut desk = stored::<Old>();
    desk.crash_into(kind::<Wrong>);
    let why = desk.unreadable().unwrap();
    assert!(why.starts_with("Dock 31/1: the bytes of `hull` version 1 are no value of it"), "{why}");
}

#[test]
fn a_version_that_no_code_reads_is_refused_and_named() {
    #[data]
    #[derive(Component, Clone, Default)]
    struct Later {
        left: u8,
    }
    impl Persist for Later {
        const NAME: &'static str = "hull";
        const VERSION: u16 = 2;
    }
    impl Hull for Later {
        fn moored(left: u8) -> Self {
            Self { left }
        }
        fn text(&self) -> String {
            String::new()
        }
    }
    let mut desk = stored::<Old>();
    desk.crash_into(kind::<Later>);
    let why = desk.unreadable().unwrap();
    assert!(why.ends_with("no way to read version 1 of `hull`, this build has version 2"), "{why}");
}

/// A zone whose `build` is one of these.
struct Faulty<const CASE: u8>;

impl<const CASE: u8> Zone for Faulty<CASE> {
    const KEEPS: bool = CASE != 0;

    fn build(zone: &mut ZoneBuilder<'_>) {
        match CASE {
            0 | 1 => drop(zone.persist_all::<(Old, New)>()),
            2 => drop(zone.persist::<Old>().world().spawn(Old { percent: 1 })),
            3 => {}
            _ => drop(zone.persist::<Old>()),
        }
    }

    fn populate(zone: &mut ZoneBuilder<'_>) {
        zone.persist::<Sail>();
    }
}

impl<Cx, const CASE: u8> Dock<Cx, World> for Faulty<CASE> {
    fn moor(_: &mut World, _: &mut Cx, _: u8) -> NetId {
        NetId::NONE
    }

    fn hulls(_: &mut World, _: &mut Cx) -> Vec<String> {
        Vec::new()
    }
}

fn fault<const CASE: u8>() -> String {
    let make = || Box::new(zone::<DockContract, Faulty<CASE>>(ZoneOptions::default())) as Box<dyn ActorKind>;
    if CASE == 0 {
        // A kind that keeps nothing is activated without the store.
        assert!(make().keeping().is_none());
    }
    Desk::new(ActorId::new(DockContract::KIND, 1), make).failed.remove(0)
}

#[test]
fn registrations_that_cannot_be_fail_loudly() {
    for (why, part) in [
        (fault::<0>(), "`hull` is kept by a zone without `const KEEPS`"),
        (fault::<1>(), "two kept types have the name `hull`"),
        (fault::<2>(), "`build` spawned an entity that is kept"),
        (fault::<3>(), "has to `persist` something"),
        (fault::<4>(), "`sail` is kept by `populate`"),
    ] {
        assert!(why.contains(part), "{why}");
    }
}

#[test]
fn a_zone_that_keeps_nothing_is_populated_each_time() {
    struct Meadow;
    impl Zone for Meadow {
        fn build(_: &mut ZoneBuilder<'_>) {}
        fn populate(zone: &mut ZoneBuilder<'_>) {
            zone.world().spawn(Old { percent: 7 });
        }
    }
    impl<Cx> Dock<Cx, World> for Meadow {
        fn moor(_: &mut World, _: &mut Cx, _: u8) -> NetId {
            panic!("asked to");
        }
        fn hulls(world: &mut World, _: &mut Cx) -> Vec<String> {
            world.query::<&Old>().iter(world).map(Hull::text).collect()
        }
    }
    let make = || Box::new(zone::<DockContract, Meadow>(ZoneOptions::default())) as Box<dyn ActorKind>;
    let mut desk = Desk::new(ActorId::new(DockContract::KIND, 1), make);
    for _ in 0..2 {
        assert_eq!(desk.ask(dock::Hulls {}), ["7 %"]);
        desk.crash();
    }
}

#[test]
fn the_loss_of_a_zone_is_bounded() {
    use std::time::Duration;
    for (asked, given) in [(0, 1), (1, 1), (10, 10), (60, 60), (3_600, 60)] {
        let options = ZoneOptions { max_loss: Duration::from_secs(asked), ..ZoneOptions::default() };
        let keeping = zone::<DockContract, DockZone<Old>>(options).keeping().unwrap();
        assert_eq!(keeping.snapshot_every, Some(Duration::from_secs(given)));
    }
    assert_eq!(ZoneOptions::default().max_loss, Duration::from_secs(10));
}
