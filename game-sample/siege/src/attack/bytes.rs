//! Wrong bytes: frames that are none, too large, cut short, sent again, and arguments that lie.

use std::time::Duration;

use anyhow::{Context as _, Result};
use game_sample_contracts::pilot;
use lightmoon_contract::Lane;
use lightmoon_wire::CloseCode;

use super::{Fought, Ground, again_and_again, entered};
use crate::limits::{CLOSED_WITHIN, FEW};
use crate::peer::{CALL, Camp, Ending, Peer, call};
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
    again_and_again(ground, &mut fought, async |number, camp, fought| {
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
    Ok(fought)
}

pub(super) async fn oversized(ground: &Ground) -> Result<Fought> {
    let mut fought = Fought::default();
    again_and_again(ground, &mut fought, async |number, camp, fought| {
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
    again_and_again(ground, &mut fought, async |number, camp, fought| {
        let peer = camp.enter(&format!("truncated-{number}")).await?;
        peer.drain();
        peer.connection.send_datagram(vec![49, 0, 1].into())?;
        fought.ended("half a datagram", peer.closed(CLOSED_WITHIN).await, &[VIOLATION]);
        Ok(())
    })
    .await?;
    for peer in &halves {
        let ending = peer.closed(Duration::ZERO).await;
        if ending != Ending::Open {
            fought.broken.push(format!("half a frame whose rest may still come: ended as {ending:?}"));
        }
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
    // Entering may take longer than the attack is to last; one round at least is fought.
    let began = std::time::Instant::now();
    let mut sent = 0u64;
    while sent == 0 || began.elapsed() < ground.time {
        for peer in &mut peers {
            // A name of 2^60 bytes, in a message that says it is as long.
            let mut args = vec![0xFD, 0, 0, 0, 0, 0, 0, 0, 0x10, 0xFD, 0, 0, 0, 0, 0, 0, 0, 0x10];
            args.resize(64, 0xFF);
            peer.on_lane_of::<pilot::Enter>(&call::<pilot::Enter>(sent / 20 + 1, &args)).await?;
            sent += 1;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    for peer in &peers {
        let ending = peer.closed(Duration::ZERO).await;
        if ending != Ending::Open {
            fought
                .broken
                .push(format!("arguments that cannot be read: ended as {ending:?}, promised was an answer"));
        }
    }
    fought.notes.push(format!("{sent} calls"));
    Ok(fought)
}

/// Packets that come twenty times are taken once.
pub(super) async fn replayed(ground: &Ground) -> Result<Fought> {
    let mut fought = Fought::default();
    let relay = Relay::start(ground.server, Manner::Replays(20)).await?;
    let camp = Camp::at(ground.from, relay.address)?;
    let began = std::time::Instant::now();
    let mut peer = camp.enter("replayed").await?;
    peer.drain();
    let mut request = 0;
    while began.elapsed() < ground.time {
        request += 1;
        peer.on_lane_of::<pilot::Hold>(&call::<pilot::Hold>(request, &[0])).await?;
        tokio::time::sleep(Duration::from_millis(600)).await;
    }
    let ending = peer.closed(Duration::ZERO).await;
    if ending != Ending::Open {
        fought.broken.push(format!("a client whose packets come twenty times: ended as {ending:?}"));
    }
    peer.connection.close(CloseCode::Normal.number().into(), b"");
    fought.notes.push(format!("{request} calls, each packet 20 times"));
    Ok(fought)
}
