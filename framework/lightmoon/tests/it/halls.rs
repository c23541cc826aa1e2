//! Players and zones on different workers of a real server: they call each other, are killed, and are named when they do not end.

#[path = "../../examples/halls/game.rs"]
mod game;

use crate::harness::{Answer, Scratch, Server};
use crate::play::{PATIENCE, hashes, next_event};
use game::{BARRIER, DonorContract, HALLS, HallContract};
use lightmoon::contract::{ActorRef, Operation};
use lightmoon_client::{
    CertificateHash, Client, ClientOptions, ConnectOptions, Endpoint, Pending, RetryOptions, Session, connect,
};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::Signal;
use serde_json::Value;
use std::time::{Duration, Instant};

/// Donors; some are on worker 0 and some on 1.
const DONORS: usize = 8;

async fn log_in(server: &Server, name: &str) -> Session {
    let retry = RetryOptions { first: Duration::from_millis(20), ..RetryOptions::default() };
    let client = ClientOptions::new(game::game().descriptor().clone(), &[])
        .unwrap()
        .token(name.to_owned())
        .retry(retry);
    let certificates = hashes(server).iter().map(|hash| hash.parse::<CertificateHash>().unwrap()).collect();
    let options = ConnectOptions { server: server.text("game").to_owned(), certificates, client, seed: 1 };
    tokio::time::timeout(PATIENCE, connect(&Endpoint::new().unwrap(), options)).await.unwrap().unwrap()
}

async fn donors(server: &Server) -> Vec<Session> {
    let mut sessions = Vec::new();
    for number in 0..DONORS {
        sessions.push(log_in(server, &format!("donor {number}")).await);
    }
    sessions
}

/// Asks, and waits for the answer.
async fn ask<O: Operation>(session: &mut Session, what: impl FnOnce(&mut Client) -> Pending<O>) -> O::Reply {
    let pending = what(session.client());
    loop {
        next_event(session).await;
        if let Some(reply) = session.client().reply(&pending) {
            return reply.unwrap();
        }
    }
}

async fn account(session: &mut Session) -> (u32, u32) {
    ask(session, |client| client.me::<DonorContract>().account()).await
}

async fn give(session: &mut Session, hall: u64, coins: u32) -> u32 {
    ask(session, |client| client.me::<DonorContract>().give(hall, coins)).await.unwrap()
}

async fn coins(session: &mut Session, hall: u64) -> u32 {
    ask(session, |client| client.actor(ActorRef::<HallContract>::new(hall)).coins()).await
}

fn hall_of(number: usize) -> u64 {
    u64::try_from(number).unwrap() % HALLS + 1
}

#[tokio::test]
async fn what_players_give_to_zones_on_other_workers_is_there_once_whatever_is_killed() {
    let scratch = Scratch::of("halls");
    // What each donor was told last.
    let mut told = [0; DONORS];
    for round in 0..3 {
        let server = scratch.serve(&["--workers", "3", "--spin-us", "0"]);
        let mut sessions = donors(&server).await;
        for (number, session) in sessions.iter_mut().enumerate() {
            let (given, _) = account(session).await;
            assert!(given >= told[number], "round {round}, donor {number}: {given} of {}", told[number]);
            for coins in 1..=3 {
                told[number] = give(session, hall_of(number + round), coins).await;
            }
            let seen = ask(session, |client| client.me::<DonorContract>().visit(hall_of(number))).await;
            assert_ne!(seen, u32::MAX, "a player's ask of a zone on another worker is answered");
        }
        // On their way when it is killed: whether they count is open.
        for (number, session) in sessions.iter_mut().enumerate() {
            for coins in 4..=6 {
                let _ = session.client().me::<DonorContract>().give(hall_of(number), coins);
            }
        }
        server.signal(Signal::KILL);
        server.end();
    }
    // Another number of workers: nothing that is stored knows of them.
    let server = scratch.serve(&["--workers", "2"]);
    let mut sessions = donors(&server).await;
    let (mut given_by_all, until) = (0, Instant::now() + PATIENCE);
    for (number, session) in sessions.iter_mut().enumerate() {
        let (mut given, mut thanked) = account(session).await;
        while given != thanked && Instant::now() < until {
            (given, thanked) = account(session).await;
        }
        assert_eq!(given, thanked, "donor {number}: every gift is thanked for, once");
        assert!(given >= told[number] && given <= 3 * (6 + 15), "donor {number}: {given}");
        given_by_all += given;
    }
    let mut in_halls = 0;
    for hall in 1..=HALLS {
        in_halls += coins(&mut sessions[0], hall).await;
    }
    assert_eq!(in_halls, given_by_all);
    server.signal(Signal::TERM);
    assert_eq!(tokio::task::spawn_blocking(move || server.end()).await.unwrap().0, Some(0));
}

fn console(server: &Server, path: &str) -> Answer {
    let bearer = format!("Bearer {}", server.text("consoleToken"));
    server.console(path, &[("authorization", &bearer)])
}

fn stalled(server: &Server) -> Vec<String> {
    let status = console(server, "/status.json").json();
    let stalled = status["stalled"].as_array().unwrap();
    stalled.iter().map(Value::to_string).collect()
}

/// Lets code that blocks in this folder go on.
fn open_barrier(scratch: &Scratch) {
    std::fs::write(scratch.path().join(BARRIER), "go on").unwrap();
}

#[tokio::test]
async fn an_operation_and_a_tick_that_do_not_end_are_named_while_others_go_on() {
    let scratch = Scratch::of("halls");
    let barrier = scratch.path().join(BARRIER);
    mknodat(CWD, &barrier, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let mut server = scratch.serve(&["--workers", "3", "--spin-us", "0"]);
    let hall = ActorRef::<HallContract>::new(1);
    let mut other = log_in(&server, "other").await;
    assert!(stalled(&server).is_empty());
    for (in_tick, named) in [(false, "operation 3 of actor"), (true, "tick of zone")] {
        let mut session = log_in(&server, "one").await;
        let blocked = tokio::spawn(async move {
            if in_tick {
                assert!(ask(&mut session, |client| client.actor(hall).block_in_tick()).await);
                ask(&mut session, |client| client.actor(hall).coins()).await == 0
            } else {
                ask(&mut session, |client| client.actor(hall).block()).await
            }
        });
        let reading = tokio::task::spawn_blocking(move || {
            let line = server.complaint("a turn does not end");
            (server, line)
        });
        let line;
        (server, line) = reading.await.unwrap();
        assert!(line.contains("worker 2") && line.contains(named), "{line}");
        assert!(!in_tick || line.contains("schedule Update"), "{line}");
        let stalls = stalled(&server);
        assert!(stalls.len() == 1 && stalls[0].contains(named), "{stalls:?}");
        let metrics = console(&server, "/metrics").body;
        assert!(metrics.lines().any(|line| line == "lightmoon_turn_stalled 1"), "{metrics}");
        assert_eq!(account(&mut other).await, (0, 0), "other workers go on");
        open_barrier(&scratch);
        assert!(blocked.await.unwrap(), "it goes on, and so does what waited behind it");
        let until = Instant::now() + PATIENCE;
        while !stalled(&server).is_empty() {
            assert!(Instant::now() < until, "it is over");
        }
    }
}
