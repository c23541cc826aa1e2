//! The attacks, in the order they are run. Each is a function of the ground that it is fought on.
//!
//! *Responsible for*: the list with what each promises, what all attacks share. *Not responsible for*: what a run makes of them
//! ([`crate::run`]).

mod bytes;
mod crowd;
mod flood;
mod loss;
mod slow;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Result;
use game_sample_bots::Location;
use game_sample_rig::Metrics;

pub(crate) use crowd::wave;

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
    /// The same, as honest clients know it.
    pub(crate) location: Location,
    /// Where attackers are, if they are not many.
    pub(crate) from: Ipv4Addr,
    /// How many take part where they are many.
    pub(crate) many: usize,
    /// Whether it is a share of the whole, in which there is no time to flood slowly.
    pub(crate) is_short: bool,
    /// Set when everything was measured: an attack goes on until then.
    pub(crate) is_over: Arc<AtomicBool>,
    /// Sockets of attackers, to be closed in the end.
    camps: Arc<Mutex<Vec<quinn::Endpoint>>>,
}

impl Ground {
    pub(crate) fn new(location: &Location, many: usize, is_short: bool) -> Self {
        Self {
            server: location.game,
            location: location.clone(),
            from: camp_of(0),
            many,
            is_short,
            is_over: Arc::default(),
            camps: Arc::default(),
        }
    }

    /// The same ground for another attack.
    pub(crate) fn of_attack(&self, number: u8) -> Self {
        Self { from: camp_of(number), is_over: Arc::default(), camps: Arc::default(), ..self.clone() }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    pub(crate) fn camp(&self) -> Result<Camp> {
        Ok(self.keep(Camp::at(self.from, self.server)?))
    }

    /// Remembers a camp, so that its connections end with a word when the attack does.
    pub(crate) fn keep(&self, camp: Camp) -> Camp {
        self.camps.lock().expect("nothing panics while it is held").push(camp.endpoint());
        camp
    }

    /// Closes what attackers left open.
    pub(crate) async fn clear(&self) {
        let camps = std::mem::take(&mut *self.camps.lock().expect("nothing panics while it is held"));
        for camp in &camps {
            camp.close(0u32.into(), b"");
        }
        for camp in &camps {
            // Whom the server does not answer any more has nothing to wait for.
            let _late = tokio::time::timeout(Duration::from_secs(1), camp.wait_idle()).await;
        }
    }
}

/// What metrics must show of an attack: the sum of some of them grew by so much at least, or at most.
#[derive(Clone, Debug)]
pub(crate) struct Count {
    pub(crate) metrics: &'static [&'static str],
    pub(crate) by: u64,
    pub(crate) is_most: bool,
}

impl Count {
    pub(crate) fn grown(&self, before: &Metrics, after: &Metrics) -> f64 {
        let value = |values: &Metrics, name: &str| values.get(name).copied().unwrap_or(0.0);
        self.metrics.iter().map(|name| value(after, name) - value(before, name)).sum()
    }

    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    pub(crate) fn is_right(&self, before: &Metrics, after: &Metrics) -> bool {
        let grown = self.grown(before, after);
        if self.is_most { grown <= self.by as f64 } else { grown >= self.by as f64 }
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
    /// What metrics must show of it.
    pub(crate) counts: Vec<Count>,
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

    /// Notes that a connection was to stay open.
    pub(crate) async fn stays(&mut self, what: &str, peer: &Peer) {
        let ending = peer.closed(Duration::ZERO).await;
        *self.endings.entry(ending).or_default() += 1;
        if ending != Ending::Open {
            self.broken.push(format!("{what}: ended as {ending:?}, promised was to be served"));
        }
    }

    /// How many connections ended with a code.
    pub(crate) fn with_code(&self, code: u64) -> u64 {
        self.endings.get(&Ending::Code(code)).copied().unwrap_or(0)
    }

    /// So many offences must have been counted by these metrics together.
    pub(crate) fn at_least(&mut self, metrics: &'static [&'static str], by: u64) {
        self.counts.push(Count { metrics, by, is_most: false });
    }

    /// These metrics together must not have grown by more.
    pub(crate) fn at_most(&mut self, metrics: &'static [&'static str], by: u64) {
        self.counts.push(Count { metrics, by, is_most: true });
    }
}

