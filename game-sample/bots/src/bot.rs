//! One bot: a client core with a brain. Knows no socket and no clock, so the simulator plays with the same bots.
//!
//! *Responsible for*: entering, steering by its [`Brain`], mining by its [`Miner`], trading by its [`Trader`], talking, noting what
//! happens to it in a [`Tally`].
//! *Not responsible for*: connections (the client core and its driver), what to want ([`crate::brain`]).
//!
//! ```text
//! client event ──► Bot::on_event          Bot::think, at next_thought ──► calls on the client
//! ```
//!
//! Invariants:
//! - I1: at most one `enter` waits for its answer.
//! - I2: controls go out at most once per [`THINK_EVERY`], and an unchanged one only each [`REPEAT_EVERY`]; in a crowd once for
//!   each state packet.

use std::time::Duration;

use game_sample_contracts::sector::{Said, Welcome};
use game_sample_contracts::{
    EnterRefused, Entered, Label, PilotContract, Pose, SectorContract, Steer, pilot,
};
use lightmoon_client::{Client, ClientOptions, ConnectionState, Event, Pending};
use lightmoon_contract::{CallError, Mono, NetId, Operation, Replicate};

use crate::brain::{Brain, Choice, Place, Sight, persona};
use crate::crowd::Crowd;
use crate::ledger::Acknowledged;
use crate::miner::{ANSWER_GRACE, Miner};
use crate::report::Tally;
use crate::trader::Trader;

/// Time between two choices: people do not steer faster either.
pub const THINK_EVERY: Duration = Duration::from_millis(100);
/// Unchanged controls are sent again after this, in case the last datagram was lost.
pub const REPEAT_EVERY: Duration = Duration::from_millis(500);
/// Wait before entering again after a refusal.
const ENTER_AGAIN: Duration = Duration::from_secs(1);
/// Requests remembered for [`Bot::take_asked`].
const ASKED_KEPT: usize = 16;
/// Controls that differ less than this are the same.
const SAME: f32 = 0.02;
/// A line not heard within this time was lost on the way.
const HEARING: Duration = Duration::from_secs(10);

/// An `enter` without an answer.
#[derive(Debug)]
enum Entering {
    /// Wherever the ship was last.
    Anywhere(Pending<pilot::Enter>),
    /// In the sector of a crowd.
    At(Pending<pilot::EnterAt>),
}

impl Entering {
    const fn request(&self) -> u64 {
        match self {
            Self::Anywhere(pending) => pending.request(),
            Self::At(pending) => pending.request(),
        }
    }

    fn reply(&self, client: &mut Client) -> Option<Result<Result<Entered, EnterRefused>, CallError>> {
        match self {
            Self::Anywhere(pending) => client.reply(pending),
            Self::At(pending) => client.reply(pending),
        }
    }
}

/// A bot.
#[derive(Debug)]
pub struct Bot {
    brain: Brain,
    name: String,
    hue: u16,
    next_thought: Mono,
    entering: Option<(Entering, Mono)>,
    enter_from: Mono,
    /// Counts arrivals in sectors.
    arrivals: u64,
    gates: Vec<Place>,
    half_size: f32,
    sent: Option<(Steer, Mono)>,
    said: Option<(&'static str, Mono)>,
    was_connected: bool,
    /// `None`: it does not mine.
    miner: Option<Miner>,
    /// `None`: it does not trade.
    trader: Option<Trader>,
    /// The sector of its crowd, and what it measures there; `None`: it is in none.
    crowd: Option<(u64, Crowd)>,
    /// It never enters.
    is_idle: bool,
    seed: u64,
    /// When its session ended, and when it had heard of its sector last, until it sees its ship again.
    lost_at: Option<(Mono, Mono)>,
    /// State packets so far, and when their count was last seen to grow.
    heard_of_sector: (u64, Mono),
    /// Requests since [`Bot::take_asked`], with the time by which they must be answered.
    asked: Vec<(u64, Mono)>,
}

impl Bot {
    /// The bot of this seed; it enters as soon as its client is connected.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let (name, hue) = persona(seed);
        Self {
            brain: Brain::new(seed),
            name,
            hue,
            next_thought: Mono::default(),
            entering: None,
            enter_from: Mono::default(),
            arrivals: 0,
            gates: Vec::new(),
            half_size: 0.0,
            sent: None,
            said: None,
            was_connected: false,
            miner: None,
            trader: None,
            crowd: None,
            is_idle: false,
            seed,
            lost_at: None,
            heard_of_sector: (0, Mono::default()),
            asked: Vec::new(),
        }
    }

