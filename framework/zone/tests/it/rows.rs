//! Durable entities: which ones there are, and how they come back.

use lightmoon_contract::NetId;

use crate::desk::Desk;
use crate::goods::{first, fresh, yard};

/// A yard of which a snapshot is stored, with three things of which the second drifts.
fn settled() -> Desk {
    let mut desk = fresh::<3>();
    desk.ask(yard::Launch { id: first(2), speed: 1.0 });
    desk.save(true);
    desk.ticks(1);
    assert_eq!(desk.save(false), None, "nothing durable happened");
    desk
}

#[test]
fn what_a_sync_operation_adds_changes_or_removes_is_durable_and_nothing_else() {
    let mut desk = settled();
    let new = desk.ask(yard::Put { x: 1.0, y: 1.0 });
    desk.ticks(2);
    assert_eq!(desk.save(false), Some(vec![new]), "spawned");
    desk.ask(yard::Load { id: new, number: 3 });
    desk.ticks(2);
    assert_eq!(desk.save(false), Some(vec![new]), "changed");
    desk.ask(yard::Load { id: first(1), number: 3 });
    assert_eq!(desk.save(false), Some(vec![first(1)]), "a component more");
    desk.ask(yard::Strip { id: first(1) });
    desk.ask(yard::Strip { id: new });
    desk.ticks(2);
    assert_eq!(desk.save(false), Some(vec![first(1), new]), "a component less");
    desk.ask(yard::Tag { id: first(3), text: Some("sparse".into()) });
    assert_eq!(desk.save(false), Some(vec![first(3)]), "a sparse component");
    desk.ask(yard::Hide { id: first(3), hidden: true });
    desk.ticks(1);
    assert_eq!(desk.save(false), Some(vec![first(3)]), "disabled");
    desk.ask(yard::Hide { id: first(3), hidden: false });
    assert_eq!(desk.save(false), Some(vec![first(3)]), "enabled");
    desk.ask(yard::Wreck { id: new });
    desk.ticks(2);
    assert_eq!(desk.save(false), Some(vec![new]), "despawned");
    let look = desk.ask(yard::Look {});
    desk.ask(yard::Nothing {});
    desk.ask(yard::Strip { id: first(3) });
    assert_eq!(desk.save(false), None, "it has no cargo, so nothing was taken");
    desk.crash();
    let back = desk.ask(yard::Look {});
    // The one that drifts is where the snapshot has it.
    let others = |lines: &[String]| -> Vec<String> {
        lines.iter().filter(|line| !line.starts_with("1:2 ")).cloned().collect()
    };
    assert_eq!(others(&back), others(&look));
    assert!(back.iter().any(|line| line.starts_with("1:2 Some(Place { x: 1.0")), "{back:?}");
}

#[test]
fn what_observers_change_in_answer_to_a_sync_operation_is_durable() {
    let mut desk = settled();
    for number in [1, 3] {
        desk.ask(yard::Load { id: first(number), number: 1 });
    }
    desk.ask(yard::Tag { id: first(3), text: Some("rings".into()) });
    desk.save(false);
    desk.ask(yard::Ring {});
    desk.ticks(1);
    assert_eq!(desk.save(false), Some(vec![first(3)]));
}

#[test]
fn what_moves_between_sync_operations_is_not_durable() {
    let mut desk = settled();
    desk.ask(yard::Load { id: first(1), number: 1 });
    desk.ticks(3);
    desk.ask(yard::Shift { id: first(3), x: 9.0, y: 9.0 });
    desk.ask(yard::Lose { id: first(3) });
    desk.ask(yard::Load { id: first(1), number: 2 });
    desk.ask(yard::Shift { id: first(2), x: 9.0, y: 9.0 });
    desk.ticks(3);
    assert_eq!(desk.save(false), Some(vec![first(1)]));
}

#[test]
fn a_row_holds_the_entity_as_it_is_when_it_is_saved() {
    let mut desk = settled();
    desk.ask(yard::Load { id: first(2), number: 5 });
    desk.ticks(10);
    let look = desk.ask(yard::Look {});
    assert_eq!(desk.save(false), Some(vec![first(2)]));
    desk.ticks(10);
    desk.crash();
    assert_eq!(desk.ask(yard::Look {}), look);
}

#[test]
fn a_thing_that_is_wrecked_without_hurry_after_it_was_touched_is_gone_for_good() {
    let mut desk = settled();
    desk.ask(yard::Load { id: first(1), number: 5 });
    desk.ask(yard::Lose { id: first(1) });
    desk.ask(yard::Empty { id: first(3) });
    assert_eq!(desk.save(false), Some(vec![first(1), first(3)]));
    let gone = desk.stored().entities.iter().filter(|(_, row)| row.is_none()).count();
    assert_eq!(gone, 2, "both are tombstones");
    desk.crash();
    assert_eq!(desk.ask(yard::Look {}).len(), 2, "the till and one thing");
}

#[test]
fn a_resource_is_durable_like_an_entity() {
    let mut desk = settled();
    desk.ask(yard::Earn { gold: 5 });
    let rows = desk.save(false).unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].0 & ((1 << NetId::COUNTER_BITS) - 1), 0, "no entity has such an id: {}", rows[0]);
    desk.ask(yard::Earn { gold: 6 });
    desk.save(true);
    desk.ask(yard::Earn { gold: 7 });
    desk.save(false);
    desk.ask(yard::Earn { gold: 8 });
    desk.crash();
    assert_eq!(desk.ask(yard::Look {})[0], "till 18");
}

#[test]
fn the_tick_of_a_row_outlives_the_snapshot_before_it() {
    let mut desk = settled();
    desk.ticks(40);
    let tick = desk.report().tick;
    desk.ask(yard::Load { id: first(1), number: 5 });
    desk.save(false);
    desk.ticks(40);
    desk.crash();
    desk.ask(yard::Nothing {});
    assert_eq!(desk.report().tick, tick, "a time that the operation wrote down would come much later");
}

#[test]
fn rows_without_a_snapshot_are_laid_over_what_populate_makes() {
    let mut desk = fresh::<3>();
    desk.ask(yard::Load { id: first(1), number: 5 });
    desk.ask(yard::Wreck { id: first(2) });
    let new = desk.ask(yard::Put { x: 8.0, y: 8.0 });
    let look = desk.ask(yard::Look {});
    desk.save(false);
    desk.crash();
    assert_eq!(desk.ask(yard::Look {}), look);
    assert!(desk.ask(yard::Put { x: 8.0, y: 8.0 }) > new);
}

#[test]
fn an_entity_that_is_too_large_for_a_row_is_refused_by_the_name_of_its_type() {
    let mut desk = settled();
    for number in 0..20_000 {
        desk.ask(yard::Load { id: first(1), number: 100_000 + number });
    }
    let error = desk.try_save(false).unwrap_err();
    assert!(error.contains("entity 1:1 has 100") && error.contains("Cargo takes most of them"), "{error}");
}

#[test]
fn a_damaged_row_is_no_zone() {
    let mut desk = settled();
    desk.ask(yard::Load { id: first(1), number: 5 });
    desk.save(false);
    desk.tamper(|loaded| {
        let (_, row) = loaded.entities.iter_mut().find(|(id, _)| *id == first(1)).unwrap();
        let row = row.as_mut().unwrap();
        let mut bytes = row.to_vec();
        bytes[20] ^= 1;
        *row = bytes.into();
    });
    desk.crash();
    let why = desk.unreadable().unwrap();
    assert!(why.contains("checksum"), "{why}");
}
