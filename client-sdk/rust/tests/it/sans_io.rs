//! Promises of the core.

use std::time::Duration;

use lightmoon_client::{CloseCode, ClosedBy, ConnectionState, Event, RetryOptions, ViewEvent, limits};
use lightmoon_contract::{CallError, NetId};

use crate::game::{AVATAR, PilotContract, Pose, SpaceContract, space};
use crate::world::{World, options};

/// Enters the zone; the view has the avatar then.
fn playing() -> World {
    let mut world = World::connected();
    let entered = world.client.me::<PilotContract>().enter("ada".to_owned());
    world.settle();
    assert_eq!(world.client.reply(&entered), Some(Ok(AVATAR.0)));
    world
}

#[test]
fn a_session_begins_with_the_first_welcome() {
    let mut world = World::new(options(), 1);
    assert_eq!(world.client.state(), &ConnectionState::Connecting);
    world.settle();
    assert_eq!(world.client.state(), &ConnectionState::Connected);
    assert_eq!(world.client.session().unwrap().player, 5, "the host counts the token's bytes");
    assert_eq!(world.attempts, [1]);
}

#[test]
fn an_answer_is_an_event_and_is_taken_once() {
    let mut world = World::connected();
    let entered = world.client.me::<PilotContract>().enter("ada".to_owned());
    assert_eq!(world.client.reply(&entered), None);
    world.settle();
    assert!(world.take().contains(&Event::Answered { request: entered.request() }));
    assert_eq!(world.client.reply(&entered), Some(Ok(AVATAR.0)));
    assert_eq!(world.client.reply(&entered), None);
    let refused = world.client.me::<PilotContract>().enter(String::new());
    world.settle();
    assert_eq!(world.client.reply(&refused), Some(Err(CallError::NotAllowed)));
}

#[test]
fn a_request_without_an_answer_times_out() {
    let mut world = World::connected();
    let pondering = world.client.me::<PilotContract>().ponder();
    world.pass(Duration::from_millis(1_990));
    assert_eq!(world.client.reply(&pondering), None);
    world.pass(Duration::from_millis(20));
    assert_eq!(world.client.reply(&pondering), Some(Err(CallError::TimedOut)));
    assert_eq!(world.client.stats().requests_timed_out, 1);
}

#[test]
fn the_zone_cannot_be_called_before_an_attach() {
    let mut world = World::connected();
    let error = world.client.zone::<SpaceContract>().steer(1.0).unwrap_err();
    assert_eq!(error, CallError::NotAttached);
    assert_eq!(world.client.stats().calls_undelivered, 1);
}

#[test]
fn steering_reaches_the_zone_and_pushes_come_back() {
    let mut world = playing();
    world.take();
    world.client.zone::<SpaceContract>().steer(0.5).unwrap();
    world.client.me::<PilotContract>().shout("hello".to_owned()).unwrap();
    world.settle();
    assert_eq!(world.host().steered, [0.5]);
    assert_eq!(world.host().shouts, ["hello"]);
    let said: Vec<space::Said> = world.take().iter().filter_map(Event::push).collect();
    assert_eq!(said[0].text, "hello");
}

#[test]
fn the_view_follows_the_zone() {
    let mut world = playing();
    let events = world.take();
    let attached = events.iter().position(|event| matches!(event, Event::Attached(_))).unwrap();
    let entered = events.iter().position(|event| *event == Event::View(ViewEvent::Entered(AVATAR))).unwrap();
    assert!(attached < entered);
    world.host().state(12.5);
    world.settle();
    let pose: Pose = world.client.view().entity(AVATAR).unwrap().get().unwrap();
    assert_eq!(pose, Pose { x: 12.5 });
    world.host().leave();
    world.settle();
    assert!(matches!(world.take()[..], [Event::View(ViewEvent::Left(AVATAR, _))]));
    assert_eq!(world.client.view().len(), 0);
}

#[test]
fn state_packets_are_told_of_only_to_who_asked() {
    for is_asked in [false, true] {
        let options = if is_asked { options().state_events() } else { options() };
        let mut world = World::new(options, 1);
        world.settle();
        let _entered = world.client.me::<PilotContract>().enter("ada".to_owned());
        world.settle();
        world.take();
        world.host().state(1.0);
        world.settle();
        let is_told = matches!(world.take()[..], [Event::State(_)]);
        assert_eq!(is_told, is_asked);
    }
}

