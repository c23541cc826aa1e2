//! What an operator's map shows of a zone.

use lightmoon_contract::NetId;

use crate::arena::Arena;

#[test]
fn a_chart_has_what_has_a_place_and_who_looks_though_nobody_is_told_of_it() {
    let mut arena = Arena::new(1);
    let avatar = arena.spawn("ann", 10.0, 20.0);
    let far = arena.spawn("far", -400.0, 5.0);
    arena.spawn("nowhere", f32::NAN, 0.0);
    arena.subscribe(7, avatar, 1, 1_000);
    arena.subscribe(8, NetId::NONE, 1, 1_000);
    let chart = arena.chart(100);
    let places: Vec<(NetId, [f32; 2])> = chart.places.iter().map(|place| (place.id, place.at)).collect();
    assert_eq!(places, [(avatar, [10.0, 20.0]), (far, [-400.0, 5.0])]);
    assert_eq!(
        (chart.names.as_slice(), chart.counts.as_slice()),
        (["healthy"].as_slice(), [0, 3].as_slice())
    );
    assert_eq!(chart.radius, Some(100.0));
    let viewers: Vec<_> = chart.viewers.iter().map(|viewer| (viewer.session.0, viewer.at)).collect();
    assert_eq!(viewers, [(7, Some([10.0, 20.0])), (8, None)]);
}

#[test]
fn a_crowd_is_counted_whole_and_shown_in_part() {
    let mut arena = Arena::new(2);
    for at in 0..1_000u16 {
        arena.spawn("one", f32::from(at), 0.0);
    }
    let chart = arena.chart(64);
    assert_eq!(chart.counts, [0, 1_000]);
    assert!((32..=64).contains(&chart.places.len()), "{}", chart.places.len());
    let greatest = chart.places.iter().map(|place| place.at[0]).fold(0.0, f32::max);
    assert!(greatest > 900.0, "from all of it, not from its beginning: {greatest}");
}
