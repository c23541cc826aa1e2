//! Sessions that outlive their connections, and the node.

use bytes::Bytes;
use lightmoon_contract::operation::Target;
use lightmoon_contract::{ActorId, CallError, Contract, NetId};
use lightmoon_node::{Input, LinkId, NodeOptions, limits};
use lightmoon_store::MemoryStore;
use lightmoon_wire::{ClientEvent, CloseCode};

use crate::game::{self, ArenaContract, arena, pilot};
use crate::kept;
use crate::world::{World, options};

/// How often the player was told that a client came and went.
fn visits(world: &mut World, link: LinkId) -> u32 {
    world.answer(link, Target::Own, &pilot::Visits {}).unwrap()
}

/// A client comes with this ticket; what became of it.
fn show(world: &mut World, token: &str, ticket: Bytes) -> LinkId {
    let link = world.connect_with(token, ticket, 100);
    world.settle();
    link
}

fn code(world: &World, link: LinkId) -> Option<CloseCode> {
    world.closing(link).map(|closing| closing.code)
}

#[test]
fn a_client_that_comes_back_in_time_goes_on_where_it_was() {
    let mut world = World::new(51);
    let ann = world.enter("ann");
    let avatar = world.answer(ann, Target::Own, &pilot::Enter { zone: 1 }).unwrap();
    let (session, ticket) = (world.session(ann), world.ticket(ann));
    world.cut(ann);
    world.pass(14_000);
    let report = world.node.report();
    assert!(report.sessions[0].is_waiting && report.zones[0].1.viewers == 0, "nobody looks meanwhile");

    let again = show(&mut world, "ann", ticket);
    assert_eq!(world.session(again), session);
    world.pass(500);
    let events = world.events(again);
    let attached = events
        .iter()
        .find_map(|event| if let ClientEvent::Attached(attach) = event { Some(*attach) } else { None });
    let attached = attached.expect("attached without asking");
    assert_eq!((attached.zone, attached.avatar), (ActorId::new(ArenaContract::KIND, 1), avatar));
    let states = events.iter().filter(
        |event| matches!(event, ClientEvent::Delta { generation, .. } if *generation == attached.generation),
    );
    assert!(states.count() > 5, "it sees the zone again");
    assert_eq!(world.answer(again, Target::Zone, &arena::Touch {}), Ok(1));
    assert_eq!(visits(&mut world, again), 1_000, "the player heard nothing of it");
    let report = world.node.report();
    assert_eq!((report.counters.sessions_resumed, report.counters.sessions_closed), (1, 0));
    assert_eq!((report.sessions.len(), report.zones[0].1.viewers), (1, 1));
}

#[test]
fn a_client_that_does_not_come_back_in_time_is_gone() {
    let mut world = World::new(52);
    let ann = world.enter("ann");
    let (session, ticket) = (world.session(ann), world.ticket(ann));
    world.cut(ann);
    world.pass(15_010);
    let report = world.node.report();
    assert_eq!((report.sessions.len(), report.counters.sessions_abandoned), (0, 1));
    let again = show(&mut world, "ann", ticket);
    assert_ne!(world.session(again), session, "what it had asked is not known any more");
    assert_eq!(visits(&mut world, again), 2_001);
    assert_eq!(world.node.report().counters.tickets_refused, 1);
}

#[test]
fn who_says_goodbye_or_is_thrown_out_does_not_stay() {
    for end in [CloseCode::Normal, CloseCode::ProtocolViolation, CloseCode::ShuttingDown] {
        let mut world = World::new(53);
        let ann = world.enter("ann");
        world.input(Input::Closed { link: ann, peer: Some(end) });
        world.settle();
        assert_eq!(world.node.report().sessions, [], "{end}");
    }
    for end in [CloseCode::Idle, CloseCode::Overloaded, CloseCode::Unknown(70_000)] {
        let mut world = World::new(53);
        let ann = world.enter("ann");
        world.input(Input::Closed { link: ann, peer: Some(end) });
        world.settle();
        assert!(world.node.report().sessions[0].is_waiting, "{end}");
    }
    let mut world = World::new(53);
    let ann = world.enter("ann");
    world.peers.get_mut(&ann).unwrap().link.close(world.now, "enough");
    world.settle();
    assert_eq!(world.node.report().sessions, [], "a Goodbye ends it at once");
    let stranger = world.enter("ann");
    world.input(Input::Datagram { link: stranger, bytes: Bytes::from_static(&[200]) });
    world.settle();
    assert_eq!(world.node.report().sessions, [], "garbage ends it at once");
}