    /// The same bot under another name.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The same bot, but one of so many goals is a gate; 1: it goes from gate to gate.
    #[must_use]
    pub fn with_gate_every(mut self, goals: u32) -> Self {
        self.brain = self.brain.with_gate_every(goals);
        self
    }

    /// The same bot, but it mines crystals.
    #[must_use]
    pub fn mining(mut self) -> Self {
        self.miner = Some(Miner::default());
        self
    }

    /// The same bot, but it mines crystals and trades with others.
    #[must_use]
    pub fn trading(mut self) -> Self {
        self.trader = Some(Trader::new(self.seed));
        self.mining()
    }

    /// The same bot, but it flies about in this sector among many others, says nothing, steers at every state packet and
    /// measures how it is served.
    #[must_use]
    pub fn in_crowd(mut self, sector: u64) -> Self {
        self.crowd = Some((sector, Crowd::default()));
        self
    }

    /// The same bot, but it only holds its session.
    #[must_use]
    pub fn idle(mut self) -> Self {
        self.is_idle = true;
        self
    }

    /// What a client of this bot is built from; see [`Self::client_options`].
    #[must_use]
    pub fn options_for(&self, token: &str) -> ClientOptions {
        let options = Self::client_options(token);
        if self.crowd.is_some() { options.state_events() } else { options }
    }

    /// Whether it trades, or did.
    #[must_use]
    pub const fn is_trader(&self) -> bool {
        self.trader.is_some()
    }

    /// From now on it begins no trade and answers none.
    pub fn rest_from_trading(&mut self) {
        if let Some(trader) = &mut self.trader {
            trader.rest();
        }
    }

    /// What was acknowledged since this was called last.
    pub fn take_acknowledged(&mut self) -> Vec<Acknowledged> {
        let mined = self.miner.as_mut().map(Miner::take_acknowledged).unwrap_or_default();
        let traded = self.trader.as_mut().map(Trader::take_acknowledged).unwrap_or_default();
        mined.into_iter().map(Acknowledged::Mined).chain(traded).collect()
    }

