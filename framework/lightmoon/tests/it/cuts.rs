//! Connections that break between a request and its reply: each request takes effect once, also if the server is killed meanwhile.

use std::time::Duration;

use lightmoon_client::{ClientStats, Endpoint, RetryOptions, Session, connect};
use rustix::process::{Signal, kill_process};

use crate::game::DoorContract;
use crate::harness::{Scratch, Server, process};
use crate::play::{PATIENCE, hashes, options};

/// Clients at a time.
const CLIENTS: u64 = 20;

/// Requests of each client. Some are answered before the connection breaks.
const REQUESTS: u64 = 80;

/// Requests in all whose connection breaks before their reply, at least.
const CUTS: u64 = 1_000;

/// The server is killed so often, each time after as many requests of the first client. What follows the last kill is long enough
/// to lose answers.
const KILLS: u64 = 3;
const KILL_EVERY: u64 = 10;

async fn log_in(server: &Server, client: u64) -> Session {
    let mut options = options(server.text("game"), &hashes(server), &format!("visitor {client} of the cuts"));
    // Sessions are short here, and clients wait longer and longer after short ones.
    let retry = RetryOptions {
        first: Duration::from_millis(10),
        longest: Duration::from_millis(40),
        ..RetryOptions::default()
    };
    options.client = options.client.retry(retry);
    connect(&Endpoint::new().unwrap(), options).await.unwrap()
}

/// Pays a coin, breaks the connection somewhere on the way, and waits for the answer: what was paid in all.
async fn pay_over_a_cut(session: &mut Session, random: &mut fastrand::Rng) -> u32 {
    let pending = session.client().me::<DoorContract>().pay_patiently(1);
    // At once, before the request left; or while it is on its way, is committed, or its answer is on its way.
    match random.u8(..4) {
        0 => {}
        1 => drop(session.turn(Duration::ZERO).await),
        _ => drop(session.turn(Duration::from_micros(random.u64(..10_000))).await),
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

/// All requests of a client; the first one kills the server now and then.
async fn pay_often(server: &Server, scratch: &Scratch, client: u64) -> ClientStats {
    let mut random = fastrand::Rng::with_seed(client);
    let mut session = log_in(server, client).await;
    for expected in 1..=REQUESTS {
        let paid = pay_over_a_cut(&mut session, &mut random).await;
        assert_eq!(u64::from(paid), expected, "client {client}: each request is one coin");
        if client == 0 && expected % KILL_EVERY == 0 && expected <= KILL_EVERY * KILLS {
            // Its parent starts another one at the same address, on the same store.
            let _ = kill_process(process(&scratch.ready(), "pid"), Signal::KILL);
        }
    }
    session.client().stats()
}

#[tokio::test]
async fn as_many_effects_as_requests_however_often_connections_break_and_servers_die() {
    let scratch = Scratch::new();
    let server = scratch.serve_for(Duration::from_secs(120), &[]);
    let pays = (0..CLIENTS).map(|client| pay_often(&server, &scratch, client));
    let stats = all(pays).await;
    let repeated: u64 = stats.iter().map(|stats| stats.requests_repeated).sum();
    let resumed: u64 = stats.iter().map(|stats| stats.resumes).sum();
    assert!(repeated >= CUTS, "only {repeated} requests were under way when their connection broke");
    assert!(resumed >= CUTS, "only {resumed} sessions were resumed");
    // Since the last kill: answers that were lost on their way and were given once more.
    let ready = scratch.ready();
    let bearer = format!("Bearer {}", ready["consoleToken"].as_str().unwrap());
    let metrics = server.console("/metrics", &[("authorization", &bearer)]).body;
    let count = |name: &str| {
        let value = metrics.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<u64>().ok());
        value.unwrap_or_else(|| panic!("{name} in {metrics}"))
    };
    let by_session = count("lightmoon_request_answered_again_total ");
    let by_store = count("lightmoon_request_repeated_total ");
    assert!(by_session > 0, "no answer was lost: connections broke too early");
    println!(
        "{} requests, {resumed} sessions resumed, {repeated} requests sent again; {by_session} + {by_store} answers given again",
        REQUESTS * CLIENTS
    );
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
