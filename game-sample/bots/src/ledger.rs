//! Files that bots write while they play: the ledger of what was acknowledged, the trail of where they were.
//!
//! *Responsible for*: their lines and how sure they are on disk. *Not responsible for*: comparing them with a store (the game's
//! verb `audit`).
//!
//! Both are lines of JSON. A ledger line is on disk before the bot goes on, so a test that kills everything can hold the game
//! to every line; a trail line is soon.
//!
//! Invariants:
//! - I1: when [`Ledger::append`] returns, the line is synced.
//! - I2: lines are whole or, the last one, cut off by a crash; readers may leave a cut one out.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use game_sample_contracts::{Goods, Mined, TradeId};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

/// Lines that wait for one sync, at most: all bots of a run.
const GROUP_MAX: usize = 5_000;
/// Trail lines are handed to the system at least this often.
const TRAIL_FLUSH_EVERY: Duration = Duration::from_millis(500);

/// What a bot was told that is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Acknowledged {
    /// A crystal.
    Mined(Mined),
    /// A step of a trade, and the goods that it moved.
    Traded(TradeAct, TradeId, Goods),
}

/// A step of a trade that a client takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TradeAct {
    /// It offers something.
    Offer,
    /// It accepts another's offer.
    Accept,
    /// It refuses another's offer.
    Refuse,
    /// It takes an own offer back.
    Cancel,
}

/// An acknowledged operation. Lines that older bots wrote are still read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum LedgerLine {
    /// A step of a trade.
    Traded(TradeLine),
    /// A crystal.
    Mined(MinedLine),
}

/// An acknowledged `mine`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MinedLine {
    /// Key of the player.
    pub player: u64,
    /// The crystal's id.
    pub crystal: u64,
    /// Ore that was in it.
    pub ore: u32,
    /// The player's ore after it.
    pub total: u64,
    /// The player's coins after it; 0 in lines of bots that knew none.
    #[serde(default)]
    pub coins: u64,
    /// Milliseconds since 1970 at which the answer was there.
    pub ms: u64,
}

/// An acknowledged step of a trade.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TradeLine {
    /// Key of the player who took it.
    pub player: u64,
    /// Which step.
    pub trade: TradeAct,
    /// The trade: key of its offerer.
    pub pilot: u64,
    /// The trade: its number among that pilot's offers.
    pub number: u64,
    /// Coins that it moved.
    pub coins: u64,
    /// Ore that it moved, colour and amount.
    pub ore: Vec<(u16, u64)>,
    /// Milliseconds since 1970 at which the answer was there.
    pub ms: u64,
}

impl LedgerLine {
    /// What was acknowledged to a player now.
    #[must_use]
    pub fn now(player: u64, what: &Acknowledged) -> Self {
        Self::at(player, what, wall_ms())
    }

    /// What was acknowledged to a player then, milliseconds since 1970.
    #[must_use]
    pub fn at(player: u64, what: &Acknowledged, ms: u64) -> Self {
        match what {
            Acknowledged::Mined(Mined { crystal, ore, total, coins, .. }) => Self::Mined(MinedLine {
                player,
                crystal: crystal.0,
                ore: *ore,
                total: *total,
                coins: *coins,
                ms,
            }),
            Acknowledged::Traded(trade, TradeId { pilot, number }, goods) => Self::Traded(TradeLine {
                player,
                trade: *trade,
                pilot: *pilot,
                number: *number,
                coins: goods.coins,
                ore: goods.ore.iter().map(|stack| (stack.hue, stack.amount)).collect(),
                ms,
            }),
        }
    }
}

/// Where a player's client saw its ship.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct TrailLine {
    /// Key of the player.
    pub player: u64,
    /// Key of the sector.
    pub sector: u64,
    /// Units from the middle of the sector.
    pub x: f32,
    /// Units from the middle of the sector.
    pub y: f32,
    /// Milliseconds since 1970.
    pub ms: u64,
    /// Whether it is the first sight after its client was attached to the sector.
    #[serde(default)]
    pub first: bool,
}

impl TrailLine {
    /// Where the ship is now.
    #[must_use]
    pub fn now(player: u64, sector: u64, x: f32, y: f32, first: bool) -> Self {
        Self { player, sector, x, y, ms: wall_ms(), first }
    }
}

/// Milliseconds since 1970.
#[must_use]
pub fn wall_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// A line and who waits for it.
type Waiting = (String, oneshot::Sender<io::Result<()>>);

/// The ledger of a run; clones write the same file. One thread writes and syncs for all.
#[derive(Clone, Debug)]
pub struct Ledger(mpsc::Sender<Waiting>);

impl Ledger {
    /// Opens a file to append to; makes it if it is not there.
    ///
    /// # Errors
    /// The file cannot be opened, or there is no thread.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = appending(path)?;
        let (to, lines) = mpsc::channel();
        std::thread::Builder::new().name("ledger".to_owned()).spawn(move || keep(file, &lines))?;
        Ok(Self(to))
    }

    /// Appends a line and waits until it is synced.
    ///
    /// # Errors
    /// It could not be written.
    pub async fn append(&self, line: &LedgerLine) -> io::Result<()> {
        let (done, wait) = oneshot::channel();
        let ended = || io::Error::other("the thread of the ledger has ended");
        self.0.send((json(line), done)).map_err(|_| ended())?;
        wait.await.map_err(|_| ended())?
    }
}

