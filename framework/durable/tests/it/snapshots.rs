//! Snapshots: published whole or not at all, over crashes at any moment.

use std::collections::BTreeMap;

use lightmoon_contract::NetId;
use lightmoon_durable::{Event, Keeper, Loaded, Saved, layout, limits};
use lightmoon_store::{Area, Request, Scan};

use crate::desk::{ACTOR, Desk, Lies, commit, copy, entity};

/// Whether the parts are those of one tick, all of them.
fn is_whole(loaded: &Loaded, parts: usize) -> bool {
    let Some(snapshot) = &loaded.snapshot else { return true };
    let expected = (0..parts).map(|part| format!("tick {} part {part}", snapshot.tick));
    snapshot.parts.iter().map(|bytes| String::from_utf8(bytes.to_vec()).unwrap()).eq(expected)
}

#[test]
fn a_snapshot_is_loaded_with_what_came_after_it() {
    let mut desk = Desk::new(1);
    let mut keeper = Keeper::new(1);
    desk.load(&mut keeper, ACTOR);
    keeper.snapshot(ACTOR, 0, copy(10, 3));
    desk.settle(&mut keeper);
    commit(&mut keeper, 1, true, entity(1, Some("before")), Vec::new());
    keeper.snapshot(ACTOR, 0, copy(20, 3));
    commit(&mut keeper, 2, true, entity(2, None), Vec::new());
    desk.settle(&mut keeper);
    let loaded = desk.load(&mut Keeper::new(2), ACTOR);
    assert_eq!(loaded.snapshot.as_ref().unwrap().tick, 20);
    assert!(is_whole(&loaded, 3));
    assert_eq!(loaded.entities, [(NetId(2), None)], "entity 1 is in the snapshot");
    assert_eq!(loaded.ids, 2 + limits::IDS_RESERVED);
}

#[test]
fn commits_wait_for_the_first_snapshot() {
    let mut desk = Desk::new(1);
    let mut keeper = Keeper::new(1);
    desk.load(&mut keeper, ACTOR);
    keeper.snapshot(ACTOR, 0, copy(1, 1));
    commit(&mut keeper, 1, true, entity(1, Some("early")), Vec::new());
    assert!(keeper.poll_request(desk.now).is_none(), "the copy is not encoded yet");
    let events = desk.settle(&mut keeper);
    let order: Vec<bool> = events.iter().map(|event| matches!(event, Event::Snapshotted { .. })).collect();
    assert_eq!(order, [true, false], "{events:?}");
}

#[test]
fn the_three_newest_are_kept_and_a_damaged_one_is_passed_over() {
    let mut desk = Desk::new(1);
    let mut keeper = Keeper::new(1);
    desk.load(&mut keeper, ACTOR);
    for tick in 1..=5 {
        commit(&mut keeper, tick, true, entity(tick, Some("there")), Vec::new());
        keeper.snapshot(ACTOR, 0, copy(tick * 10, 2));
        desk.settle(&mut keeper);
    }
    let (_, chunks) = desk.page(Area::Chunks, &layout::actor(ACTOR));
    assert_eq!(chunks.len(), 6, "three snapshots of two parts");
    let newest = chunks.last().unwrap().key.clone();
    let remove = Scan::RemoveChunks { partition: layout::actor(ACTOR), keys: vec![newest] };
    desk.ask(Request::Scan(remove));
    let mut next = Keeper::new(2);
    let loaded = desk.load(&mut next, ACTOR);
    assert_eq!(loaded.snapshot.as_ref().unwrap().tick, 40);
    assert!(is_whole(&loaded, 2));
    assert_eq!(loaded.entities.iter().map(|(net, _)| net.0).collect::<Vec<_>>(), [5]);
    assert_eq!(next.counters().snapshots_damaged, 1);
}

#[test]
fn rows_stay_until_the_oldest_kept_snapshot_shows_them() {
    let mut desk = Desk::new(1);
    let mut keeper = Keeper::new(1);
    desk.load(&mut keeper, ACTOR);
    let rows = |desk: &mut Desk| {
        let (_, rows) = desk.page(Area::Commits, &layout::actor(ACTOR));
        rows.iter().filter(|row| layout::numbers(&row.key).unwrap().0 == 1).count()
    };
    keeper.snapshot(ACTOR, 0, copy(1, 1));
    commit(&mut keeper, 1, true, entity(1, Some("there")), Vec::new());
    desk.settle(&mut keeper);
    for (tick, left) in [(2, 1), (3, 1), (4, 0)] {
        keeper.snapshot(ACTOR, 0, copy(tick, 1));
        desk.settle(&mut keeper);
        assert_eq!(rows(&mut desk), left, "after the snapshot of tick {tick}");
    }
}

#[test]
fn what_a_crash_leaves_of_a_snapshot_is_removed() {
    let mut desk = Desk::new(1);
    let mut keeper = Keeper::new(1);
    desk.load(&mut keeper, ACTOR);
    keeper.snapshot(ACTOR, 0, copy(1, 2));
    desk.settle(&mut keeper);
    keeper.snapshot(ACTOR, 0, copy(2, 5));
    let encode = keeper.poll_encode().unwrap();
    keeper.encoded(encode.actor, encode.id, (encode.job.encode)());
    // Three parts are written, then the node is gone.
    for _ in 0..3 {
        assert!(desk.carry(&mut keeper));
    }
    let (_, chunks) = desk.page(Area::Chunks, &layout::actor(ACTOR));
    assert_eq!(chunks.len(), 5);
    let mut next = Keeper::new(2);
    let loaded = desk.load(&mut next, ACTOR);
    assert_eq!(loaded.snapshot.unwrap().tick, 1);
    desk.settle(&mut next);
    let (_, chunks) = desk.page(Area::Chunks, &layout::actor(ACTOR));
    assert_eq!(chunks.len(), 2, "those of the published snapshot");
}

