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

use game_sample_contracts::Mined;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

/// Lines that wait for one sync, at most: all bots of a run.
const GROUP_MAX: usize = 5_000;
/// Trail lines are handed to the system at least this often.
const TRAIL_FLUSH_EVERY: Duration = Duration::from_millis(500);

/// An acknowledged `mine`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LedgerLine {
    /// Key of the player.
    pub player: u64,
    /// The crystal's id.
    pub crystal: u64,
    /// Ore that was in it.
    pub ore: u32,
    /// The player's ore after it.
    pub total: u64,
    /// Milliseconds since 1970 at which the answer was there.
    pub ms: u64,
}

impl LedgerLine {
    /// What was acknowledged to a player now.
    #[must_use]
    pub fn now(player: u64, mined: &Mined) -> Self {
        Self { player, crystal: mined.crystal.0, ore: mined.ore, total: mined.total, ms: wall_ms() }
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
    pub async fn append(&self, line: LedgerLine) -> io::Result<()> {
        let (done, wait) = oneshot::channel();
        let ended = || io::Error::other("the thread of the ledger has ended");
        self.0.send((json(&line), done)).map_err(|_| ended())?;
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

    #[test]
    fn what_was_appended_is_in_the_file_when_append_returns() {
        let path = std::env::temp_dir().join(format!("ledger-{}-{}.jsonl", std::process::id(), wall_ms()));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let ledger = Ledger::open(&path).unwrap();
        let line = LedgerLine { player: u64::MAX, crystal: 7, ore: 3, total: 12, ms: 5 };
        for number in 1..=3 {
            runtime.block_on(ledger.append(line)).unwrap();
            let text = std::fs::read_to_string(&path).unwrap();
            let lines: Vec<LedgerLine> =
                text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            assert_eq!(lines, vec![line; number]);
        }
        std::fs::remove_file(&path).unwrap();
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
