//! Sessions over reconnects: what is sent again, what waits, what ends.

use std::time::Duration;

use lightmoon_client::{ConnectionState, Event, Pending, limits};
use lightmoon_contract::CallError;

use crate::game::{AVATAR, PilotContract, SpaceContract, pilot};
use crate::world::World;

/// A client with a ticket that has asked something which has no answer yet.
fn asked() -> (World, Pending<pilot::Enter>) {
    let mut world = World::connected_by("first");
    world.host().is_mute = true;
    let entered = world.client.me::<PilotContract>().enter("ada".to_owned());
    world.settle();
    assert_eq!(world.host().asked.len(), 1);
    world.take();
    (world, entered)
}

/// The next connection is up.
fn come_back(world: &mut World) {
    world.pass(Duration::from_millis(110));
    assert_eq!(world.client.state(), &ConnectionState::Connected);
}

fn connected(events: &[Event]) -> Option<bool> {
    events.iter().rev().find_map(|event| {
        if let Event::Connected(connected) = event { Some(connected.is_resumed) } else { None }
    })
}

#[test]
fn a_request_that_was_cut_off_is_sent_again_under_its_number() {
    let (mut world, entered) = asked();
    let before = world.host().asked.clone();
    world.cut();
    assert_eq!(world.client.reply(&entered), None, "it goes on");
    come_back(&mut world);
    let hello = world.host().hello.clone().unwrap();
    assert_eq!((&hello.ticket[..], hello.first_request), (&b"first"[..], 2));
    assert_eq!(world.host().asked, before, "the same number and the same bytes");
    assert_eq!(world.client.reply(&entered), Some(Ok(AVATAR.0)));
    assert_eq!(connected(&world.take()), Some(true));
    let stats = world.client.stats();
    assert_eq!((stats.sessions, stats.resumes, stats.requests_repeated), (1, 1, 1));
}

#[test]
fn the_newest_ticket_counts() {
    let mut world = World::connected_by("first");
    world.host().link.ticket("second".into()).unwrap();
    world.settle();
    world.cut();
    come_back(&mut world);
    assert_eq!(world.host().hello.as_ref().unwrap().ticket, "second");
}

#[test]
fn a_request_is_sent_again_only_within_its_time() {
    let (mut world, entered) = asked();
    world.cut();
    world.reachable = false;
    world.pass(Duration::from_millis(2_100));
    assert_eq!(world.client.reply(&entered), Some(Err(CallError::TimedOut)));
    assert!(world.client.take_undelivered(&entered).is_none(), "it may have been served");
    world.reachable = true;
    world.pass(Duration::from_secs(3));
    assert_eq!(world.host().asked, []);
}

#[test]
fn a_fresh_session_ends_what_was_asked_in_the_one_before() {
    let (mut world, entered) = asked();
    world.cut();
    world.session = 2;
    world.is_mute = true;
    come_back(&mut world);
    assert_eq!(connected(&world.take()), Some(false));
    assert_eq!(world.client.reply(&entered), Some(Err(CallError::Gone)));
    assert!(world.client.take_undelivered(&entered).is_none(), "it may have been served");
    assert_eq!(world.host().asked, []);
    assert_eq!(world.client.stats().sessions, 2);
}

#[test]
fn what_is_asked_while_the_connection_is_away_goes_when_it_is_back() {
    for session in [1, 2] {
        let (mut world, lost) = asked();
        world.cut();
        let waiting = world.client.me::<PilotContract>().enter("bob".to_owned());
        let refused = world.client.me::<PilotContract>().shout("hello".to_owned());
        assert_eq!((refused, world.client.reply(&waiting)), (Err(CallError::Gone), None));
        world.session = session;
        come_back(&mut world);
        let hello = world.host().hello.clone().unwrap();
        assert_eq!(hello.first_request, waiting.request(), "it was never sent before");
        let numbers: Vec<u64> = world.host().asked.iter().map(|(number, _)| *number).collect();
        let expected =
            if session == 1 { vec![lost.request(), waiting.request()] } else { vec![waiting.request()] };
        assert_eq!(numbers, expected, "in their order");
        assert_eq!(world.client.reply(&waiting), Some(Ok(AVATAR.0)));
    }
}