/// Writes what waits, syncs once, tells all of it.
fn keep(mut file: File, lines: &mpsc::Receiver<Waiting>) {
    while let Ok(first) = lines.recv() {
        let group: Vec<Waiting> =
            std::iter::once(first).chain(lines.try_iter().take(GROUP_MAX - 1)).collect();
        let text: String = group.iter().map(|(line, _)| line.as_str()).collect();
        let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_data());
        for (_, done) in group {
            let told = written.as_ref().map_or_else(|error| Err(error.kind().into()), |()| Ok(()));
            // A bot whose time is up does not wait any more.
            let _gone = done.send(told);
        }
    }
}

/// The trail of a run; clones write the same file. It is whole when the last of them is dropped.
#[derive(Clone, Debug)]
pub struct Trail(Arc<Follower>);

#[derive(Debug)]
struct Follower {
    lines: Option<mpsc::Sender<String>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.lines = None;
        // Its panic would have been printed.
        let _ended = self.thread.take().map(JoinHandle::join);
    }
}

impl Trail {
    /// Opens a file to append to; makes it if it is not there.
    ///
    /// # Errors
    /// The file cannot be opened, or there is no thread.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = appending(path)?;
        let (to, lines) = mpsc::channel();
        let thread =
            std::thread::Builder::new().name("trail".to_owned()).spawn(move || follow(file, &lines))?;
        Ok(Self(Arc::new(Follower { lines: Some(to), thread: Some(thread) })))
    }

    /// Appends a line, soon.
    pub fn append(&self, line: TrailLine) {
        // If its thread ended the disk is full, which the ledger tells.
        let _ended = self.0.lines.as_ref().map(|lines| lines.send(json(&line)));
    }
}

fn follow(file: File, lines: &mpsc::Receiver<String>) {
    let mut file = BufWriter::new(file);
    let mut flush_at = Instant::now() + TRAIL_FLUSH_EVERY;
    loop {
        let written = match lines.recv_timeout(flush_at.saturating_duration_since(Instant::now())) {
            Ok(line) => file.write_all(line.as_bytes()),
            Err(mpsc::RecvTimeoutError::Timeout) => {
                flush_at = Instant::now() + TRAIL_FLUSH_EVERY;
                file.flush()
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                // Nobody is left to be told.
                let _lost = file.flush();
                return;
            }
        };
        if written.is_err() {
            return;
        }
    }
}

fn appending(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

fn json(line: &impl Serialize) -> String {
    let mut text = serde_json::to_string(line).expect("numbers are JSON");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use game_sample_contracts::OreStack;

    #[test]
    fn what_was_appended_is_in_the_file_when_append_returns() {
        let path = std::env::temp_dir().join(format!("ledger-{}-{}.jsonl", std::process::id(), wall_ms()));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let ledger = Ledger::open(&path).unwrap();
        let goods = Goods { coins: 4, ore: vec![OreStack { hue: 60, amount: u64::MAX }] };
        let trade = TradeId { pilot: u64::MAX, number: 3 };
        let line = LedgerLine::now(u64::MAX, &Acknowledged::Traded(TradeAct::Offer, trade, goods));
        for number in 1..=3 {
            runtime.block_on(ledger.append(&line)).unwrap();
            let text = std::fs::read_to_string(&path).unwrap();
            let lines: Vec<LedgerLine> =
                text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            assert_eq!(lines, vec![line.clone(); number]);
        }
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn lines_of_older_bots_are_read_and_kinds_are_told_apart() {
        let read = |line: &str| serde_json::from_str::<LedgerLine>(line).unwrap();
        let old = read(r#"{"player":18446744073709551615,"crystal":9,"ore":1,"total":2,"ms":5}"#);
        let mined = MinedLine { player: u64::MAX, crystal: 9, ore: 1, total: 2, coins: 0, ms: 5 };
        assert_eq!(old, LedgerLine::Mined(mined));
        let line = r#"{"player":7,"trade":"accept","pilot":8,"number":3,"coins":2,"ore":[[60,1]],"ms":5}"#;
        let LedgerLine::Traded(traded) = read(line) else { panic!("it is a trade") };
        assert_eq!((traded.trade, traded.pilot, traded.number), (TradeAct::Accept, 8, 3));
        assert_eq!(serde_json::to_string(&LedgerLine::Traded(traded)).unwrap(), line);
    }

    #[test]
    fn a_trail_is_whole_when_it_is_dropped() {
        let path = std::env::temp_dir().join(format!("trail-{}-{}.jsonl", std::process::id(), wall_ms()));
        let trail = Trail::open(&path).unwrap();
        for number in 0..100 {
            trail.append(TrailLine { player: number, sector: 1, x: 0.5, y: -2.0, ms: 5, first: false });
        }
        drop(trail);
        let text = std::fs::read_to_string(&path).unwrap();
        let players: Vec<u64> =
            text.lines().map(|line| serde_json::from_str::<TrailLine>(line).unwrap().player).collect();
        assert_eq!(players, (0..100).collect::<Vec<_>>());
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn a_file_that_cannot_be_opened_is_an_error() {
        let path = Path::new("/nonexistent/ledger.jsonl");
        assert!(Ledger::open(path).is_err() && Trail::open(path).is_err());
    }
}
