//! Too much of what is right: calls, bytes, and answers that nobody reads.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use game_sample_contracts::pilot;

use super::{Fought, Ground, entered};
use crate::limits::{CLOSED_WITHIN, FEW, SLOW_CLOSED_WITHIN};
use crate::peer::{Camp, Ending, Peer, call, ending};

const OVERLOADED: u64 = 9;
const RATE_EXCEEDED: u64 = 10;

/// Between two bursts of a flood.
const PACE: Duration = Duration::from_millis(10);

/// Sloppy, not hostile: what is too much is refused and counted, and the session goes on.
pub(super) async fn ten_times(ground: &Ground) -> Result<Fought> {
    let mut fought = Fought::default();
    let camp = ground.camp()?;
    let mut peers = entered(&camp, "ten", FEW).await?;
    peers.iter().for_each(Peer::drain);
    let (began, mut sent) = (Instant::now(), 0u64);
    while began.elapsed() < ground.time {
        // `hold` may be asked twice a second.
        for peer in &mut peers {
            peer.on_lane_of::<pilot::Hold>(&call::<pilot::Hold>(0, &[0])).await?;
            sent += 1;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for peer in &peers {
        let ending = peer.closed(Duration::ZERO).await;
        if ending != Ending::Open {
            fought
                .broken
                .push(format!("ten times the rate: ended as {ending:?}, promised was to be refused"));
        }
    }
    fought.notes.push(format!("{sent} calls"));
    Ok(fought)
}

/// Sends `bytes` on the lane of `hold` again and again, and sees how it ends.
async fn pour(peer: &mut Peer, bytes: &[u8], fought: &mut Fought, what: &str, pace: Duration) {
    let began = Instant::now();
    // What closes the connection ends the writing.
    while began.elapsed() < CLOSED_WITHIN && peer.on_lane_of::<pilot::Hold>(bytes).await.is_ok() {
        tokio::time::sleep(pace).await;
    }
    fought.ended(what, peer.closed(CLOSED_WITHIN).await, &[RATE_EXCEEDED]);
}

pub(super) async fn calls(ground: &Ground) -> Result<Fought> {
    let mut fought = Fought::default();
    let camp = ground.camp()?;
    let (began, mut rounds) = (Instant::now(), 0);
    while rounds == 0 || began.elapsed() < ground.time {
        let mut peer = camp.enter(&format!("calls-{rounds}")).await?;
        peer.drain();
        let burst = call::<pilot::Hold>(0, &[0]).repeat(200);
        pour(&mut peer, &burst, &mut fought, "a flood of calls", PACE).await;
        rounds += 1;
    }
    Ok(fought)
}

pub(super) async fn bytes(ground: &Ground) -> Result<Fought> {
    let mut fought = Fought::default();
    let camp = ground.camp()?;
    let (began, mut rounds) = (Instant::now(), 0);
    while rounds == 0 || began.elapsed() < ground.time {
        let mut peer = camp.enter(&format!("bytes-{rounds}")).await?;
        peer.drain();
        let burst = call::<pilot::Hold>(0, &vec![0; 16_000]);
        pour(&mut peer, &burst, &mut fought, "a flood of bytes", Duration::from_millis(1)).await;
        rounds += 1;
    }
    Ok(fought)
}

pub(super) async fn unread(ground: &Ground) -> Result<Fought> {
    slow(ground, None).await
}

pub(super) async fn hardly_read(ground: &Ground) -> Result<Fought> {
    slow(ground, Some(Duration::from_millis(200))).await
}

/// Clients that ask and do not read what is answered, or a few bytes now and then. The server keeps a bounded share of it, and
/// ends who lets it wait.
async fn slow(ground: &Ground, read_every: Option<Duration>) -> Result<Fought> {
    let mut fought = Fought::default();
    let camp = Camp::narrow(ground.from, ground.server, 2_048)?;
    let count = if ground.is_short { 5 } else { FEW };
    let mut readers = tokio::task::JoinSet::new();
    for number in 0..count {
        let mut peer = camp.enter(&format!("slow-{}-{number}", read_every.is_some())).await?;
        readers.spawn(async move {
            if let Some(every) = read_every {
                tokio::spawn(sip(peer.connection.clone(), every));
            }
            let (began, mut request) = (Instant::now(), 0);
            while began.elapsed() < SLOW_CLOSED_WITHIN {
                let mut burst = Vec::new();
                for _ in 0..100 {
                    request += 1;
                    burst.extend(call::<pilot::Trades>(request, &[0]));
                }
                if peer.on_lane_of::<pilot::Trades>(&burst).await.is_err() {
                    break;
                }
                tokio::time::sleep(PACE).await;
            }
            (ending(&peer.connection, Duration::from_secs(1)).await, request, began.elapsed())
        });
    }
    let (mut asked, mut longest) = (0, Duration::ZERO);
    while let Some(ended) = readers.join_next().await {
        let (ending, requests, took) = ended?;
        // Whichever comes first: what waits for it, or what it asks too fast.
        fought.ended("who asks and does not read", ending, &[OVERLOADED, RATE_EXCEEDED]);
        asked += requests;
        longest = longest.max(took);
    }
    ensure!(asked > 0, "nothing was asked");
    fought
        .notes
        .push(format!("{asked} requests of {count} clients, the last one closed after {longest:.1?}"));
    Ok(fought)
}

/// Reads a few bytes of each stream now and then.
async fn sip(connection: quinn::Connection, every: Duration) {
    while let Ok(mut stream) = connection.accept_uni().await {
        tokio::spawn(async move {
            let mut few = [0; 8];
            while let Ok(Some(_)) = stream.read(&mut few).await {
                tokio::time::sleep(every).await;
            }
        });
    }
}
