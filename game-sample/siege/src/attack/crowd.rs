//! Too many: connections that say nothing, handshakes that never end, clients that come and go.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use anyhow::Result;
use lightmoon_wire::CloseCode;
use tokio::task::JoinSet;

use super::{Fought, Ground};
use crate::limits::{CHURN_PER_SECOND, CLOSED_WITHIN};
use crate::peer::{Camp, ending};
use crate::relay::{Manner, Relay};

const HANDSHAKE_TIMEOUT: u64 = 5;
const OVERLOADED: u64 = 9;

/// Connections that say nothing are closed after five seconds, or when others come.
pub(super) async fn silent(ground: &Ground) -> Result<Fought> {
    let mut fought = Fought::default();
    let camp = ground.camp()?;
    let mut silent = JoinSet::new();
    for _ in 0..ground.many {
        match camp.silent().await {
            Ok(connection) => {
                silent.spawn(async move { ending(&connection, CLOSED_WITHIN).await });
            }
            Err(_) => fought.refused += 1,
        }
    }
    while let Some(ended) = silent.join_next().await {
        fought.ended("silence", ended?, &[HANDSHAKE_TIMEOUT, OVERLOADED]);
    }
    Ok(fought)
}

/// First packets without a second one, from so many addresses.
pub(super) async fn half_open(ground: &Ground, addresses: u8) -> Result<Fought> {
    let mut fought = Fought::default();
    let from = (1..=addresses).map(|last| Ipv4Addr::new(127, 66, 0, last)).collect();
    let relay = Relay::start(ground.server, Manner::OneWay(from)).await?;
    let camp = Camp::at(ground.from, relay.address)?;
    let (began, mut count) = (Instant::now(), 0usize);
    let mut waiting = Vec::new();
    while count < ground.many || began.elapsed() < ground.time {
        waiting.push(camp.begin(relay.address)?);
        count += 1;
        if count.is_multiple_of(25) {
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        // Their own tries again are part of the attack; those of long ago are not needed.
        if waiting.len() > 2 * ground.many {
            waiting.drain(..ground.many);
        }
    }
    fought.notes.push(format!("{count} first packets from {addresses} addresses"));
    Ok(fought)
}

/// Clients that log in and leave at once.
pub(super) async fn churn(ground: &Ground) -> Result<Fought> {
    let mut fought = Fought::default();
    let camp = ground.camp()?;
    let (began, mut count, mut in_play) = (Instant::now(), 0u32, JoinSet::new());
    let (mut entered, pace) = (0u64, Duration::from_secs(1) / CHURN_PER_SECOND);
    while began.elapsed() < ground.time {
        let (camp, name) = (camp.clone(), format!("churn-{count}"));
        in_play.spawn(async move {
            let peer = camp.enter(&name).await?;
            peer.connection.close(CloseCode::Normal.number().into(), b"");
            Ok::<(), anyhow::Error>(())
        });
        count += 1;
        while let Some(done) = in_play.try_join_next() {
            if done?.is_ok() { entered += 1 } else { fought.refused += 1 }
        }
        // No more at a time than one machine would try.
        if in_play.len() > 200
            && let Some(done) = in_play.join_next().await
        {
            if done?.is_ok() { entered += 1 } else { fought.refused += 1 }
        }
        tokio::time::sleep_until((began + pace * count).into()).await;
    }
    while let Some(done) = in_play.join_next().await {
        if done?.is_ok() { entered += 1 } else { fought.refused += 1 }
    }
    let seconds = began.elapsed().as_secs_f64();
    fought.notes.push(format!(
        "{count} connections in {seconds:.1} s ({:.0}/s), {entered} let in",
        f64::from(count) / seconds
    ));
    Ok(fought)
}