type Fight<'a> = Pin<Box<dyn Future<Output = Result<Fought>> + 'a>>;

/// One attack.
pub(crate) struct Attack {
    pub(crate) name: &'static str,
    /// What it must meet: the close code, or why nobody is closed.
    pub(crate) promise: &'static str,
    pub(crate) fight: fn(&Ground) -> Fight<'_>,
    /// Whether players that came stay in memory for a while, up to a limit.
    pub(crate) leaves_players: bool,
}

impl Attack {
    const fn new(name: &'static str, promise: &'static str, fight: fn(&Ground) -> Fight<'_>) -> Self {
        Self { name, promise, fight, leaves_players: false }
    }

    const fn of_many_players(self) -> Self {
        Self { leaves_players: true, ..self }
    }
}

/// All of them.
pub(crate) const ATTACKS: &[Attack] = &[
    Attack::new("malformed frames", "code 3", |ground| Box::pin(bytes::malformed(ground))).of_many_players(),
    Attack::new("oversized frames", "code 4", |ground| Box::pin(bytes::oversized(ground))).of_many_players(),
    Attack::new("truncated frames", "code 3; half a frame on a stream waits for its rest", |ground| {
        Box::pin(bytes::truncated(ground))
    })
    .of_many_players(),
    Attack::new("arguments that lie about their size", "answered: an error, which harms nobody", |ground| {
        Box::pin(bytes::lying(ground))
    }),
    Attack::new("packets that come 20 times", "served once: QUIC drops the others before us", |ground| {
        Box::pin(bytes::packets_again(ground))
    }),
    Attack::new(
        "calls that come 20 times",
        "served once: the others are dropped, or answered from memory",
        |ground| Box::pin(bytes::calls_again(ground)),
    ),
    Attack::new("calls at ten times their rate", "refused: sloppy, not hostile", |ground| {
        Box::pin(flood::ten_times(ground))
    }),
    Attack::new("calls as fast as they go", "code 10", |ground| Box::pin(flood::calls(ground))),
    Attack::new("bytes as fast as they go", "code 10", |ground| Box::pin(flood::bytes(ground))),
    Attack::new("readers at 0 B/s", "code 9", |ground| Box::pin(slow::unread(ground))),
    Attack::new("readers at 1 %", "code 9", |ground| Box::pin(slow::hardly_read(ground))),
    Attack::new("silent connections", "code 5, or 9 when others come", |ground| {
        Box::pin(crowd::silent(ground))
    }),
    Attack::new("half-open handshakes of one address", "none: there is no connection to close", |ground| {
        Box::pin(crowd::half_open(ground, 1))
    }),
    Attack::new("half-open handshakes of 250 addresses", "none: there is no connection to close", |ground| {
        Box::pin(crowd::half_open(ground, 250))
    }),
    Attack::new("connections that come and go", "let in, or refused before TLS beyond the share", |ground| {
        Box::pin(crowd::churn(ground))
    })
    .of_many_players(),
    Attack::new("a network that loses 20 % each way", "served: states as fresh, calls in order", |ground| {
        Box::pin(loss::lossy(ground))
    }),
];

/// Connections that are made anew, one after the other, until the time is over. Each is told its number. As fast as one address
/// may: what is over its share would be refused before it says a word. How many there were.
async fn again_and_again(
    ground: &Ground,
    fought: &mut Fought,
    mut one: impl AsyncFnMut(usize, &Camp, &mut Fought) -> Result<()>,
) -> Result<u64> {
    let (camp, mut number) = (ground.camp()?, 0);
    let mut pace = tokio::time::interval(crate::limits::CONNECT_EVERY);
    pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    // Each kind at least once, however short the time is.
    while number < crate::limits::FEW || !ground.is_over() {
        pace.tick().await;
        one(number, &camp, fought).await?;
        number += 1;
    }
    fought.notes.push(format!("{number} times"));
    Ok(u64::try_from(number)?)
}

/// Clients that were let in at the same time.
async fn entered(camp: &Camp, name: &str, count: usize) -> Result<Vec<Peer>> {
    let mut peers = Vec::new();
    for number in 0..count {
        peers.push(camp.enter(&format!("{name}-{number}")).await?);
    }
    Ok(peers)
}