#[test]
fn the_playback_clock_runs_behind_the_newest_tick_and_never_back() {
    let mut world = playing();
    let mut before = f64::MIN;
    for step in 0..100u16 {
        world.host().state(f32::from(step));
        world.pass(Duration::from_millis(50));
        let now = world.now;
        let tick = world.client.render_tick(now).unwrap();
        assert!(tick >= before, "{tick} after {before}");
        before = tick;
    }
    let behind = 200.0 - before;
    assert!((0.5..4.0).contains(&behind), "{behind}");
    let x: Pose = world.client.view().entity(AVATAR).unwrap().sample(before).unwrap();
    assert!((f64::from(x.x) - (before - 101.0)).abs() < 0.6, "{x:?} at {before}");
}

#[test]
fn gaps_between_states_are_counted() {
    let mut world = playing();
    world.host().state(1.0);
    world.settle();
    world.host().skip(3);
    world.host().state(2.0);
    world.settle();
    let stats = world.client.stats();
    assert_eq!((stats.states, stats.gaps, stats.doubles), (2, 3, 0));
    assert!(stats.bytes_in > 0 && stats.bytes_out > 0 && stats.datagrams_in > 2, "{stats:?}");
}

#[test]
fn a_malformed_view_ends_the_connection() {
    let mut world = playing();
    world.host().link.state(1, vec![0xFF; 40].into()).unwrap();
    world.settle();
    assert_eq!(world.closed, Some(CloseCode::ProtocolViolation));
    assert!(matches!(world.client.state(), ConnectionState::Lost(_)));
    assert!(matches!(world.take().last(), Some(Event::Lost(_))));
}

#[test]
fn a_broken_connection_comes_back_with_a_new_session() {
    let mut world = playing();
    let pondering = world.client.me::<PilotContract>().ponder();
    world.settle();
    world.take();
    world.cut();
    assert_eq!(world.client.state(), &ConnectionState::Resuming);
    assert_eq!(world.client.reply(&pondering), Some(Err(CallError::Gone)));
    assert_eq!(world.client.view().len(), 0, "no ghosts of the old session");
    world.pass(Duration::from_millis(110));
    assert_eq!(world.client.state(), &ConnectionState::Connected);
    let events = world.take();
    assert!(matches!(events[0], Event::View(ViewEvent::Left(AVATAR, _))), "{events:?}");
    assert!(matches!(events.last(), Some(Event::Connected(_))), "{events:?}");
    assert_eq!(world.attempts, [1, 1]);
    assert_eq!(world.client.stats().sessions, 2);
    let entered = world.client.me::<PilotContract>().enter("ada".to_owned());
    world.settle();
    assert_eq!(world.client.reply(&entered), Some(Ok(AVATAR.0)));
    assert_eq!(world.client.view().len(), 1);
}

#[test]
fn tries_wait_longer_and_longer_up_to_two_seconds_and_are_counted() {
    for seed in 0..20 {
        let mut world = World::new(options(), seed);
        world.reachable = false;
        world.settle();
        let mut times = Vec::new();
        for _ in 0..3_000 {
            world.pass(Duration::from_millis(10));
            if world.attempts.len() > times.len() + 1 {
                times.push(world.now.as_millis() - 50_000);
            }
        }
        let gaps: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!((50..=110).contains(&times[0]), "seed {seed}: {times:?}");
        assert!(gaps.iter().all(|gap| *gap <= 2_010), "seed {seed}: {gaps:?}");
        assert!(gaps[6..].iter().all(|gap| *gap >= 990), "seed {seed}: {gaps:?}");
        assert_eq!(world.client.state(), &ConnectionState::Connecting);
        assert_eq!(world.client.stats().tries, u64::try_from(world.attempts.len()).unwrap());
        world.reachable = true;
        world.pass(Duration::from_secs(3));
        assert_eq!(world.client.state(), &ConnectionState::Connected, "seed {seed}");
    }
}

#[test]
fn a_limit_of_tries_ends_with_lost() {
    let retry = RetryOptions { tries_max: Some(3), ..RetryOptions::default() };
    let mut world = World::new(options().retry(retry), 1);
    world.reachable = false;
    world.pass(Duration::from_secs(10));
    assert_eq!(world.attempts, [1, 2, 3]);
    let events = world.take();
    assert!(matches!(&events[..], [Event::Lost(closing)] if closing.reason == "no route"), "{events:?}");
    assert_eq!(world.client.next_deadline(), None);
}

#[test]
fn a_final_close_is_not_retried_and_a_restart_is() {
    for (code, again) in
        [(CloseCode::Replaced, false), (CloseCode::ShuttingDown, true), (CloseCode::Overloaded, true)]
    {
        let mut world = World::connected();
        let now = world.now;
        world.host().link.close(now, code, "because");
        world.pass(Duration::from_secs(1));
        assert_eq!(world.attempts.len() > 1, again, "{code}");
        assert_eq!(world.client.state() == &ConnectionState::Connected, again, "{code}");
    }
}