#[test]
fn a_quick_reconnect_keeps_the_session_and_closes_the_older_connection() {
    let mut world = World::new(54);
    let ann = world.enter("ann");
    world.answer(ann, Target::Own, &pilot::Enter { zone: 1 }).unwrap();
    let (session, ticket) = (world.session(ann), world.ticket(ann));
    // The node still believes in the old connection, and hears of its end only later.
    let again = show(&mut world, "ann", ticket);
    assert_eq!((world.session(again), code(&world, ann)), (session, Some(CloseCode::Replaced)));
    world.input(Input::Closed { link: ann, peer: None });
    world.pass(20_000);
    assert_eq!(visits(&mut world, again), 1_000);
    assert_eq!(world.answer(again, Target::Zone, &arena::Touch {}), Ok(1));
    let report = world.node.report();
    assert_eq!((report.sessions.len(), report.counters.sessions_closed), (1, 0));
    assert_eq!(report.zones[0].1.viewers, 1);
}

#[test]
fn an_old_ticket_does_not_throw_out_a_newer_login() {
    let mut world = World::new(55);
    let first = world.enter("ann");
    let ticket = world.ticket(first);
    let second = world.enter("ann");
    world.settle();
    assert_eq!(code(&world, first), Some(CloseCode::Replaced));
    let back = show(&mut world, "ann", ticket.clone());
    world.pass(1_500);
    assert_eq!(code(&world, back), Some(CloseCode::Replaced), "although its token is good");
    assert_eq!(visits(&mut world, second), 2_001);
    // Also when the ticket has expired, and when the newer one only waits for its client.
    world.cut(second);
    let back = show(&mut world, "ann", ticket.clone());
    world.pass(1_500);
    assert_eq!(code(&world, back), Some(CloseCode::Replaced));
    let newest = world.ticket(second);
    let second = show(&mut world, "ann", newest);
    world.pass(700_000);
    let back = show(&mut world, "ann", ticket);
    world.pass(1_500);
    assert_eq!(code(&world, back), Some(CloseCode::Replaced));
    assert!(world.peers[&second].link.is_open());
}

#[test]
fn a_ticket_is_renewed_and_an_old_one_expires() {
    let mut world = World::new(56);
    let ann = world.enter("ann");
    let (session, old) = (world.session(ann), world.ticket(ann));
    let mut renewed = 0;
    for _ in 0..61 {
        world.pass(10_000);
        renewed += world.events(ann).iter().filter(|event| matches!(event, ClientEvent::Ticket(_))).count();
    }
    assert_eq!(renewed, 1 + 5, "at first and every two minutes");
    world.cut(ann);
    world.settle();
    let by_token = show(&mut world, "ann", old);
    assert_ne!(world.session(by_token), session, "it was older than ten minutes");
    assert_eq!(world.node.report().counters.tickets_refused, 1);
}

#[test]
fn a_forged_or_changed_ticket_is_worth_nothing() {
    let mut world = World::new(57);
    let (ann, bob) = (world.enter("ann"), world.enter("bob"));
    let (session, ticket) = (world.session(ann), world.ticket(ann));
    for at in 0..ticket.len() {
        let mut changed = ticket.to_vec();
        changed[at] ^= 1;
        let mallory = show(&mut world, "mallory", changed.into());
        assert_ne!(world.session(mallory), session, "byte {at}");
    }
    for forged in [vec![1; 65], vec![0; 96], vec![1]] {
        let mallory = show(&mut world, "mallory", forged.into());
        assert_ne!(world.session(mallory), session);
    }
    assert_eq!(visits(&mut world, ann), 1_000);
    assert_eq!(visits(&mut world, bob), 1_000);
    assert_eq!(world.node.report().counters.sessions_resumed, 0);
}

#[test]
fn a_node_made_anew_from_the_same_key_goes_on_with_the_session() {
    let mut world = World::new(58);
    let ann = world.enter("ann");
    let (session, ticket) = (world.session(ann), world.ticket(ann));
    world.pass(1_000);
    world.restart(game::game(), 580);
    let again = show(&mut world, "nobody knows this token", ticket);
    assert_eq!(world.session(again), session);
    assert_eq!(visits(&mut world, again), 1_000, "to its player it is a client that comes");
    let counters = world.node.report().counters;
    assert_eq!((counters.sessions_restored, counters.sessions_resumed), (1, 0));
    // From then on it is as any other.
    world.cut(again);
    world.pass(1_000);
    let newest = world.ticket(again);
    let third = show(&mut world, "ann", newest);
    assert_eq!(world.session(third), session);
    assert_eq!(visits(&mut world, third), 1_000);
}

