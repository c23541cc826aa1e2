//! The attacks, in the order they are run. Each is a function of the ground that it is fought on.
//!
//! *Responsible for*: the list, what all attacks share. *Not responsible for*: what a run makes of them ([`crate::run`]).

mod bytes;
mod crowd;
mod flood;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::peer::{Camp, Ending, Peer};

/// Where the attackers of the attack with this number come from: an address of this machine that nobody else has, so that what one
/// used up of its share is not missing to the next.
pub(crate) const fn camp_of(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 66, number)
}

/// What an attack has to do with.
#[derive(Clone, Debug)]
pub(crate) struct Ground {
    pub(crate) server: SocketAddr,
    /// Where attackers are, if they are not many.
    pub(crate) from: Ipv4Addr,
    /// It goes on for this long.
    pub(crate) time: Duration,
    /// How many take part where they are many.
    pub(crate) many: usize,
    /// Whether it is a share of the whole, in which there is no time to flood slowly.
    pub(crate) is_short: bool,
}

impl Ground {
    pub(crate) fn camp(&self) -> Result<Camp> {
        Camp::at(self.from, self.server)
    }
}

/// What an attack saw.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fought {
    /// How connections ended.
    pub(crate) endings: BTreeMap<Ending, u64>,
    /// Connections that were not even opened.
    pub(crate) refused: u64,
    /// What was not as promised.
    pub(crate) broken: Vec<String>,
    /// What else there is to say.
    pub(crate) notes: Vec<String>,
}

impl Fought {
    /// Notes how a connection ended, and that it was to end with one of these codes.
    pub(crate) fn ended(&mut self, what: &str, ending: Ending, wanted: &[u64]) {
        *self.endings.entry(ending).or_default() += 1;
        if !matches!(ending, Ending::Code(code) if wanted.contains(&code)) {
            self.broken.push(format!("{what}: ended as {ending:?}, promised was code {wanted:?}"));
        }
    }
}

type Fight<'a> = Pin<Box<dyn Future<Output = Result<Fought>> + 'a>>;

/// One attack.
pub(crate) struct Attack {
    pub(crate) name: &'static str,
    pub(crate) fight: fn(&Ground) -> Fight<'_>,
    /// Metrics of which one at least must have grown.
    pub(crate) counted: &'static [&'static str],
    /// How many sessions it may leave behind, each of which waits for its client for a while.
    pub(crate) sessions_left: u64,
}

/// All of them.
pub(crate) const ATTACKS: &[Attack] = &[
    Attack {
        name: "malformed frames",
        fight: |ground| Box::pin(bytes::malformed(ground)),
        counted: &["lightmoon_session_link_violating_total"],
        sessions_left: 0,
    },
    Attack {
        name: "oversized frames",
        fight: |ground| Box::pin(bytes::oversized(ground)),
        counted: &["lightmoon_session_link_too_large_total"],
        sessions_left: 0,
    },
    Attack {
        name: "truncated frames",
        fight: |ground| Box::pin(bytes::truncated(ground)),
        counted: &["lightmoon_session_link_violating_total"],
        sessions_left: 0,
    },
    Attack {
        name: "arguments that lie about their size",
        fight: |ground| Box::pin(bytes::lying(ground)),
        counted: &["lightmoon_call_total"],
        sessions_left: 0,
    },
    Attack {
        name: "replayed packets",
        fight: |ground| Box::pin(bytes::replayed(ground)),
        counted: &[],
        sessions_left: 0,
    },
    Attack {
        name: "calls at ten times their rate",
        fight: |ground| Box::pin(flood::ten_times(ground)),
        counted: &["lightmoon_call_refused_total"],
        sessions_left: 0,
    },
    Attack {
        name: "calls as fast as they go",
        fight: |ground| Box::pin(flood::calls(ground)),
        counted: &["lightmoon_session_closed_for_rate_total"],
        sessions_left: 0,
    },
    Attack {
        name: "bytes as fast as they go",
        fight: |ground| Box::pin(flood::bytes(ground)),
        counted: &["lightmoon_session_closed_for_bytes_total", "lightmoon_session_closed_for_rate_total"],
        sessions_left: 0,
    },
    Attack {
        name: "readers at 0 B/s",
        fight: |ground| Box::pin(flood::unread(ground)),
        counted: &["lightmoon_link_overloaded_total", "lightmoon_session_closed_for_rate_total"],
        sessions_left: 0,
    },
    Attack {
        name: "readers at 1 %",
        fight: |ground| Box::pin(flood::hardly_read(ground)),
        counted: &["lightmoon_link_overloaded_total", "lightmoon_session_closed_for_rate_total"],
        sessions_left: 0,
    },
    Attack {
        name: "silent connections",
        fight: |ground| Box::pin(crowd::silent(ground)),
        counted: &["lightmoon_session_handshake_timed_out_total"],
        sessions_left: 0,
    },
    Attack {
        name: "half-open handshakes of one address",
        fight: |ground| Box::pin(crowd::half_open(ground, 1)),
        counted: &["lightmoon_link_retried_total", "lightmoon_link_handshake_failed_total"],
        sessions_left: 0,
    },
    Attack {
        name: "half-open handshakes of many addresses",
        fight: |ground| Box::pin(crowd::half_open(ground, 250)),
        counted: &["lightmoon_link_retried_total", "lightmoon_link_handshake_failed_total"],
        sessions_left: 0,
    },
    Attack {
        name: "connections that come and go",
        fight: |ground| Box::pin(crowd::churn(ground)),
        counted: &["lightmoon_link_opened_total"],
        sessions_left: 2_500,
    },
];

/// Connections that are made anew, one after the other, until the time is over. Each is told its number. As fast as one address
/// may: what is over its share would be refused before it says a word.
async fn again_and_again(
    ground: &Ground,
    fought: &mut Fought,
    mut one: impl AsyncFnMut(usize, &Camp, &mut Fought) -> Result<()>,
) -> Result<()> {
    let camp = ground.camp()?;
    let (began, mut number) = (Instant::now(), 0);
    let mut pace = tokio::time::interval(crate::limits::CONNECT_EVERY);
    pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    // Each kind at least once, however short the time is.
    while number < crate::limits::FEW || began.elapsed() < ground.time {
        pace.tick().await;
        one(number, &camp, fought).await?;
        number += 1;
    }
    fought.notes.push(format!("{number} times"));
    Ok(())
}

/// Clients that were let in at the same time.
async fn entered(camp: &Camp, name: &str, count: usize) -> Result<Vec<Peer>> {
    let mut peers = Vec::new();
    for number in 0..count {
        peers.push(camp.enter(&format!("{name}-{number}")).await?);
    }
    Ok(peers)
}