#[test]
fn requests_to_the_zone_wait_for_the_next_attachment() {
    let mut world = World::connected_by("first");
    let entered = world.client.me::<PilotContract>().enter("ada".to_owned());
    world.settle();
    assert_eq!(world.client.reply(&entered), Some(Ok(AVATAR.0)));
    world.host().is_mute = true;
    let touched = world.client.zone::<SpaceContract>().touch();
    world.settle();
    world.cut();
    come_back(&mut world);
    assert_eq!(world.host().asked, [], "not before the attachment");
    let again = world.client.zone::<SpaceContract>().touch();
    assert_eq!(world.client.reply(&again), None, "the attachment is on its way");
    world.host().attach();
    world.settle();
    let numbers: Vec<u64> = world.host().asked.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, [touched.request(), again.request()]);
    assert_eq!((world.client.reply(&touched), world.client.reply(&again)), (Some(Ok(1)), Some(Ok(1))));
}

#[test]
fn what_waits_is_bounded_and_comes_back_when_there_is_no_room() {
    let mut world = World::connected_by("first");
    world.cut();
    world.reachable = false;
    let waiting: Vec<_> = (0..limits::REQUESTS_WAITING_MAX)
        .map(|_| world.client.me::<PilotContract>().enter("ada".to_owned()))
        .collect();
    let refused = world.client.me::<PilotContract>().enter("one too many".to_owned());
    assert_eq!(world.client.reply(&refused), Some(Err(CallError::Busy)));
    let message: pilot::Enter = world.client.take_undelivered(&refused).unwrap();
    assert_eq!(message.name, "one too many");
    assert!(world.client.take_undelivered(&refused).is_none(), "once");
    world.pass(Duration::from_millis(2_100));
    assert_eq!(world.client.reply(&waiting[0]), Some(Err(CallError::TimedOut)));
    assert!(world.client.take_undelivered(&waiting[0]).is_some(), "it never left");
}

#[test]
fn large_requests_are_sent_again_without_flooding_the_connection() {
    let mut world = World::connected_by("first");
    world.cut();
    let name = "a".repeat(16_000);
    let waiting: Vec<_> = (0..200).map(|_| world.client.me::<PilotContract>().enter(name.clone())).collect();
    come_back(&mut world);
    for pending in waiting {
        assert_eq!(world.client.reply(&pending), Some(Ok(AVATAR.0)));
    }
    assert_eq!(world.client.stats().sessions + world.client.stats().resumes, 2, "one reconnect did it");
}

#[test]
fn a_client_that_is_lost_or_has_no_ticket_ends_its_requests() {
    let (mut world, entered) = asked();
    world.cut();
    let waiting = world.client.me::<PilotContract>().enter("bob".to_owned());
    world.client.close("enough");
    assert_eq!(world.client.reply(&entered), Some(Err(CallError::Gone)));
    assert_eq!(world.client.reply(&waiting), Some(Err(CallError::Gone)));
    assert!(world.client.take_undelivered(&entered).is_none());
    assert!(world.client.take_undelivered(&waiting).is_some());

    let mut world = World::connected();
    world.host().is_mute = true;
    let entered = world.client.me::<PilotContract>().enter("ada".to_owned());
    world.settle();
    world.cut();
    assert_eq!(world.client.reply(&entered), Some(Err(CallError::Gone)), "of an older server");
    let waiting = world.client.me::<PilotContract>().enter("bob".to_owned());
    assert_eq!(world.client.reply(&waiting), Some(Err(CallError::Gone)));
}

#[test]
fn a_refusal_gives_the_message_back() {
    let mut world = World::connected();
    let refused = world.client.me::<PilotContract>().enter(String::new());
    world.settle();
    assert_eq!(world.client.reply(&refused), Some(Err(CallError::NotAllowed)));
    assert_eq!(world.client.take_undelivered(&refused).unwrap().name, "");
    let early = world.client.zone::<SpaceContract>().touch();
    assert_eq!(world.client.reply(&early), Some(Err(CallError::NotAttached)));
    assert!(world.client.take_undelivered(&early).is_some());
}
