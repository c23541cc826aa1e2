//! Snapshots: there and back.

use bytes::Bytes;
use lightmoon_durable::limits::PART_BYTES_MAX;

use crate::desk::Desk;
use crate::goods::{self, first, fresh, yard};

/// A yard with `count` things, each a little different, on the move.
fn busy(count: u32) -> Desk {
    let mut desk = fresh::<3>();
    for number in 0..count {
        let id = desk.ask(yard::Put { x: number as f32, y: 1.0 });
        if number % 3 == 0 {
            desk.ask(yard::Tag { id, text: Some(format!("number {number}")) });
        }
        if number % 5 == 0 {
            desk.ask(yard::Strip { id });
        }
        if number % 7 == 0 {
            desk.ask(yard::Hide { id, hidden: true });
        }
        if number % 11 == 0 {
            desk.ask(yard::Wreck { id });
        }
        desk.ask(yard::Launch { id, speed: 0.25 });
    }
    desk.ask(yard::Earn { gold: 77 });
    desk
}

#[test]
fn a_zone_comes_back_as_it_was_at_its_snapshot() {
    for count in [0, 1, 40, 2_000] {
        let mut desk = busy(count);
        desk.ticks(5);
        let (hash, kept, look) = (desk.ask(yard::Hash {}), desk.ask(yard::Kept {}), desk.ask(yard::Look {}));
        let tick = desk.report().tick;
        desk.save(true).expect("there is news");
        assert!(desk.parts.iter().all(|part| part.len() <= PART_BYTES_MAX));
        // What happens after the snapshot is lost with the crash, but for what is saved.
        desk.ticks(5);
        if count > 1 {
            assert_ne!(desk.ask(yard::Kept {}), kept);
        }
        desk.tamper(|loaded| loaded.entities.clear());
        desk.crash();
        assert_eq!(desk.unreadable(), None);
        assert_eq!(desk.ask(yard::Look {}), look, "{count}");
        assert_eq!((desk.ask(yard::Hash {}), desk.ask(yard::Kept {})), (hash, kept), "{count}");
        assert_eq!(desk.report().tick, tick);
    }
}

#[test]
fn the_check_of_a_snapshot_is_the_hash_of_its_tick() {
    let mut desk = busy(50);
    desk.ticks(3);
    let kept = desk.ask(yard::Kept {});
    desk.save(true);
    let body = lightmoon_durable::record::open(&desk.parts[0]).unwrap().body;
    // A tick and a count of ids of one byte each stand before it.
    assert_eq!(u128::from_le_bytes(body[2..18].try_into().unwrap()), kept);
}

#[test]
fn equal_zones_give_equal_snapshots_however_they_came_about() {
    let (mut here, mut there) = (fresh::<3>(), fresh::<3>());
    let (one, two) = (first(1), first(2));
    here.ask(yard::Tag { id: one, text: Some("a".into()) });
    here.ask(yard::Load { id: two, number: 4 });
    there.ask(yard::Load { id: two, number: 4 });
    there.ask(yard::Load { id: one, number: 9 });
    there.ask(yard::Tag { id: one, text: Some("a".into()) });
    there.ask(yard::Strip { id: one });
    here.save(true);
    there.save(true);
    assert_eq!(here.parts, there.parts);
    // Also after they came back.
    there.crash();
    there.ask(yard::Earn { gold: 1 });
    here.ask(yard::Earn { gold: 1 });
    here.tamper(|loaded| loaded.ids = 0);
    assert_eq!(here.ask(yard::Kept {}), there.ask(yard::Kept {}));
}

#[test]
fn a_world_that_stands_still_is_copied_once() {
    let mut desk = fresh::<3>();
    assert!(desk.save(true).is_some());
    desk.ticks(20);
    assert!(desk.save(true).is_none(), "nothing changed");
    desk.ask(yard::Lose { id: first(2) });
    assert!(desk.save(true).is_some(), "something is gone");
    assert!(desk.save(true).is_none());
    desk.ask(yard::Shift { id: first(1), x: 5.0, y: 5.0 });
    assert!(desk.save(true).is_some(), "something moved");
    desk.crash();
    desk.ticks(3);
    assert!(desk.save(true).is_none(), "what was restored is what is stored");
}

#[test]
fn populate_fills_a_zone_once_and_again_only_while_no_snapshot_is_stored() {
    let mut desk = fresh::<3>();
    let look = desk.ask(yard::Look {});
    assert_eq!(look.len(), 4, "{look:?}");
    desk.crash();
    assert_eq!(desk.ask(yard::Look {}), look, "the same things under the same ids");
    desk.ask(yard::Lose { id: first(2) });
    desk.save(true);
    desk.crash();
    let second = desk.ask(yard::Look {});
    assert_eq!(second.len(), 3);
    for id in [1, 3] {
        desk.ask(yard::Lose { id: first(id) });
    }
    desk.save(true);
    desk.crash();
    assert_eq!(desk.ask(yard::Look {}), ["till 0"], "an empty zone stays empty");
    assert_eq!(desk.activations(), 4);
}

#[test]
fn no_id_is_given_twice_over_restarts() {
    let mut desk = fresh::<3>();
    let mut last = first(3);
    for round in 0..6 {
        for _ in 0..10 {
            let id = desk.ask(yard::Put { x: 0.0, y: 0.0 });
            assert!(id > last, "{id} after {last}");
            last = id;
        }
        desk.ask(yard::Wreck { id: last });
        if round % 2 == 0 {
            desk.save(round % 4 == 0);
        }
        desk.crash();
    }
}

#[test]
fn every_damage_to_a_snapshot_is_found_and_named() {
    let mut desk = busy(40);
    desk.save(true);
    let stored = desk.stored();
    let parts = stored.snapshot.clone().unwrap().parts;
    let mut random = fastrand::Rng::with_seed(5);
    for _ in 0..200 {
        let part = random.usize(..parts.len());
        let mut bytes = parts[part].to_vec();
        let bit = random.usize(..bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        let mut damaged = stored.clone();
        damaged.snapshot.as_mut().unwrap().parts[part] = Bytes::from(bytes);
        let desk = Desk::with(goods::id(), goods::kind::<3>, damaged);
        let why = desk.unreadable().expect("a flipped bit was read");
        assert!(why.starts_with("Yard 30/1: "), "{why}");
    }
}

#[test]
fn a_copy_that_was_never_encoded_is_taken_again() {
    let mut desk = fresh::<3>();
    desk.drop_next_job();
    assert!(desk.save(true).is_some());
    assert!(desk.save(true).is_some(), "the copy was lost, so the world has to be copied again");
    assert!(desk.save(true).is_none());
}
