//! Honest bots: they play on a thread of their own, and measure how the server answers.
//!
//! *Responsible for*: bots that fly and ask, the times of their answers, those who come anew. *Not responsible for*: what a bot does
//! (`game_sample_bots`), judging.

use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use game_sample_bots::report::Tally;
use game_sample_bots::{Bot, Location};
use game_sample_contracts::{PilotContract, pilot};
use lightmoon_client::{ConnectOptions, Endpoint, Event, Pending, Session};
use tokio::sync::watch;
use tokio::task::{JoinSet, LocalSet};
use tokio::time::timeout;

use crate::limits::{ASK_EVERY, BEGIN_WITHIN, LOOK_EVERY};

/// What honest bots saw since this was taken last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// Times from question to answer.
    pub(crate) answers_us: Vec<u64>,
    /// Questions that were refused or got no answer.
    pub(crate) failed: u64,
    /// Sessions that ended or broke.
    pub(crate) broken: u64,
}

impl Seen {
    /// Adds what was seen later.
    pub(crate) fn add(&mut self, later: Self) {
        self.answers_us.extend(later.answers_us);
        self.failed += later.failed;
        self.broken += later.broken;
    }

    /// The answer that so many of a hundred are quicker than.
    pub(crate) fn percentile_us(&self, percent: usize) -> u64 {
        let mut sorted = self.answers_us.clone();
        sorted.sort_unstable();
        let at = sorted.len() * percent / 100;
        sorted.get(at).copied().or_else(|| sorted.last().copied()).unwrap_or(0)
    }
}

#[derive(Debug, Default)]
struct Board {
    seen: Mutex<Seen>,
    in_play: Mutex<usize>,
}

impl Board {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().expect("nothing panics while it is held")
    }
}

/// Bots at play.
#[derive(Debug)]
pub(crate) struct Honest {
    board: Arc<Board>,
    stop: watch::Sender<bool>,
    thread: JoinHandle<Result<()>>,
}

impl Honest {
    /// Starts so many and waits until all are in play.
    pub(crate) fn start(location: &Location, count: usize, seed: u64) -> Result<Self> {
        let (board, stop) = (Arc::new(Board::default()), watch::Sender::new(false));
        let (shared, stopped, location) = (Arc::clone(&board), stop.subscribe(), location.clone());
        let thread = std::thread::Builder::new()
            .name("honest".to_owned())
            .spawn(move || play(&location, count, seed, &shared, &stopped))
            .context("no thread for the bots")?;
        let honest = Self { board, stop, thread };
        let began = Instant::now();
        while *honest.board.in_play.lock().expect("nothing panics while it is held") < count {
            if began.elapsed() > BEGIN_WITHIN || honest.thread.is_finished() {
                bail!("not all of {count} bots were in play within {BEGIN_WITHIN:?}");
            }
            std::thread::sleep(LOOK_EVERY);
        }
        honest.take();
        Ok(honest)
    }

    /// What they saw since the last time.
    pub(crate) fn take(&self) -> Seen {
        std::mem::take(&mut *self.board.seen())
    }

    /// Ends them in order.
    pub(crate) fn stop(self) -> Result<()> {
        self.stop.send_replace(true);
        self.thread.join().map_err(|_| anyhow::anyhow!("the bots panicked"))?
    }
}

fn play(
    location: &Location,
    count: usize,
    seed: u64,
    board: &Arc<Board>,
    stopped: &watch::Receiver<bool>,
) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, async {
        let endpoint = Endpoint::new()?;
        let mut bots = JoinSet::new();
        for number in 0..count {
            let session =
                Session::new(&endpoint, options(location, &format!("honest-{seed}-{number}"), seed));
            let (board, mut stopped) = (Arc::clone(board), stopped.clone());
            let bot = Bot::new(seed ^ u64::try_from(number).unwrap_or(0) << 32);
            bots.spawn_local(async move {
                let mut session = session;
                tokio::select! {
                    () = fly(&mut session, bot, &board) => {}
                    _ = stopped.wait_for(|stopped| *stopped) => {}
                }
                session.close("the bot has played enough").await;
            });
        }
        while let Some(ended) = bots.join_next().await {
            ended.context("a bot panicked")?;
        }
        endpoint.wait_idle().await;
        Ok(())
    })
}

fn options(location: &Location, token: &str, seed: u64) -> ConnectOptions {
    ConnectOptions {
        server: location.game.to_string(),
        certificates: location.certificates.clone(),
        client: Bot::client_options(token),
        seed,
    }
}

/// Plays and asks until the session is lost for good.
async fn fly(session: &mut Session, mut bot: Bot, board: &Board) {
    let mut tally = Tally::default();
    let mut asked: Option<(Pending<pilot::Trades>, Instant)> = None;
    let (mut next_ask, mut is_in_play) = (Instant::now() + ASK_EVERY, false);
    loop {
        let now = session.now();
        bot.think(now, session.client(), &mut tally);
        if is_in_play && asked.is_none() && Instant::now() >= next_ask {
            next_ask = Instant::now() + ASK_EVERY;
            asked = Some((session.client().me::<PilotContract>().trades(), Instant::now()));
        }
        let wait = bot.next_thought().since(now).min(ASK_EVERY / 2);
        let Ok(event) = timeout(wait, session.next_event()).await else { continue };
        let Some(event) = event else {
            board.seen().broken += 1;
            return;
        };
        if matches!(event, Event::Resuming(_) | Event::Lost(_)) && is_in_play {
            board.seen().broken += 1;
        }
        if matches!(event, Event::Attached(_)) && !std::mem::replace(&mut is_in_play, true) {
            *board.in_play.lock().expect("nothing panics while it is held") += 1;
        }
        let now = session.now();
        bot.on_event(now, &event, session.client(), &mut tally);
        if let Some((pending, since)) = &asked
            && let Some(reply) = session.client().reply(pending)
        {
            let micros = u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX);
            let mut seen = board.seen();
            match reply {
                Ok(_) => seen.answers_us.push(micros),
                Err(_) => seen.failed += 1,
            }
            asked = None;
        }
    }
}

/// Somebody comes who was not there before; how long it takes until it sees its ship's sector.
pub(crate) fn newcomer(location: &Location, name: &str, within: Duration) -> Option<Duration> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    runtime.block_on(come(location, name, within))
}

async fn come(location: &Location, name: &str, within: Duration) -> Option<Duration> {
    let endpoint = Endpoint::new().ok()?;
    let began = Instant::now();
    let mut session = Session::new(&endpoint, options(location, name, fastrand::u64(..)));
    let mut bot = Bot::new(fastrand::u64(..));
    let mut tally = Tally::default();
    let arrived = timeout(within, async {
        loop {
            let now = session.now();
            bot.think(now, session.client(), &mut tally);
            let wait = bot.next_thought().since(now).max(LOOK_EVERY);
            let Ok(event) = timeout(wait, session.next_event()).await else { continue };
            let event = event?;
            let now = session.now();
            bot.on_event(now, &event, session.client(), &mut tally);
            if matches!(event, Event::Attached(_)) {
                return Some(began.elapsed());
            }
        }
    });
    let took = arrived.await.ok().flatten();
    session.close("it only looked in").await;
    took
}
