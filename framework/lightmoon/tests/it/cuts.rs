//! Connections that break between a request and its reply: each request takes effect once, also if the server is killed meanwhile.
//!
//! `LIGHTMOON_CUTS` is the number of broken connections; the full count is run by hand.

use std::time::Duration;

use lightmoon_client::{Endpoint, Session, connect};
use rustix::process::{Signal, kill_process};

use crate::game::DoorContract;
use crate::harness::{Scratch, Server, process};
use crate::play::{PATIENCE, hashes, options};

/// Clients at a time.
const CLIENTS: u64 = 20;

/// Connections to break in all, in the everyday run.
const CUTS: u64 = 200;

/// The server is killed so often, each time after as many requests of the first client.
const KILLS: u64 = 3;

fn cuts() -> u64 {
    std::env::var("LIGHTMOON_CUTS")
        .ok()
        .map_or(CUTS, |text| text.parse().expect("LIGHTMOON_CUTS is a number"))
}

async fn log_in(server: &Server, client: u64) -> Session {
    let options = options(server.text("game"), &hashes(server), &format!("visitor {client} of the cuts"));
    connect(&Endpoint::new().unwrap(), options).await.unwrap()
}

/// Pays a coin, breaks the connection somewhere on the way, and waits for the answer: what was paid in all.
async fn pay_over_a_cut(session: &mut Session, random: &mut fastrand::Rng) -> u32 {
    let pending = session.client().me::<DoorContract>().pay_patiently(1);
    // At once, before the request left; or while it is on its way, is committed, or its answer is on its way.
    match random.u8(..4) {
        0 => {}
        1 => drop(session.turn(Duration::ZERO).await),
        _ => drop(session.turn(Duration::from_micros(random.u64(..2_500))).await),
    }
    session.cut();
    loop {
        if let Some(reply) = session.client().reply(&pending) {
            return reply.expect("a request that comes again is answered");
        }
        let event = tokio::time::timeout(PATIENCE, session.next_event()).await;
        event.expect("within patience").expect("the session is not lost");
    }
}

#[tokio::test]
async fn as_many_effects_as_requests_however_often_connections_break_and_servers_die() {
    let scratch = Scratch::new();
    let server = scratch.serve_for(Duration::from_secs(600), &[]);
    let each = cuts().div_ceil(CLIENTS);
    let pays = (0..CLIENTS).map(|client| {
        let (server, scratch) = (&server, &scratch);
        async move {
            let mut random = fastrand::Rng::with_seed(client);
            let mut session = log_in(server, client).await;
            for expected in 1..=each {
                let paid = pay_over_a_cut(&mut session, &mut random).await;
                assert_eq!(u64::from(paid), expected, "client {client}: each request is one coin");
                if client == 0 && expected < each && expected % (each / (KILLS + 1)).max(1) == 0 {
                    // Its parent starts another one at the same address, on the same store.
                    let _ = kill_process(process(&scratch.ready(), "pid"), Signal::KILL);
                }
            }
            session.client().stats()
        }
    });
    let stats = all(pays).await;
    let repeated: u64 = stats.iter().map(|stats| stats.requests_repeated).sum();
    let resumed: u64 = stats.iter().map(|stats| stats.resumes).sum();
    assert!(resumed >= each * CLIENTS / 2, "only {resumed} sessions were resumed");
    assert!(
        repeated > each * CLIENTS / 10,
        "only {repeated} requests were under way when their connection broke"
    );
    println!("{} requests, {resumed} sessions resumed, {repeated} requests sent again", each * CLIENTS);
}

/// All at once, on this thread.
async fn all<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut running: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|cx| {
        for (future, done) in running.iter_mut().filter(|(_, done)| done.is_none()) {
            if let std::task::Poll::Ready(output) = future.as_mut().poll(cx) {
                *done = Some(output);
            }
        }
        if running.iter().all(|(_, done)| done.is_some()) {
            return std::task::Poll::Ready(());
        }
        std::task::Poll::Pending
    })
    .await;
    running.into_iter().filter_map(|(_, done)| done).collect()
}
