//! Too many: connections that say nothing, handshakes that never end, clients that come and go.
//!
//! *Responsible for*: making them, and what must come of each. *Not responsible for*: clients that say too much
//! ([`super::flood`]).

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use anyhow::Result;
use lightmoon_wire::CloseCode;
use tokio::task::{JoinError, JoinSet};

use super::{Fought, Ground};
use crate::kernel;
use crate::limits::{CHURN_AT_ONCE, CHURN_PER_SECOND, CLOSED_WITHIN, CONNECT_EVERY, WAVE_ADDRESSES};
use crate::peer::{Camp, ending, is_refused};
use crate::relay::{Manner, Relay};

const HANDSHAKE_TIMEOUT: u64 = 5;
const OVERLOADED: u64 = 9;

/// Connections that say nothing are closed after five seconds, or when others come.
pub(super) async fn silent(ground: &Ground) -> Result<Fought> {
    let mut fought = Fought::default();
    let camp = ground.camp()?;
    let (mut silent, mut count) = (JoinSet::new(), 0);
    while count < ground.many || !ground.is_over() {
        count += 1;
        match camp.silent().await {
            Ok(connection) => {
                silent.spawn(async move { ending(&connection, CLOSED_WITHIN).await });
            }
            Err(_) => fought.refused += 1,
        }
        if count > ground.many {
            // The first ones at once; from then on as fast as they are let in.
            tokio::time::sleep(CONNECT_EVERY).await;
        }
    }
    while let Some(ended) = silent.join_next().await {
        fought.ended("silence", ended?, &[HANDSHAKE_TIMEOUT, OVERLOADED]);
    }
    fought.at_least(
        &["lightmoon_session_link_closed_total{reason=\"handshake-timed-out\"}"],
        fought.with_code(HANDSHAKE_TIMEOUT),
    );
    fought.at_least(
        &["lightmoon_session_link_closed_total{reason=\"handshake-evicted\"}"],
        fought.with_code(OVERLOADED),
    );
    Ok(fought)
}

/// First packets without a second one, from so many addresses. Each is given up after five seconds, gives way, or is asked to show its
/// address, which it does not.
pub(super) async fn half_open(ground: &Ground, addresses: u8) -> Result<Fought> {
    let mut fought = Fought::default();
    let from = (1..=addresses).map(|last| Ipv4Addr::new(127, 66, 0, last)).collect();
    let relay = Relay::start(ground.server, Manner::OneWay(from)).await?;
    let camp = ground.keep(Camp::at(ground.from, relay.address)?);
    let (mut count, mut waiting) = (0usize, Vec::new());
    let ports = [ground.server.port(), relay.address.port()];
    let dropped = kernel::dropped(&ports)?;
    while count < ground.many || !ground.is_over() {
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
    // Of a flood of datagrams the kernel drops some where the machine is busy, and says how many: those reached nobody.
    let dropped = kernel::dropped(&ports)? - dropped;
    fought
        .notes
        .push(format!("{count} first packets from {addresses} addresses, {dropped} dropped by the kernel"));
    fought.at_least(
        &[
            "lightmoon_link_retried_total",
            "lightmoon_link_handshake_failed_total",
            "lightmoon_link_refused_total",
        ],
        u64::try_from(count)?.saturating_sub(dropped),
    );
    Ok(fought)
}

/// What became of connections that come and go.
#[derive(Clone, Copy, Debug, Default)]
struct Came {
    entered: u64,
    /// By the server, before TLS.
    refused: u64,
    /// Its packets were lost, or it gave up.
    failed: u64,
}

impl Came {
    fn note(&mut self, done: Result<Result<()>, JoinError>) -> Result<()> {
        match done? {
            Ok(()) => self.entered += 1,
            Err(error) if is_refused(&error) => self.refused += 1,
            Err(_) => self.failed += 1,
        }
        Ok(())
    }
}

/// Clients that log in and leave at once, in turn from these camps, until `goes_on` says no. Names begin with `name`.
async fn come_and_go(camps: &[Camp], name: &str, goes_on: impl Fn(u32) -> bool) -> Result<(u32, Came)> {
    let (began, mut count, mut in_play, mut came) = (Instant::now(), 0u32, JoinSet::new(), Came::default());
    let pace = Duration::from_secs(1) / CHURN_PER_SECOND;
    while goes_on(count) {
        let camp = camps[usize::try_from(count)? % camps.len()].clone();
        let name = format!("{name}-{count}");
        in_play.spawn(async move {
            let peer = camp.enter(&name).await?;
            peer.connection.close(CloseCode::Normal.number().into(), b"");
            Ok::<(), anyhow::Error>(())
        });
        count += 1;
        while let Some(done) = in_play.try_join_next() {
            came.note(done)?;
        }
        if in_play.len() > CHURN_AT_ONCE
            && let Some(done) = in_play.join_next().await
        {
            came.note(done)?;
        }
        tokio::time::sleep_until((began + pace * count).into()).await;
    }
    while let Some(done) = in_play.join_next().await {
        came.note(done)?;
    }
    Ok((count, came))
}

/// As fast as one machine makes them, from one address.
pub(super) async fn churn(ground: &Ground) -> Result<Fought> {
    let mut fought = Fought::default();
    let began = Instant::now();
    let (count, came) = come_and_go(&[ground.camp()?], "churn", |_| !ground.is_over()).await?;
    let seconds = began.elapsed().as_secs_f64();
    fought.refused = came.refused;
    fought.at_least(&["lightmoon_session_opened_total"], came.entered);
    fought.at_least(&["lightmoon_link_refused_total{reason=\"address\"}"], came.refused);
    fought.notes.push(format!(
        "{count} connections in {seconds:.1} s ({:.0}/s), {} let in, {} without an answer in time",
        f64::from(count) / seconds,
        came.entered,
        came.failed
    ));
    Ok(fought)
}

/// One of several equal crowds, from ten addresses, each of which stays within its share: all of them are let in.
pub(crate) async fn wave(ground: &Ground, name: &str, size: u32) -> Result<u64> {
    let camps: Vec<Camp> = (1..=WAVE_ADDRESSES)
        .map(|last| Ok(ground.keep(Camp::at(Ipv4Addr::new(127, 0, 67, last), ground.server)?)))
        .collect::<Result<_>>()?;
    let (_, came) = come_and_go(&camps, name, |count| count < size).await?;
    Ok(came.entered)
}