#[test]
fn a_snapshot_that_is_too_large_is_given_up_and_commits_go_on() {
    let mut desk = Desk::new(1);
    let mut keeper = Keeper::new(1);
    desk.load(&mut keeper, ACTOR);
    keeper.snapshot(ACTOR, 0, copy(1, limits::SNAPSHOT_PARTS_MAX + 1));
    commit(&mut keeper, 1, true, entity(1, Some("there")), Vec::new());
    let events = desk.settle(&mut keeper);
    assert!(events.iter().any(|event| matches!(event, Event::Committed { .. })), "{events:?}");
    assert_eq!((keeper.counters().snapshots, keeper.counters().snapshots_given_up), (0, 1));
}

const PARTS: usize = 4;

/// A zone over several lives, and what is known of it.
struct Lives {
    desk: Desk,
    /// One step for each change and each copy.
    clock: u64,
    /// When each entity was changed last by a commit that was told to be durable.
    durable: BTreeMap<u64, u64>,
}

impl Lives {
    /// Loads the zone and holds it against what is known.
    fn load(&mut self, keeper: &mut Keeper, seed: u64) {
        let loaded = self.desk.load(keeper, ACTOR);
        assert!(is_whole(&loaded, PARTS), "seed {seed}: {loaded:?}");
        let shown = loaded.snapshot.as_ref().map_or(0, |snapshot| snapshot.tick);
        for (net, at) in &self.durable {
            let is_row = loaded.entities.iter().any(|(there, _)| there.0 == *net);
            assert!(is_row || *at <= shown, "seed {seed}: entity {net} of {at} is in neither, shown {shown}");
        }
    }

    /// One life, that ends at some moment by a crash.
    fn live(&mut self, keeper: &mut Keeper) {
        keeper.snapshot(ACTOR, 0, copy(self.clock, PARTS));
        // What was handed in and is not told to be durable: commit, entity, when.
        let mut waiting = Vec::new();
        for step in 1..=self.desk.random.u64(..60) {
            match self.desk.random.u8(..8) {
                0 | 1 => {
                    self.clock += 1;
                    let net = 1 + self.desk.random.u64(..5);
                    commit(keeper, step, true, entity(net, Some("there")), Vec::new());
                    waiting.push((step, net, self.clock));
                }
                2 => {
                    self.clock += 1;
                    keeper.snapshot(ACTOR, 0, copy(self.clock, PARTS));
                }
                3 => self.desk.encode_one(keeper),
                _ => self.desk.carry_or_wait(keeper),
            }
            self.note(keeper, &mut waiting);
        }
    }

    fn note(&mut self, keeper: &mut Keeper, waiting: &mut Vec<(u64, u64, u64)>) {
        while let Some(event) = keeper.poll_event() {
            let Event::Committed { number, .. } = event else {
                assert!(matches!(event, Event::Snapshotted { .. }), "{event:?}");
                continue;
            };
            let at = waiting.iter().position(|(commit, ..)| *commit == number).unwrap();
            let (_, net, at) = waiting.remove(at);
            self.durable.insert(net, at);
        }
    }
}

/// Crashes at any request, a store that lies: what is loaded is one whole snapshot, and every durable entity that was
/// changed after it is a row.
#[test]
fn a_zone_is_loaded_whole_whenever_it_crashes() {
    for seed in 0..400 {
        let mut lives = Lives { desk: Desk::new(seed), clock: 0, durable: BTreeMap::new() };
        lives.desk.lies = Lies { unknown: 0.15, unavailable: 0.05 };
        for generation in 1..=8 {
            let mut keeper = Keeper::new(generation);
            lives.load(&mut keeper, seed);
            lives.live(&mut keeper);
        }
    }
}

#[test]
fn ids_given_without_any_sync_operation_are_reserved_too() {
    let mut desk = Desk::new(1);
    let mut keeper = Keeper::new(1);
    desk.load(&mut keeper, ACTOR);
    let given = 5 * limits::IDS_RESERVED;
    keeper.snapshot(ACTOR, given, copy(10, 1));
    desk.settle(&mut keeper);
    // A commit overtakes a copy.
    keeper.snapshot(ACTOR, given, copy(20, 1));
    commit(&mut keeper, 1, true, Saved { ids: given + 7, ..entity(1, Some("there")) }, Vec::new());
    let given = given + 7;
    desk.settle(&mut keeper);
    let loaded = desk.load(&mut Keeper::new(2), ACTOR);
    assert_eq!(loaded.ids, given + limits::IDS_RESERVED, "some were given after the copy");
}

#[test]
fn a_copy_that_comes_while_another_is_on_its_way_is_published_after_it() {
    let mut desk = Desk::new(1);
    let mut keeper = Keeper::new(1);
    desk.load(&mut keeper, ACTOR);
    keeper.snapshot(ACTOR, 0, copy(10, 2));
    commit(&mut keeper, 1, true, entity(1, Some("there")), Vec::new());
    keeper.snapshot(ACTOR, 1, copy(20, 2));
    keeper.release(ACTOR);
    desk.settle(&mut keeper);
    assert!(keeper.is_quiet());
    let loaded = desk.load(&mut Keeper::new(2), ACTOR);
    assert_eq!(loaded.snapshot.as_ref().map(|snapshot| snapshot.tick), Some(20));
    assert_eq!(loaded.entities, [], "it shows the commit before it");
}
