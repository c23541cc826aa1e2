//! Wrong bytes: frames that are none, too large, cut short, sent again, and arguments that lie.
//!
//! *Responsible for*: sending them, and what must come of each. *Not responsible for*: the bytes of right frames ([`crate::peer`]).

use std::time::Duration;

use anyhow::{Context as _, Result};
use game_sample_contracts::{pilot, sector};
use lightmoon_contract::Lane;
use lightmoon_wire::CloseCode;

use super::{Fought, Ground, again_and_again, entered};
use crate::limits::{CLOSED_WITHIN, FEW};
use crate::peer::{CALL, Camp, Peer, call, unreliable_call};
use crate::relay::{Manner, Relay};

const VIOLATION: u64 = 3;
const TOO_LARGE: u64 = 4;

/// The control lane's number, with which its stream begins.
const CONTROL: u8 = Lane::CONTROL.number();

/// A length of four bytes in front of a frame, and its kind.
fn head(length: u32, kind: u8) -> Vec<u8> {
    let mut bytes = vec![0xFC];
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.push(kind);
    bytes
}

pub(super) async fn malformed(ground: &Ground) -> Result<Fought> {
    let mut fought = Fought::default();
    let count = again_and_again(ground, &mut fought, async |number, camp, fought| {
        let what = [
            "garbage instead of a Hello",
            "no lane",
            "garbage after the Welcome",
            "garbage in a datagram",
            "a second Hello",
            "a frame that only servers send",
        ];
        let kind = number % what.len();
        let peer = if kind < 2 {
            let mut peer = Peer::new(camp.silent().await?);
            let bytes: &[u8] = if kind == 0 { &[CONTROL, 2, 0xEE, 0] } else { &[0xEE, 1, 2, 3] };
            peer.raw(Lane::CONTROL, bytes).await?;
            peer
        } else {
            let mut peer = camp.enter(&format!("malformed-{number}")).await?;
            peer.drain();
            match kind {
                2 => peer.raw(Lane::CONTROL, &[2, 0xEE, 0]).await?,
                3 => peer.connection.send_datagram(vec![0xEE; 40].into())?,
                4 => {
                    let hello = peer.hello.slice(1..);
                    peer.raw(Lane::CONTROL, &hello).await?;
                }
                _ => peer.raw(Lane::CONTROL, &[2, 4, 0]).await?,
            }
            peer
        };
        fought.ended(what[kind], peer.closed(CLOSED_WITHIN).await, &[VIOLATION]);
        Ok(())
    })
    .await?;
    fought.at_least(&["lightmoon_session_link_closed_total{reason=\"violating\"}"], count);
    Ok(fought)
}

pub(super) async fn oversized(ground: &Ground) -> Result<Fought> {
    let mut fought = Fought::default();
    let count = again_and_again(ground, &mut fought, async |number, camp, fought| {
        let what = [
            "a Hello of 10 MiB",
            "a call of 4 GiB",
            "a length of 64 bits",
            "arguments of 1 byte too many",
            "a datagram over its limit",
        ];
        let kind = number % what.len();
        let peer = if kind == 0 {
            let mut peer = Peer::new(camp.silent().await?);
            peer.raw(Lane::CONTROL, &[&[CONTROL][..], &head(10 << 20, 1)].concat()).await?;
            peer
        } else {
            let mut peer = camp.enter(&format!("oversized-{number}")).await?;
            peer.drain();
            match kind {
                1 => peer.on_lane_of::<pilot::Hold>(&head(u32::MAX, CALL)).await?,
                2 => peer.on_lane_of::<pilot::Hold>(&[0xFD, 1, 0, 0, 0, 0, 0, 0, 0, CALL]).await?,
                3 => {
                    // The limit of the frame is a little wider than that of its arguments, which are held to theirs.
                    let args = vec![0; lightmoon_wire::limits::ARGS_BYTES_MAX + 1];
                    peer.on_lane_of::<pilot::Hold>(&call::<pilot::Hold>(0, &args)).await?;
                }
                _ => {
                    let size = lightmoon_wire::limits::DATAGRAM_BYTES_MAX + 1;
                    await_room_for(&peer, size).await?;
                    peer.connection.send_datagram(vec![49; size].into())?;
                }
            }
            peer
        };
        fought.ended(what[kind], peer.closed(CLOSED_WITHIN).await, &[TOO_LARGE]);
        Ok(())
    })
    .await?;
    fought.at_least(&["lightmoon_session_link_closed_total{reason=\"too-large\"}"], count);
    Ok(fought)
}

/// Waits until the path is known to carry datagrams of this size.
async fn await_room_for(peer: &Peer, size: usize) -> Result<()> {
    tokio::time::timeout(CLOSED_WITHIN, async {
        while peer.connection.max_datagram_size().is_none_or(|max| max < size) {
            tokio::time::sleep(crate::limits::LOOK_EVERY).await;
        }
    })
    .await
    .context("the path does not carry such datagrams")
}