#[test]
fn after_a_restart_too_the_newest_login_counts() {
    let mut world = World::new(59);
    let first = world.enter("ann");
    let old = world.ticket(first);
    world.pass(10);
    let second = world.enter("ann");
    let (session, new) = (world.session(second), world.ticket(second));
    world.restart(game::game(), 590);
    // The older one comes first, and gives way when the newer one comes.
    let first = show(&mut world, "ann", old.clone());
    assert!(world.peers[&first].link.is_open());
    let second = show(&mut world, "ann", new);
    assert_eq!((world.session(second), code(&world, first)), (session, Some(CloseCode::Replaced)));
    let back = show(&mut world, "ann", old);
    world.pass(1_500);
    assert_eq!(code(&world, back), Some(CloseCode::Replaced));
    // And a login by token is later than all that were before.
    let third = world.enter("ann");
    world.settle();
    assert_eq!(code(&world, second), Some(CloseCode::Replaced));
    assert_eq!(visits(&mut world, third), 3_002);
}

#[test]
fn of_a_session_made_anew_only_what_a_snapshot_may_hold_is_not_repeated() {
    let mut world = World::of(kept::game(), 60, MemoryStore::new());
    world.settle();
    let ann = world.enter("ann");
    let ticket = world.ticket(ann);
    world.restart(kept::game(), 600);
    world.settle();
    let link = world.connect_with("ann", ticket, 10);
    world.settle();
    // A zone keeps this behind: it may have been served before the restart.
    world.ask_as(link, 9, kept::meadow(), &kept::meadow::Far {});
    // These know themselves what they stored.
    world.ask_as(link, 8, kept::meadow(), &kept::meadow::Sow {});
    world.ask_as(link, 7, Target::Own, &kept::hoarder::HoardLazily {});
    // And this was never sent before.
    world.ask_as(link, 10, kept::meadow(), &kept::meadow::Far {});
    world.pass(100);
    assert_eq!(world.take_answer::<u64>(link, 9), Some(Err(CallError::Gone)));
    assert_eq!(world.take_answer::<u64>(link, 8), Some(Ok(1)));
    assert_eq!(world.take_answer::<u64>(link, 7), Some(Ok(1)));
    assert!(matches!(world.take_answer::<u64>(link, 10), Some(Ok(_))));
}

#[test]
fn no_error_of_a_request_that_may_have_been_served_says_that_nothing_was_done() {
    let mut world = World::new(66);
    let ann = world.enter("ann");
    let ticket = world.ticket(ann);
    world.restart(game::game(), 660);
    let link = world.connect_with("ann", ticket, 100);
    world.settle();
    world.ask_as(link, 2, Target::Own, &pilot::Hidden {});
    // It waits for a zone: that may have been asked already.
    world.ask_as(link, 9, Target::Own, &pilot::Enter { zone: 1 });
    for request in 3..9 {
        world.ask_as(link, request, Target::Own, &pilot::Rarely { number: 1 });
    }
    world.ask_as(link, 100, Target::Own, &pilot::Hidden {});
    world.settle();
    assert_eq!(world.take_answer::<u32>(link, 2), Some(Err(CallError::Gone)));
    assert_eq!(world.take_answer::<NetId>(link, 9), Some(Err(CallError::Gone)));
    for request in 3..9 {
        assert_eq!(
            world.take_answer::<u32>(link, request),
            Some(Ok(2)),
            "they were not too fast at their time"
        );
    }
    assert_eq!(world.take_answer::<u32>(link, 100), Some(Err(CallError::NotAllowed)), "that one is new");
}

/// Pushes that a link got.
fn pushes(world: &World, of: LinkId) -> usize {
    world.peers[&of].events.iter().filter(|event| matches!(event, ClientEvent::Push(_))).count()
}

#[test]
fn a_push_to_a_client_that_is_away_comes_when_it_is_back() {
    let mut world = World::new(61);
    let ann = world.enter("ann");
    world.tell(ann, Target::Own, &pilot::Greet {});
    world.cut_behind(ann);
    world.settle();
    assert_eq!(world.node.report().counters.pushes_kept, 1);
    let newest = world.ticket(ann);
    let again = show(&mut world, "ann", newest);
    assert_eq!(pushes(&world, again), 1);
    // The client has it, and says so when it comes again.
    world.cut(again);
    let newest = world.ticket(again);
    let again = show(&mut world, "ann", newest);
    assert_eq!(pushes(&world, again), 0, "once");
}

