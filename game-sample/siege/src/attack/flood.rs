//! Too much of what is right: calls, bytes.
//!
//! *Responsible for*: sending it, and what must come of it. *Not responsible for*: clients that do not read ([`super::slow`]).

use std::time::{Duration, Instant};

use anyhow::Result;
use game_sample_contracts::pilot;
use lightmoon_contract::Operation as _;

use super::{Fought, Ground, entered};
use crate::limits::{CLOSED_WITHIN, FEW};
use crate::peer::{Peer, call};

const RATE_EXCEEDED: u64 = 10;

/// Between two bursts of a flood.
const PACE: Duration = Duration::from_millis(10);

/// Sloppy, not hostile: what is too much is refused and counted, and the session goes on.
pub(super) async fn ten_times(ground: &Ground) -> Result<Fought> {
    let mut fought = Fought::default();
    let camp = ground.camp()?;
    let mut peers = entered(&camp, "ten", FEW).await?;
    peers.iter().for_each(Peer::drain);
    let rate = pilot::Hold::SPEC.rate;
    let (began, mut rounds) = (Instant::now(), 0u64);
    while rounds < 20 || !ground.is_over() {
        rounds += 1;
        for peer in &mut peers {
            peer.on_lane_of::<pilot::Hold>(&call::<pilot::Hold>(rounds, &[0])).await?;
        }
        tokio::time::sleep(Duration::from_secs(1) / (rate.per_second * 10)).await;
    }
    // What the bucket let through at most, with a second for the way there.
    let allowed = u64::from(rate.burst) + u64::from(rate.per_second) * (began.elapsed().as_secs() + 2);
    for peer in &peers {
        fought.stays("calls at ten times their rate", peer).await;
    }
    let clients = u64::try_from(peers.len())?;
    fought.at_least(
        &["lightmoon_call_refused_total{reason=\"rate\"}"],
        clients * rounds.saturating_sub(allowed),
    );
    fought.notes.push(format!(
        "{} calls, of which at most {} are within the rate",
        clients * rounds,
        clients * allowed
    ));
    Ok(fought)
}

/// Sends what `burst` makes on the lane of `hold` again and again, and sees how it ends.
async fn pour(
    peer: &mut Peer,
    mut burst: impl FnMut() -> Vec<u8>,
    fought: &mut Fought,
    what: &str,
    pace: Duration,
) {
    let began = Instant::now();
    // What closes the connection ends the writing.
    while began.elapsed() < CLOSED_WITHIN && peer.on_lane_of::<pilot::Hold>(&burst()).await.is_ok() {
        tokio::time::sleep(pace).await;
    }
    fought.ended(what, peer.closed(CLOSED_WITHIN).await, &[RATE_EXCEEDED]);
}

pub(super) async fn calls(ground: &Ground) -> Result<Fought> {
    let mut fought = Fought::default();
    let (camp, mut rounds) = (ground.camp()?, 0u64);
    while rounds == 0 || !ground.is_over() {
        let mut peer = camp.enter(&format!("calls-{rounds}")).await?;
        peer.drain();
        let mut requests = 0..;
        let burst = || {
            requests
                .by_ref()
                .take(100)
                .flat_map(|request: u64| call::<pilot::Hold>(request + 1, &[0]))
                .collect()
        };
        pour(&mut peer, burst, &mut fought, "a flood of calls", PACE).await;
        rounds += 1;
    }
    fought.at_least(&["lightmoon_session_closed_for_rate_total"], rounds);
    // Before it is closed for them, six thousand of each are refused.
    fought.at_least(&["lightmoon_call_refused_total{reason=\"rate\"}"], rounds * 6_000);
    fought.notes.push(format!("{rounds} clients, one after the other"));
    Ok(fought)
}

pub(super) async fn bytes(ground: &Ground) -> Result<Fought> {
    let mut fought = Fought::default();
    let (camp, mut rounds) = (ground.camp()?, 0u64);
    while rounds == 0 || !ground.is_over() {
        let mut peer = camp.enter(&format!("bytes-{rounds}")).await?;
        peer.drain();
        let burst = || call::<pilot::Hold>(0, &vec![0; 16_000]);
        pour(&mut peer, burst, &mut fought, "a flood of bytes", Duration::from_millis(1)).await;
        rounds += 1;
    }
    fought.at_least(&["lightmoon_session_link_closed_total{reason=\"too-many-bytes\"}"], rounds);
    fought.notes.push(format!("{rounds} clients, one after the other"));
    Ok(fought)
}
