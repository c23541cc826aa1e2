//! Who gets a place, and who gives way.

use super::*;
use std::time::Duration;

const WIDE: Bounds = Bounds {
    handshakes_max: 1_000,
    links_max: 10_000,
    source_handshakes_max: 1_000,
    source_links_max: 10_000,
};

fn from(last: u8) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, last], 4_000))
}

fn accept(admission: &Arc<Admission>, remote: SocketAddr, validated: bool) -> Place {
    match admission.decide(remote, validated, Instant::now()) {
        Verdict::Accept(place) => place,
        other @ (Verdict::Retry | Verdict::Refuse) => panic!("{other:?}"),
    }
}

fn with(bounds: Bounds) -> (Arc<Admission>, Arc<Tally>) {
    let tally = Arc::new(Tally::default());
    (Admission::new(bounds, Arc::clone(&tally)), tally)
}

#[test]
fn half_open_handshakes_are_bounded_and_addresses_shown_when_it_is_crowded() {
    let (admission, tally) = with(Bounds { handshakes_max: 4, ..WIDE });
    let now = Instant::now();
    let _first = accept(&admission, from(1), false);
    let _second = accept(&admission, from(2), false);
    assert!(matches!(admission.decide(from(3), false, now), Verdict::Retry), "half taken: show your address");
    let _third = accept(&admission, from(3), true);
    let _fourth = accept(&admission, from(4), true);
    let _fifth = accept(&admission, from(5), true);
    assert_eq!((tally.handshakes.get(), tally.handshakes_evicted.get(), tally.retried.get()), (4, 1, 1));
}

#[test]
fn who_is_silent_with_many_gives_way_to_who_comes_with_one() {
    let (admission, tally) = with(Bounds { handshakes_max: 8, ..WIDE });
    let early = accept(&admission, from(1), true);
    let mut silent: Vec<Place> = (0..7).map(|_| accept(&admission, from(66), true)).collect();
    let honest: Vec<Place> = (2..5).map(|last| accept(&admission, from(last), true)).collect();
    for (index, place) in silent.iter().enumerate() {
        assert_eq!(place.is_evicted(), index < 3, "the oldest of those with the most, {index}");
    }
    assert!(!early.is_evicted(), "the oldest of all has only one");
    assert_eq!(tally.handshakes_evicted.get(), 3);
    let numbers: Vec<u64> = silent[..3].iter().map(Place::number).collect();
    assert_eq!((admission.take_evicted(), admission.take_evicted()), (numbers, Vec::new()));
    // An evicted handshake that ends in the same moment is no link, and gives nothing back twice.
    assert!(silent.remove(0).into_link().is_none());
    drop(silent);
    assert_eq!(tally.handshakes.get(), 4);
    let links: Vec<Place> = honest.into_iter().map(|place| place.into_link().unwrap()).collect();
    assert_eq!((tally.handshakes.get(), tally.links.get()), (1, 3));
    drop((links, early));
    assert_eq!((tally.handshakes.get(), tally.links.get()), (0, 0));
}

#[test]
fn links_are_bounded_and_given_back() {
    let (admission, tally) = with(Bounds { links_max: 2, ..WIDE });
    let now = Instant::now();
    let first = accept(&admission, from(1), false).into_link().unwrap();
    let _second = accept(&admission, from(1), false).into_link().unwrap();
    assert!(matches!(admission.decide(from(1), true, now), Verdict::Refuse));
    drop(first);
    let _third = accept(&admission, from(1), true);
    assert!(matches!(admission.decide(from(1), true, now), Verdict::Refuse), "a handshake will be a link");
    assert_eq!((tally.links.get(), tally.links_opened.get(), tally.refused.get()), (1, 2, 2));
}

#[test]
fn one_source_has_its_share_of_handshakes_and_links() {
    let (admission, tally) = with(Bounds { source_handshakes_max: 2, source_links_max: 3, ..WIDE });
    let now = Instant::now();
    let first = accept(&admission, from(1), true);
    let second = accept(&admission, from(1), true);
    assert!(matches!(admission.decide(from(1), true, now), Verdict::Refuse));
    let _other = accept(&admission, from(2), true);
    let _links = (first.into_link().unwrap(), second.into_link().unwrap());
    let third = accept(&admission, from(1), true).into_link().unwrap();
    assert!(matches!(admission.decide(from(1), true, now), Verdict::Refuse), "three links");
    drop(third);
    let unproved = accept(&admission, from(1), false);
    let again = accept(&admission, from(1), true);
    let _third = again.into_link().unwrap();
    assert!(unproved.into_link().is_none(), "the last place went to the other one");
    assert_eq!((tally.refused_source.get(), tally.refused.get()), (3, 0));
    assert_eq!((tally.handshakes.get(), tally.links.get()), (1, 3));
}

#[test]
fn connections_one_after_the_other_are_held_to_a_rate_and_others_are_not() {
    let (admission, tally) = with(WIDE);
    let start = Instant::now();
    let mut accepted = 0;
    // A thousand a second, for four seconds.
    for ms in 0..4_000 {
        let verdict = admission.decide(from(66), true, start + Duration::from_millis(ms));
        accepted += u32::from(matches!(verdict, Verdict::Accept(_)));
    }
    let most = limits::SOURCE_HANDSHAKES_BURST + 4 * limits::SOURCE_HANDSHAKES_PER_SECOND;
    assert!(accepted <= most, "{accepted} of {most}");
    assert_eq!(tally.refused_source.get(), u64::from(4_000 - accepted));
    let _honest = accept(&admission, from(1), true);
}

#[test]
fn packets_with_the_address_of_another_take_nothing_from_him() {
    let bounds = Bounds { source_handshakes_max: limits::SOURCE_HANDSHAKES_MAX, ..WIDE };
    let (admission, tally) = with(bounds);
    let start = Instant::now();
    let mut silent = Vec::new();
    for _ in 0..10 * limits::SOURCE_HANDSHAKES_BURST {
        match admission.decide(from(1), false, start) {
            Verdict::Accept(place) => silent.push(place),
            Verdict::Retry => {}
            Verdict::Refuse => panic!("an address that may be anybody's is only asked to be shown"),
        }
    }
    assert_eq!(silent.len(), limits::SOURCE_HANDSHAKES_MAX);
    assert!(tally.retried.get() > 0);
    assert!(accept(&admission, from(1), true).into_link().is_some(), "the true owner gets in");
    // Whose handshakes get done all the same are no more links than one source may have.
    assert_eq!(silent.into_iter().filter_map(Place::into_link).count(), limits::SOURCE_HANDSHAKES_MAX);
}

#[test]
fn sources_that_hold_nothing_are_forgotten() {
    let (admission, _tally) = with(WIDE);
    let now = Instant::now();
    let _held = accept(&admission, from(1), true);
    for number in 0..u32::try_from(limits::SOURCES_MAX).unwrap() + 10 {
        let remote = SocketAddr::from((std::net::Ipv4Addr::from_bits(0x0B00_0000 + number), 1));
        let _attempt = admission.decide(remote, true, now);
    }
    let taken = admission.taken();
    assert!(taken.parties.len() <= limits::SOURCES_MAX);
    assert_eq!(taken.handshakes_of(Party { source: Source::of(from(1)), is_proved: true }), 1);
}