#[test]
fn calls_and_pushes_of_a_session_arrive_once_however_often_its_connection_breaks() {
    let mut world = World::new(63);
    let mut ann = world.enter("ann");
    let (mut greeted, mut told) = (0, 0);
    for round in 0..40 {
        for _ in 0..3 {
            world.tell(ann, Target::Own, &pilot::Greet {});
            told += 1;
        }
        match round % 4 {
            // The node has the calls, the client not what came of them.
            0 => world.cut_behind(ann),
            // The node has nothing.
            1 => world.cut(ann),
            // Everything arrived, perhaps not the word of it.
            2 => {
                world.settle();
                world.cut(ann);
            }
            _ => {
                world.pass(1_500);
                world.cut(ann);
            }
        }
        world.settle();
        greeted += pushes(&world, ann);
        let newest = world.ticket(ann);
        ann = show(&mut world, "ann", newest);
    }
    greeted += pushes(&world, ann);
    assert_eq!(greeted, told);
    let counters = world.node.report().counters;
    assert_eq!((counters.sessions_resumed, counters.sessions_opened), (40, 1));
}

#[test]
fn a_player_that_moves_its_client_while_that_is_away_has_it_there_when_it_is_back() {
    let mut world = World::new(62);
    let ann = world.enter("ann");
    world.answer(ann, Target::Own, &pilot::Enter { zone: 1 }).unwrap();
    world.ask(ann, Target::Own, &pilot::Enter { zone: 2 });
    world.cut_behind(ann);
    world.pass(200);
    let viewers: Vec<usize> = world.node.report().zones.iter().map(|(_, zone)| zone.viewers).collect();
    assert_eq!(viewers, [0, 0]);
    let newest = world.ticket(ann);
    let again = show(&mut world, "ann", newest);
    world.pass(200);
    let viewers: Vec<usize> = world.node.report().zones.iter().map(|(_, zone)| zone.viewers).collect();
    assert_eq!(viewers, [0, 1]);
    assert_eq!(world.answer(again, Target::Zone, &arena::Touch {}), Ok(1));
}

#[test]
fn a_zone_that_fails_while_a_client_is_away_has_it_again_when_it_is_back() {
    let mut world = World::new(63);
    let (ann, bob) = (world.enter("ann"), world.enter("bob"));
    for link in [ann, bob] {
        world.answer(link, Target::Own, &pilot::Enter { zone: 1 }).unwrap();
    }
    world.cut(ann);
    world.tell(bob, Target::Zone, &arena::BreakNextTick {});
    world.pass(1_000);
    let newest = world.ticket(ann);
    let again = show(&mut world, "ann", newest);
    world.pass(200);
    assert_eq!(world.answer(again, Target::Own, &pilot::Lost {}), Ok(vec![1]));
    assert_eq!(world.node.report().zones[0].1.viewers, 2);
}

#[test]
fn a_node_that_stops_does_not_wait_for_clients_that_are_away() {
    let mut world = World::new(64);
    let ann = world.enter("ann");
    world.cut(ann);
    world.settle();
    world.input(Input::Stop { reason: "maintenance".into() });
    world.pass(100);
    assert!(world.has_stopped);
}

#[test]
fn sessions_that_wait_take_places_that_only_they_can_take_again() {
    let mut world = World::with(NodeOptions { sessions_per_source_max: limits::SESSIONS_MAX, ..options() });
    let ann = world.enter("ann");
    let ticket = world.ticket(ann);
    world.cut(ann);
    let mut left = limits::SESSIONS_MAX - 1;
    while left > 0 {
        let links: Vec<LinkId> =
            (0..left.min(1_000)).map(|at| world.connect(&format!("{}", left - at))).collect();
        world.settle();
        left -= links.len();
        for link in links {
            world.cut(link);
            world.peers.remove(&link);
        }
    }
    world.settle();
    let report = world.node.report();
    assert_eq!((report.sessions.len(), report.links_in_handshake), (limits::SESSIONS_MAX, 0));
    assert!(report.sessions.iter().all(|session| session.is_waiting));
    let stranger = world.connect("a stranger");
    world.settle();
    world.pass(1_100);
    assert_eq!(code(&world, stranger), Some(CloseCode::Overloaded));
    let again = show(&mut world, "ann", ticket);
    assert!(world.peers[&again].link.is_open(), "{:?}", world.peers[&again].events);
    // A login that replaces one needs no other place.
    let other = world.enter("7");
    assert!(world.peers[&other].link.is_open());
    assert_eq!(world.node.report().sessions.len(), limits::SESSIONS_MAX);
    world.pass(14_000);
    assert_eq!(world.node.report().sessions.len(), 2, "the others did not come back");
}
