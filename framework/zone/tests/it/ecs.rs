//! bevy_ecs as its users know it: nothing of it is wrapped, everything runs as elsewhere.

use std::sync::{Arc, Mutex};

use bevy_ecs::message::MessageReader;
use bevy_ecs::prelude::*;
use bevy_ecs::schedule::ScheduleLabel;
use lightmoon_zone::{First, Last, Update, Zone, ZoneBuilder, ZoneTime};

use crate::arena::{Arena, TICK};
use crate::game::delegate;

thread_local! {
    static NOTES: Arc<Mutex<Vec<String>>> = Arc::default();
}

#[derive(Resource, Clone)]
struct Notes(Arc<Mutex<Vec<String>>>);

impl Notes {
    fn write(&self, note: impl Into<String>) {
        self.0.lock().unwrap().push(note.into());
    }
}

#[derive(Component)]
struct Egg {
    hatches_at: u64,
}

#[derive(Component)]
#[require(Feathers)]
struct Bird;

#[derive(Component, Default)]
struct Feathers(u8);

#[derive(Component)]
#[relationship(relationship_target = Nest)]
struct LivesIn(Entity);

#[derive(Component)]
#[relationship_target(relationship = LivesIn)]
struct Nest(Vec<Entity>);

#[derive(Message, Clone)]
struct Hatched(u64);

#[derive(Event)]
struct Dusk;

#[derive(ScheduleLabel, Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Night;

#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct EveryOtherTick;

/// A zone of plain bevy_ecs, without anything replicated.
struct Aviary;

delegate!(Aviary);

impl Zone for Aviary {
    fn build(zone: &mut ZoneBuilder<'_>) {
        let notes = Notes(NOTES.with(Arc::clone));
        notes.write(format!("built {}", zone.key()));
        zone.insert_resource(notes)
            .tick_rate(10)
            .add_message::<Hatched>()
            .add_message::<Hatched>()
            .add_observer(
                |added: On<'_, '_, Add<Bird>>, notes: Res<'_, Notes>, feathers: Query<'_, '_, &Feathers>| {
                    notes.write(format!("a bird, feathers {}", feathers.get(added.entity).unwrap().0));
                },
            )
            .add_observer(|_: On<'_, '_, Remove<Egg>>, notes: Res<'_, Notes>| notes.write("no egg"))
            .add_observer(|_: On<'_, '_, Dusk>, mut commands: Commands<'_, '_>| {
                commands.queue(|world: &mut World| world.run_schedule(Night));
            })
            .add_systems(First, |time: Res<'_, ZoneTime>, notes: Res<'_, Notes>| {
                notes.write(format!("tick {}", time.tick()));
            })
            .add_systems(Update, (hatch, listen.after(hatch)))
            .add_systems(Update, (|notes: Res<'_, Notes>| notes.write("even")).in_set(EveryOtherTick))
            .add_systems(Night, |notes: Res<'_, Notes>| notes.write("night"))
            .add_systems(Last, dusk.run_if(|time: Res<'_, ZoneTime>| time.tick().0 == 3))
            .add_systems(Last, count.run_if(resource_changed::<Flock>));
        zone.init_resource::<Flock>();
        let world = zone.world();
        world.schedule_scope(Update, |_, schedule| {
            schedule.configure_sets(
                EveryOtherTick.run_if(|time: Res<'_, ZoneTime>| time.tick().0.is_multiple_of(2)),
            );
        });
        let nest = world.spawn_empty().id();
        world.spawn((Egg { hatches_at: 2 }, LivesIn(nest)));
        assert_eq!(world.get::<Nest>(nest).unwrap().0.len(), 1);
    }
}

#[derive(Resource, Default)]
struct Flock(usize);

fn hatch(
    time: Res<'_, ZoneTime>,
    eggs: Query<'_, '_, (Entity, &Egg)>,
    mut commands: Commands<'_, '_>,
    mut hatched: MessageWriter<'_, Hatched>,
    mut flock: ResMut<'_, Flock>,
) {
    for (entity, egg) in &eggs {
        if egg.hatches_at == time.tick().0 {
            commands.entity(entity).remove::<Egg>().insert(Bird);
            hatched.write(Hatched(time.tick().0));
            flock.0 += 1;
        }
    }
}

fn listen(mut hatched: MessageReader<'_, '_, Hatched>, notes: Res<'_, Notes>, mut heard: Local<'_, u32>) {
    for Hatched(tick) in hatched.read() {
        *heard += 1;
        notes.write(format!("hatched in {tick}, the {}. that was heard", *heard));
    }
}

fn dusk(mut commands: Commands<'_, '_>) {
    commands.trigger(Dusk);
}

fn count(flock: Res<'_, Flock>, notes: Res<'_, Notes>) {
    notes.write(format!("flock of {}", flock.0));
}

#[test]
fn systems_observers_run_conditions_and_schedules_of_users_run_unmodified() {
    let mut arena = Arena::of::<Aviary>(1);
    for _ in 0..4 {
        arena.pass(2 * TICK);
    }
    let notes = NOTES.with(|notes| notes.lock().unwrap().clone());
    let expected = [
        "built 1",
        "tick 1",
        "flock of 0",
        "tick 2",
        "no egg",
        "a bird, feathers 0",
        "hatched in 2, the 1. that was heard",
        "even",
        "flock of 1",
        "tick 3",
        "night",
        "tick 4",
        "even",
    ];
    let mut got = notes;
    // `even` has no order relative to the other systems of Update.
    let stable = |notes: &mut Vec<String>| notes.retain(|note| note != "even");
    assert_eq!(got.iter().filter(|note| *note == "even").count(), 2);
    stable(&mut got);
    let mut expected: Vec<String> = expected.iter().map(|note| (*note).to_owned()).collect();
    stable(&mut expected);
    assert_eq!(got, expected);
}

#[test]
fn messages_are_rotated_once_per_tick() {
    #[derive(Message)]
    struct Ping(u64);

    struct Pinging;

    impl Zone for Pinging {
        fn build(zone: &mut ZoneBuilder<'_>) {
            zone.add_message::<Ping>()
                .insert_resource(Notes(NOTES.with(Arc::clone)))
                .add_systems(Update, |time: Res<'_, ZoneTime>, mut pings: MessageWriter<'_, Ping>| {
                    pings.write(Ping(time.tick().0));
                })
                .add_systems(
                    Last,
                    |pings: Res<'_, Messages<Ping>>,
                     mut read: MessageReader<'_, '_, Ping>,
                     notes: Res<'_, Notes>| {
                        let read: Vec<u64> = read.read().map(|ping| ping.0).collect();
                        notes.write(format!("{read:?} of {}", pings.len()));
                    },
                );
        }
    }

    delegate!(Pinging);

    let mut arena = Arena::of::<Pinging>(1);
    arena.ticks(4);
    let notes = NOTES.with(|notes| notes.lock().unwrap().clone());
    assert_eq!(notes, ["[1] of 1", "[2] of 2", "[3] of 2", "[4] of 2"]);
}