    /// Key of the sector that its client shows, and where its ship is there.
    #[must_use]
    pub fn place(client: &Client) -> Option<(u64, Pose)> {
        let attached = client.attached()?;
        Some((attached.zone.key, client.view().entity(attached.avatar)?.get()?))
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The requests made since this was called last, by number, each with the time by which an answer must be there.
    pub fn take_asked(&mut self) -> Vec<(u64, Mono)> {
        std::mem::take(&mut self.asked)
    }

    /// What a client of the sample game is built from. Equal tokens are the same pilot.
    ///
    /// # Panics
    /// Never: the sample's components fit together.
    #[must_use]
    pub fn client_options(token: &str) -> ClientOptions {
        ClientOptions::new(game_sample_contracts::descriptor(), &[Pose::SPEC, Label::SPEC])
            .expect("the components of the sample have different numbers")
            .token(token.as_bytes().to_vec())
    }

    /// When [`Bot::think`] wants to be called.
    #[must_use]
    pub const fn next_thought(&self) -> Mono {
        self.next_thought
    }

    /// Takes note of something that happened to its client.
    pub fn on_event(&mut self, now: Mono, event: &Event, client: &mut Client, tally: &mut Tally) {
        if let Some(Welcome { sector }) = event.push::<Welcome>() {
            self.half_size = sector.half_size;
            self.gates = sector.gates.iter().map(|gate| Place { x: gate.x, y: gate.y, yaw: 0.0 }).collect();
        } else if let Some(said) = event.push::<Said>() {
            self.heard(now, &said, tally);
        }
        if let Some(trader) = &mut self.trader {
            trader.on_event(now, event, tally);
        }
        match event {
            Event::Connected(_) => self.connected(now, tally),
            Event::Resuming(closing) => {
                tally.disconnects += 1;
                self.lost_at.get_or_insert((now, self.heard_of_sector.1));
                tally.error(format!("session ended: {} ({:?})", closing.reason, closing.code));
            }
            Event::Lost(closing) => tally.error(format!("lost: {} ({:?})", closing.reason, closing.code)),
            Event::Attached(_) => {
                tally.attaches += 1;
                self.arrivals += 1;
                self.sent = None;
                if let Some((_, crowd)) = &mut self.crowd {
                    crowd.begins_anew();
                }
            }
            Event::State(_) => self.on_state(now, client, tally),
            Event::Answered { request } => self.answered(now, *request, client, tally),
            Event::Detached | Event::View(_) | Event::Push(_) => {}
            // Events of a newer client tell a bot nothing it needs.
            _ => {}
        }
        if let Some((lost_at, heard_at)) = self.lost_at.take_if(|_| Self::place(client).is_some()) {
            tally.back(now.since(lost_at), now.since(heard_at));
        }
    }

    fn on_state(&mut self, now: Mono, client: &Client, tally: &mut Tally) {
        let Some((_, crowd)) = &mut self.crowd else { return };
        let Some(avatar) = client.attached().map(|attached| attached.avatar) else { return };
        crowd.on_state(now, avatar, client, tally);
        // It answers each packet: that is the moment at which a client has something new to go by.
        self.next_thought = now;
    }

    fn connected(&mut self, now: Mono, tally: &mut Tally) {
        tally.connects += 1;
        tally.reconnects += u64::from(self.was_connected);
        self.was_connected = true;
        self.enter_from = now;
        self.next_thought = now;
    }

    fn answered(&mut self, now: Mono, request: u64, client: &mut Client, tally: &mut Tally) {
        if self.miner.as_mut().is_some_and(|miner| miner.answered(now, request, client, tally)) {
            return;
        }
        if self.trader.as_mut().is_some_and(|trader| trader.answered(now, request, client, tally)) {
            return;
        }
        let Some((pending, since)) = self.entering.take_if(|(pending, _)| pending.request() == request)
        else {
            return;
        };
        match pending.reply(client) {
            Some(Ok(Ok(_))) => tally.done("enter", now.since(since)),
            Some(Ok(Err(refused))) => {
                tally.failed("enter", &format!("{refused:?}"));
                self.enter_from = now + ENTER_AGAIN;
            }
            Some(Err(error)) => {
                tally.failed("enter", &error);
                self.enter_from = now + ENTER_AGAIN;
            }
            None => tally.failed("enter", &"the answer was gone"),
        }
    }

    fn heard(&mut self, now: Mono, said: &Said, tally: &mut Tally) {
        if let Some((_, since)) = self.said.take_if(|(text, _)| said.name == self.name && said.text == *text)
        {
            tally.done("say", now.since(since));
        }
    }

    /// Chooses what to do next and does it.
    pub fn think(&mut self, now: Mono, client: &mut Client, tally: &mut Tally) {
        if now < self.next_thought {
            return;
        }
        self.next_thought = now + THINK_EVERY;
        let packets = client.stats().states;
        if packets > self.heard_of_sector.0 {
            self.heard_of_sector = (packets, now);
        }
        if self.is_idle || *client.state() != ConnectionState::Connected {
            return;
        }
        let Some(avatar) = client.attached().map(|attached| attached.avatar) else {
            self.enter(now, client, tally);
            return;
        };
        let Some(pose) = client.view().entity(avatar).and_then(|ship| ship.get::<Pose>()) else {
            return;
        };
        let target = self.mine(now, pose, client, tally);
        self.trade(now, avatar, client, tally);
        let sight = Sight {
            me: Place { x: pose.x, y: pose.y, yaw: pose.yaw },
            sector: self.arrivals,
            half_size: self.half_size,
            gates: &self.gates,
            target,
        };
        let choice = self.brain.choose(now, &sight);
        self.act(now, choice, client, tally);
    }

    fn enter(&mut self, now: Mono, client: &mut Client, tally: &mut Tally) {
        if self.entering.is_none() && now >= self.enter_from {
            tally.sent("enter");
            let mut me = client.me::<PilotContract>();
            let pending = match &self.crowd {
                Some((sector, _)) => Entering::At(me.enter_at(self.name.clone(), self.hue, *sector)),
                None => Entering::Anywhere(me.enter(self.name.clone(), self.hue)),
            };
            let patience = Duration::from_millis(pilot::Enter::SPEC.timeout_ms.into()) + ANSWER_GRACE;
            self.note_asked(pending.request(), now + patience);
            self.entering = Some((pending, now));
        }
    }

    fn note_asked(&mut self, request: u64, answered_by: Mono) {
        // Nobody may look at them; then the last few are enough.
        self.asked.truncate(ASKED_KEPT - 1);
        self.asked.push((request, answered_by));
    }

    /// Mines if it is a miner; where it wants to fly for that.
    fn mine(&mut self, now: Mono, from: Pose, client: &mut Client, tally: &mut Tally) -> Option<(f32, f32)> {
        let miner = self.miner.as_mut()?;
        let nearest = miner.nearest(client, from);
        if let Some((request, answered_by)) = miner.ask(now, nearest, client, tally) {
            self.note_asked(request, answered_by);
        }
        nearest.map(|sighted| (sighted.x, sighted.y))
    }

    /// Trades if it is a trader.
    fn trade(&mut self, now: Mono, avatar: NetId, client: &mut Client, tally: &mut Tally) {
        let Some(trader) = &mut self.trader else { return };
        if let Some((request, answered_by)) = trader.ask(now, avatar, client, tally) {
            self.note_asked(request, answered_by);
        }
    }

    fn act(&mut self, now: Mono, mut choice: Choice, client: &mut Client, tally: &mut Tally) {
        if let Some((_, crowd)) = &mut self.crowd {
            choice = Choice { steer: crowd.controls(now, choice.steer, tally), say: None };
        }
        let due = self.crowd.is_some()
            || self
                .sent
                .is_none_or(|(sent, at)| !is_same(sent, choice.steer) || now.since(at) >= REPEAT_EVERY);
        if due {
            self.sent = Some((choice.steer, now));
            let told = client.zone::<SectorContract>().steer(choice.steer);
            note("steer", told, tally);
        }
        if self.said.take_if(|(_, since)| now.since(*since) > HEARING).is_some() {
            tally.failed("say", &"not heard by its own speaker");
        }
        if let Some(text) = choice.say.filter(|_| self.said.is_none()) {
            let told = client.zone::<SectorContract>().say(text.to_owned());
            self.said = told.is_ok().then_some((text, now));
            note("say", told, tally);
        }
    }
}

fn note(kind: &'static str, told: Result<(), CallError>, tally: &mut Tally) {
    match told {
        Ok(()) => tally.sent(kind),
        Err(error) => tally.failed(kind, &error),
    }
}

fn is_same(one: Steer, other: Steer) -> bool {
    (one.thrust - other.thrust).abs() < SAME
        && (one.turn - other.turn).abs() < SAME
        && one.boost == other.boost
}