#[test]
fn a_server_that_lets_in_and_throws_out_is_asked_less_and_less() {
    let mut world = World::connected();
    for _ in 0..3_000 {
        if let Some(host) = world.host.as_mut().filter(|host| host.link.is_open()) {
            host.link.close(world.now, CloseCode::Overloaded, "too much waits");
        }
        world.pass(Duration::from_millis(10));
    }
    // Half a minute: eight tries to reach the longest wait, then one each one to two seconds.
    assert!((15..=40).contains(&world.attempts.len()), "{} tries", world.attempts.len());
    // A session that lasts shows that all is well again.
    world.pass(Duration::from_secs(10));
    assert_eq!(world.client.state(), &ConnectionState::Connected);
    world.cut();
    world.pass(Duration::from_millis(110));
    assert_eq!(world.client.state(), &ConnectionState::Connected, "back within the first wait");
}

#[test]
fn a_refused_client_is_lost_with_the_reason() {
    let mut world = World::new(options(), 1);
    world.client.tick(world.now);
    assert!(world.client.poll_transmit().is_some(), "the core wants a connection");
    world.host = Some(crate::game::Host::new(world.now));
    world.host().refuse = Some(CloseCode::Unauthenticated);
    let now = world.now;
    world.client.on_connected(now);
    world.settle();
    let events = world.take();
    let [Event::Lost(closing)] = &events[..] else { panic!("{events:?}") };
    assert_eq!((closing.code, closing.reason.as_str()), (CloseCode::Unauthenticated, "not you"));
    assert_eq!(closing.by, ClosedBy::Peer);
}

#[test]
fn a_server_that_falls_silent_is_left_and_found_again() {
    let mut world = World::connected();
    // The host is there but hears nothing and says nothing.
    world.host = None;
    world.pass(Duration::from_secs(4));
    assert_eq!(world.client.state(), &ConnectionState::Connected);
    world.pass(Duration::from_secs(2));
    assert_eq!(world.client.state(), &ConnectionState::Connected);
    assert_eq!(world.client.stats().sessions, 2);
    assert_eq!(world.closed, Some(CloseCode::Idle));
}

#[test]
fn a_dial_that_hangs_is_given_up_and_tried_again() {
    let mut world = World::new(options(), 1);
    world.client.tick(world.now);
    assert!(world.client.poll_transmit().is_some());
    let mut wanted = 0;
    for _ in 0..400 {
        world.now = world.now + Duration::from_millis(10);
        world.client.tick(world.now);
        wanted += usize::from(world.client.poll_transmit().is_some());
    }
    assert_eq!(wanted, 1, "after 2 s and a wait, again; the second hangs too");
}

#[test]
fn closing_says_goodbye_and_ends_without_another_try() {
    let mut world = World::connected();
    world.client.close("bye");
    world.settle();
    let events = world.take();
    assert!(matches!(&events[..], [Event::Lost(closing)] if closing.code == CloseCode::Normal), "{events:?}");
    world.pass(Duration::from_secs(5));
    assert_eq!(world.attempts, [1]);
    assert!(world.take().is_empty());
    let shout = world.client.me::<PilotContract>().shout("anybody".to_owned());
    assert_eq!(shout, Err(CallError::Gone));
}

#[test]
fn calls_beyond_what_is_kept_are_handed_back_until_the_server_has_the_others() {
    let mut world = World::connected();
    let mut shout = || world.client.me::<PilotContract>().shout("a".repeat(16_000));
    let taken = std::iter::repeat_with(&mut shout).take_while(Result::is_ok).count();
    assert_eq!((taken, shout()), (16, Err(CallError::Busy)));
    world.settle();
    assert_eq!(world.client.state(), &ConnectionState::Connected);
    assert_eq!(world.client.me::<PilotContract>().shout("a".repeat(16_000)), Ok(()));
}

#[test]
fn events_that_nobody_polls_are_bounded() {
    let mut world = World::connected();
    for _ in 0..limits::EVENTS_WAITING_MAX + 1_000 {
        world.client.me::<PilotContract>().ponder();
    }
    let polled = std::iter::from_fn(|| world.client.poll_event()).count();
    assert_eq!(polled, limits::EVENTS_WAITING_MAX);
    assert!(world.client.stats().events_dropped > 500);
    assert!(world.client.stats().answers_dropped > 0);
}

#[test]
fn an_entity_that_was_never_seen_is_none() {
    assert!(playing().client.view().entity(NetId(1)).is_none());
}
