//! A node whose workers have threads of their own, as a real process.

use crate::game::DoorContract;
use crate::harness::{Scratch, Server};
use crate::play::{knock, log_in_with, next_event};
use lightmoon_client::Session;
use rustix::process::Signal;
use std::time::Duration;

/// Visitors, of whom every worker has some.
const VISITORS: u32 = 12;

async fn visitors(server: &Server) -> Vec<Session> {
    let mut sessions = Vec::new();
    for number in 0..VISITORS {
        sessions.push(log_in_with(server, &format!("visitor {number}")).await.unwrap());
    }
    sessions
}

async fn pay(session: &mut Session, coins: u32) -> u32 {
    let pending = session.client().me::<DoorContract>().pay(coins);
    loop {
        next_event(session).await;
        if let Some(reply) = session.client().reply(&pending) {
            return reply.unwrap();
        }
    }
}

fn kill(server: Server) {
    server.signal(Signal::KILL);
    server.end();
}

#[tokio::test]
async fn what_was_paid_on_any_worker_outlives_a_kill_and_another_number_of_workers() {
    let scratch = Scratch::new();
    for (round, workers) in (1..).zip(["3", "3", "1", "2"]) {
        let server = scratch.serve(&["--workers", workers]);
        for (number, session) in (0..).zip(&mut visitors(&server).await) {
            for coins in 1..=3 {
                assert_eq!(
                    pay(session, number).await,
                    ((round - 1) * 3 + coins) * number,
                    "{workers} workers"
                );
            }
            assert_eq!(knock(session, 2).await, 2);
        }
        kill(server);
    }
}

#[tokio::test]
async fn every_worker_has_turns_and_is_reported() {
    let scratch = Scratch::new();
    let server = scratch.serve(&["--workers", "3", "--spin-us", "0"]);
    let mut sessions = visitors(&server).await;
    for session in &mut sessions {
        knock(session, 1).await;
    }
    let token = server.text("consoleToken").to_owned();
    let bearer = format!("Bearer {token}");
    let mut actors = Vec::new();
    for _ in 0..100 {
        let status = server.console("/status.json", &[("authorization", &bearer)]).json();
        let workers = status["workers"].as_array().unwrap().clone();
        assert_eq!(workers.len(), 3, "{status}");
        actors = workers.iter().map(|worker| worker["actors"].as_u64().unwrap()).collect();
        if actors.iter().sum::<u64>() == u64::from(VISITORS) {
            break;
        }
        // Reports are a quarter of a second old.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(actors.iter().sum::<u64>(), u64::from(VISITORS));
    assert!(actors.iter().all(|count| *count > 0), "{actors:?}");
}

#[tokio::test]
async fn workers_stop_in_order_within_two_seconds_and_store_what_is_behind() {
    let scratch = Scratch::new();
    let server = scratch.serve(&["--workers", "3"]);
    let mut sessions = visitors(&server).await;
    for session in &mut sessions {
        assert_eq!(pay(session, 5).await, 5);
    }
    server.signal(Signal::TERM);
    let server = tokio::task::spawn_blocking(move || server.end());
    for session in &mut sessions {
        let _ = session.client();
    }
    let (code, took, _) = server.await.unwrap();
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_secs(2), "{took:?}");
}