/// Half a frame and then nothing holds no more than its half; half a datagram is no frame.
pub(super) async fn truncated(ground: &Ground) -> Result<Fought> {
    let mut fought = Fought::default();
    let camp = ground.camp()?;
    let mut halves = entered(&camp, "half", FEW).await?;
    for peer in &mut halves {
        peer.drain();
        let frame = call::<pilot::Hold>(0, &vec![0; 16_000]);
        peer.on_lane_of::<pilot::Hold>(&frame[..12_000]).await?;
    }
    let count = again_and_again(ground, &mut fought, async |number, camp, fought| {
        let peer = camp.enter(&format!("truncated-{number}")).await?;
        peer.drain();
        peer.connection.send_datagram(vec![49, 0, 1].into())?;
        fought.ended("half a datagram", peer.closed(CLOSED_WITHIN).await, &[VIOLATION]);
        Ok(())
    })
    .await?;
    fought.at_least(&["lightmoon_session_link_closed_total{reason=\"violating\"}"], count);
    for peer in &halves {
        fought.stays("half a frame whose rest may still come", peer).await;
    }
    Ok(fought)
}

/// Arguments whose counts are larger than all memory are answered with an error, and nobody is harmed.
pub(super) async fn lying(ground: &Ground) -> Result<Fought> {
    let mut fought = Fought::default();
    let camp = ground.camp()?;
    let mut peers = entered(&camp, "lying", FEW).await?;
    for peer in &peers {
        peer.drain();
    }
    let mut rounds = 0u64;
    while rounds == 0 || !ground.is_over() {
        rounds += 1;
        for peer in &mut peers {
            // A name of 2^60 bytes, in a message that says it is as long.
            let mut args = vec![0xFD, 0, 0, 0, 0, 0, 0, 0, 0x10, 0xFD, 0, 0, 0, 0, 0, 0, 0, 0x10];
            args.resize(64, 0xFF);
            peer.on_lane_of::<pilot::Enter>(&call::<pilot::Enter>(rounds, &args)).await?;
        }
        // `enter` may be called twice a second.
        tokio::time::sleep(Duration::from_millis(600)).await;
    }
    for peer in &peers {
        fought.stays("arguments that cannot be read", peer).await;
    }
    let sent = rounds * u64::try_from(peers.len())?;
    fought.at_least(&["lightmoon_call_unreadable_total"], sent);
    fought.notes.push(format!("{sent} calls"));
    Ok(fought)
}

/// What only grows when something of a client came twice.
const AGAIN: &[&str] = &[
    "lightmoon_call_doubled_total",
    "lightmoon_request_rejoined_total",
    "lightmoon_request_answered_again_total",
    "lightmoon_request_reused_total",
];

/// Packets that come twenty times are taken once: nothing above QUIC sees the others, so none of the counts of doubles grows, and calls
/// that are within their rate stay so.
pub(super) async fn packets_again(ground: &Ground) -> Result<Fought> {
    let mut fought = Fought::default();
    let relay = Relay::start(ground.server, Manner::Replays(20)).await?;
    let camp = ground.keep(Camp::at(ground.from, relay.address)?);
    let mut peer = camp.enter("replayed").await?;
    peer.drain();
    let mut request = 0;
    while request < 2 || !ground.is_over() {
        request += 1;
        peer.on_lane_of::<pilot::Hold>(&call::<pilot::Hold>(request, &[0])).await?;
        tokio::time::sleep(Duration::from_millis(600)).await;
    }
    fought.stays("a client whose packets come twenty times", &peer).await;
    peer.connection.close(CloseCode::Normal.number().into(), b"");
    // If they were taken, it would be nineteen for each; what honest bots repeat when their connection breaks is a few.
    fought.at_most(AGAIN, request);
    fought.at_most(&["lightmoon_call_refused_total"], request);
    fought.at_least(&["lightmoon_call_total"], request);
    fought.notes.push(format!("{request} calls, each packet 20 times"));
    Ok(fought)
}

/// Rounds after which a request comes again: it is answered by then. One that is still open must not come twice over one connection.
const AGAIN_AFTER: u64 = 4;

/// Frames that come twenty times are served once: unreliable calls are told by their sequence, requests by their number.
pub(super) async fn calls_again(ground: &Ground) -> Result<Fought> {
    let mut fought = Fought::default();
    let camp = ground.camp()?;
    let mut peers = entered(&camp, "again", FEW).await?;
    peers.iter().for_each(Peer::drain);
    let (mut rounds, mut again, times) = (0u64, 0u64, 20u64);
    while rounds <= AGAIN_AFTER || !ground.is_over() {
        rounds += 1;
        let mut frames = call::<pilot::Trades>(rounds, &[0]);
        // The same twenty times in as many rounds: each of them is answered before it comes again.
        for before in rounds.saturating_sub(AGAIN_AFTER + times).max(1)..=rounds.saturating_sub(AGAIN_AFTER) {
            frames.extend(call::<pilot::Trades>(before, &[0]));
            again += u64::try_from(peers.len())?;
        }
        let steer = unreliable_call::<sector::Steer>(u32::try_from(rounds)?, &[0]);
        for peer in &mut peers {
            peer.on_lane_of::<pilot::Trades>(&frames).await?;
            for _ in 0..times {
                peer.connection.send_datagram(steer.clone().into())?;
            }
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    for peer in &peers {
        fought.stays("a client whose calls come twenty times", peer).await;
    }
    let clients = u64::try_from(peers.len())?;
    fought.at_least(&["lightmoon_request_rejoined_total", "lightmoon_request_answered_again_total"], again);
    // Datagrams may be lost, also on the way to a busy process of the same machine.
    fought.at_least(&["lightmoon_call_doubled_total"], rounds * clients * (times - 1) * 9 / 10);
    fought.notes.push(format!(
        "{rounds} requests of {clients} clients, again {again} times; as many datagrams, 20 times"
    ));
    Ok(fought)
}
