//! Clients that do not read what the game has to tell them, or hardly.
//!
//! *Responsible for*: entering a sector that is full of talk, not reading it, and how that ends. *Not responsible for*: what a lane may
//! hold back (`lightmoon_wire::limits`).
//!
//! They break no rate: each says a line twice a second, as it may, in a sector where nobody else is, and hears those of all others.

use std::time::{Duration, Instant};

use anyhow::Result;
use game_sample_contracts::{pilot, sector};
use lightmoon_contract::codec;
use tokio::task::JoinSet;

use super::{Fought, Ground};
use crate::limits::SLOW_CLOSED_WITHIN;
use crate::peer::{Camp, Ending, Peer, call, call_zone, ending};

const OVERLOADED: u64 = 9;

/// How many of them there are: together they are told 26 KiB a second, so that a lane has filled its window within three seconds.
const READERS: usize = 60;
/// The sector of crowds, in which no honest bot of a siege is.
const SECTOR: u64 = 6;
/// Between two lines, just within their rate.
const SAY_EVERY: Duration = Duration::from_millis(510);
/// Characters of a line, the most there may be.
const LINE: usize = 200;
/// Bytes of each stream that a client lets come ahead.
const WINDOW: u32 = 2_048;

pub(super) async fn unread(ground: &Ground) -> Result<Fought> {
    slow(ground, None).await
}

pub(super) async fn hardly_read(ground: &Ground) -> Result<Fought> {
    slow(ground, Some(Duration::from_millis(200))).await
}

/// The server keeps a bounded share of what they do not take, and ends who lets it wait.
async fn slow(ground: &Ground, read_every: Option<Duration>) -> Result<Fought> {
    let mut fought = Fought::default();
    let camp = ground.keep(Camp::narrow(ground.from, ground.server, WINDOW)?);
    let (mut rounds, mut longest) = (0u64, Duration::ZERO);
    while rounds == 0 || !ground.is_over() {
        let mut readers = JoinSet::new();
        for number in 0..READERS {
            let name = format!("slow-{}-{rounds}-{number}", read_every.is_some());
            let mut peer = camp.enter(&name).await?;
            if let Some(every) = read_every {
                tokio::spawn(sip(peer.connection.clone(), every));
            }
            readers.spawn(async move { talk(&mut peer).await });
        }
        while let Some(ended) = readers.join_next().await {
            let (ending, took) = ended?;
            fought.ended("who hears and does not read", ending, &[OVERLOADED]);
            longest = longest.max(took);
        }
        rounds += 1;
    }
    fought.at_least(
        &["lightmoon_session_link_closed_total{reason=\"unread\"}", "lightmoon_link_overloaded_total"],
        fought.with_code(OVERLOADED),
    );
    fought.notes.push(format!("{rounds} times {READERS} clients, the last one closed after {longest:.1?}"));
    Ok(fought)
}

/// Enters and talks until the connection ends.
async fn talk(peer: &mut Peer) -> (Ending, Duration) {
    let began = Instant::now();
    let enter = pilot::EnterAt { name: "slow".to_owned(), hue: 0, sector: SECTOR };
    // What closes the connection ends the writing.
    let _closed = peer.on_lane_of::<pilot::EnterAt>(&call::<pilot::EnterAt>(1, &codec::encode(&enter))).await;
    let say = codec::encode(&sector::Say { text: "x".repeat(LINE) });
    while began.elapsed() < SLOW_CLOSED_WITHIN {
        // The zone of the first attachment.
        if peer.on_lane_of::<sector::Say>(&call_zone::<sector::Say>(1, &say)).await.is_err() {
            break;
        }
        if let Ending::Code(_) = ending(&peer.connection, SAY_EVERY).await {
            break;
        }
    }
    (ending(&peer.connection, Duration::from_secs(1)).await, began.elapsed())
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
