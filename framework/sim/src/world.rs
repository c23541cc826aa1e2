//! A node and its clients in one thread, from one seed, in virtual time.
//!
//! *Responsible for*: the clock, the links between node and clients, faults, the order in which everything takes its turn,
//! the trace hash. *Not responsible for*: what players do ([`Player`]), judging ([`crate::checker`]).
//!
//! ```text
//! step: the next moment at which anything is due ─► arrivals ─► node.turn ─► clients: ticks, events, thoughts ─► transmits
//! ```
//!
//! Invariants:
//! - I1: one seed, one game, one player kind and one list of faults give one trace, byte for byte.
//! - I2: time moves only when nothing is due any more.
//! - I3: a paused node takes no turn; what arrives for it waits in its socket.
//! - I4: new connections reach the newest node; one that was replaced keeps those that it has.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use lightmoon_client::{Action, Client, ClientOptions, Event};
use lightmoon_contract::{ActorId, Mono, Tick};
use lightmoon_node::{Game, Input, LinkId, Node, NodeOptions, Output, Transport};
use xxhash_rust::xxh3::Xxh3;

use crate::checker::ClientNumber;
use crate::host::Host;
use crate::limits::{CLIENTS_MAX, STEPS_PER_MOMENT_MAX};
use crate::link::{Arrival, End, Link, LinkOptions};
use crate::store::{SimStore, StoreOptions};
use crate::truth::History;

/// Who sits before a client: a bot, or a script of a test.
pub trait Player {
    /// Something happened to the client.
    fn on_event(&mut self, now: Mono, event: &Event, client: &mut Client);

    /// It is time that [`Player::next_thought`] gave.
    fn think(&mut self, now: Mono, client: &mut Client);

    /// When to think next; `None`: only events make it act.
    fn next_thought(&self) -> Option<Mono>;

    /// The requests made since this was called last, by number, each with the time by which it must be answered.
    fn asked(&mut self) -> Vec<(u64, Mono)> {
        Vec::new()
    }
}

/// Something about a request of a client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CallNews {
    /// It was made, and must be answered by then.
    Asked(u64, Mono),
    /// Its answer came.
    Answered(u64),
}

/// One client with its player.
struct Seat<P> {
    client: Client,
    player: P,
    link: Option<LinkId>,
    /// When the connection under way is up.
    dialling: Option<Mono>,
    /// Something arrived since [`World::take_heard`] was called last.
    heard: bool,
}

/// Workers of each node of a world. Drawn apart from everything else, so that worlds with one are what they always were.
const fn workers(seed: u64, wanted: u16) -> u16 {
    match wanted {
        0 if seed % 3 == 1 => 3,
        0 => 1,
        wanted => wanted,
    }
}

/// Keeps the store's chance apart from that of links and nodes.
const STORE_SEED: u64 = 0x0073_746F_7265;

/// A simulated world.
pub struct World<P> {
    game: fn() -> Game,
    seeds: fastrand::Rng,
    now: Mono,
    /// The node that clients reach.
    host: Host,
    /// Those that it replaced and that do not know it yet, oldest first.
    former: Vec<Host>,
    lives: u64,
    outputs: Vec<Output>,
    store: SimStore,
    node_options: NodeOptions,
    link_options: LinkOptions,
    links: BTreeMap<LinkId, Connection>,
    links_ever: u64,
    seats: Vec<Seat<P>>,
    trace: Xxh3,
    history: History,
    zone_ticks: BTreeMap<ActorId, Tick>,
    call_news: Vec<(ClientNumber, CallNews)>,
    /// Turns of the node so far.
    turns: u64,
}

/// A connection between a client and one life of the node.
struct Connection {
    link: Link,
    client: ClientNumber,
    life: u64,
}

impl<P: Player> World<P> {
    /// A node that runs `game`, without clients, at one second of boot time.
    ///
    /// # Errors
    /// The game's definition does not fit together.
    pub fn new(
        game: fn() -> Game,
        seed: u64,
        link_options: LinkOptions,
    ) -> Result<Self, lightmoon_node::Error> {
        Self::with(game, seed, link_options, NodeOptions::default())
    }

    /// As [`Self::new`], with other options of the node. Where these leave the number of workers open, the seed decides: two in
    /// three worlds have one, the others have three.
    ///
    /// # Errors
    /// The game's definition does not fit together.
    pub fn with(
        game: fn() -> Game,
        seed: u64,
        link_options: LinkOptions,
        node_options: NodeOptions,
    ) -> Result<Self, lightmoon_node::Error> {
        let mut seeds = fastrand::Rng::with_seed(seed);
        let now = Mono::from_millis(1_000);
        let node_options = NodeOptions { workers: workers(seed, node_options.workers), ..node_options };
        let node = Node::new(game(), node_options, seeds.u64(..), now)?;
        Ok(Self {
            game,
            seeds,
            now,
            host: Host::new(0, node, now),
            former: Vec::new(),
            lives: 0,
            outputs: Vec::new(),
            store: SimStore::new(seed ^ STORE_SEED),
            node_options,
            link_options,
            links: BTreeMap::new(),
            links_ever: 0,
            seats: Vec::new(),
            trace: Xxh3::new(),
            history: History::default(),
            zone_ticks: BTreeMap::new(),
            call_news: Vec::new(),
            turns: 0,
        })
    }

    /// Seats a player before a new client, which begins to connect.
    ///
    /// # Panics
    /// There are [`CLIENTS_MAX`] clients.
    pub fn join(&mut self, options: ClientOptions, player: P) -> ClientNumber {
        let number = u32::try_from(self.seats.len()).ok().filter(|number| *number < CLIENTS_MAX);
        let number = ClientNumber(number.expect("a world has room for a thousand clients"));
        let client = Client::new(options, self.seeds.u64(..));
        self.seats.push(Seat { client, player, link: None, dialling: None, heard: true });
        self.act(number);
        number
    }

    /// The time.
    pub const fn now(&self) -> Mono {
        self.now
    }

    /// The node, to look at.
    pub const fn node(&self) -> &Node {
        &self.host.node
    }

    /// All clients with their players, in order of their numbers.
    pub fn clients(&self) -> impl Iterator<Item = (ClientNumber, &Client, &P)> {
        (0..).map(ClientNumber).zip(&self.seats).map(|(number, seat)| (number, &seat.client, &seat.player))
    }

    /// What was in each zone after each tick.
    pub const fn history(&self) -> &History {
        &self.history
    }

    /// Turns of the node so far.
    pub const fn turns(&self) -> u64 {
        self.turns
    }

    /// The clients to which something arrived since this was called last.
    pub fn take_heard(&mut self) -> Vec<ClientNumber> {
        let numbers = (0..).map(ClientNumber).zip(&mut self.seats);
        numbers.filter_map(|(number, seat)| std::mem::take(&mut seat.heard).then_some(number)).collect()
    }

    /// What became of requests since this was called last.
    pub fn take_call_news(&mut self) -> Vec<(ClientNumber, CallNews)> {
        std::mem::take(&mut self.call_news)
    }

    /// A client.
    ///
    /// # Panics
    /// There is no such client.
    pub fn client(&self, client: ClientNumber) -> &Client {
        &self.seats[client.0 as usize].client
    }

    /// The player before this client.
    ///
    /// # Panics
    /// There is no such client.
    pub fn player_mut(&mut self, client: ClientNumber) -> &mut P {
        &mut self.seats[client.0 as usize].player
    }

    /// Changes what the network is like from now on, for open connections and new ones.
    pub fn set_links(&mut self, options: LinkOptions) {
        self.link_options = options;
        self.links.values_mut().for_each(|connection| connection.link.set_options(options));
    }

    /// Cuts the connection of a client, if it has one.
    pub fn cut(&mut self, client: ClientNumber) {
        let link = self.seats[client.0 as usize].link.and_then(|link| self.links.get_mut(&link));
        if let Some(connection) = link {
            connection.link.kill(self.now);
        }
    }

    /// The node takes no turn for this long.
    pub fn pause(&mut self, length: Duration) {
        self.host.paused_until = Some(self.now + length);
    }

    /// Whether the node takes no turn now.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.host.paused_until.is_some_and(|until| until > self.now)
    }

    /// The node is gone at once, with everything in it, and another one begins in its place.
    ///
    /// # Panics
    /// The game's definition does not fit together, although it did when the world was made.
    pub fn restart(&mut self) {
        let gone = self.begin_life();
        self.bury(&gone);
    }

    /// Another node begins in place of the node, which does not know that and goes on for this long: with its clients, its
    /// connections and its requests to the same store. It ends earlier if it finds that it is fenced.
    ///
    /// # Panics
    /// As [`Self::restart`].
    pub fn replace(&mut self, length: Duration) {
        let mut former = self.begin_life();
        former.ends_at = Some(self.now + length);
        self.former.push(former);
    }

    /// Whether a node that was replaced still goes on.
    pub const fn has_former(&self) -> bool {
        !self.former.is_empty()
    }

    /// Whether a client is still connected to a node that was replaced, or does not know yet that it is gone.
    ///
    /// # Panics
    /// There is no such client.
    pub fn hears_former(&self, client: ClientNumber) -> bool {
        let link = self.seats[client.0 as usize].link.and_then(|link| self.links.get(&link));
        link.is_some_and(|connection| connection.life != self.host.life)
    }

    /// Starts a node; gives the one before.
    fn begin_life(&mut self) -> Host {
        let seed = self.seeds.u64(..);
        let node = Node::new((self.game)(), self.node_options, seed, self.now)
            .expect("the game's definition was good before");
        self.history.clear();
        self.zone_ticks.clear();
        self.lives += 1;
        std::mem::replace(&mut self.host, Host::new(self.lives, node, self.now))
    }

    /// A node is gone: its connections end, and what it asked of the store has happened or not.
    fn bury(&mut self, host: &Host) {
        self.hang_up(host.life);
        self.store.crash(host.life);
    }

    fn hang_up(&mut self, life: u64) {
        for connection in self.links.values_mut().filter(|connection| connection.life == life) {
            connection.link.kill(self.now);
        }
    }

    /// Changes what the store is like from now on.
    pub const fn set_store(&mut self, options: StoreOptions) {
        self.store.set_options(options);
    }

    /// Nothing reaches the store for this long.
    pub fn store_down(&mut self, length: Duration) {
        self.store.go_down(self.now + length);
    }

    /// The store, for auditors.
    pub const fn store(&mut self) -> &mut SimStore {
        &mut self.store
    }

    /// Asks the node to send a dead letter again: one of [`Node::dead_letters`], by its sender and number.
    pub fn replay(&mut self, from: ActorId, number: u64) {
        self.host.inputs.push(Input::Replay { from, number });
    }

    /// Asks the node to stop in order; [`Self::has_stopped`] says when it has.
    pub fn stop(&mut self) {
        self.host.inputs.push(Input::Stop { reason: "the trial is over".to_owned() });
    }

    /// Whether the node has stopped in order.
    pub const fn has_stopped(&self) -> bool {
        self.host.has_stopped
    }

    /// Whether the node found that a newer one owns the store.
    pub const fn is_fenced(&self) -> bool {
        self.host.is_fenced
    }

    /// The hash of what is in all zones.
    pub fn state_hash(&self) -> u64 {
        let mut hash = Xxh3::new();
        for (zone, tick, entities) in self.history.zones() {
            hash.update(format!("{zone} {tick}").as_bytes());
            for (net, look) in entities {
                hash.update(format!("{net} {look:?}").as_bytes());
            }
        }
        hash.digest()
    }

    /// The hash of everything that happened so far: what arrived where and when, and what clients were told.
    pub fn trace_hash(&self) -> u64 {
        self.trace.digest()
    }

    /// Runs until `until`, and calls `check` after each moment at which something happened.
    ///
    /// # Errors
    /// The first that `check` finds; the world stays at that moment.
    ///
    /// # Panics
    /// The world does not come to rest within one moment: a loop without time between node and clients.
    pub fn run_until<E>(
        &mut self,
        until: Mono,
        mut check: impl FnMut(&mut Self) -> Result<(), E>,
    ) -> Result<(), E> {
        while let Some(next) = self.next_due().filter(|next| *next <= until) {
            self.now = self.now.max(next);
            let mut steps = 0;
            while self.next_due().is_some_and(|next| next <= self.now) {
                self.step();
                steps += 1;
                assert!(steps < STEPS_PER_MOMENT_MAX, "the world does not rest at {} ns", self.now.0);
            }
            check(self)?;
        }
        self.now = self.now.max(until);
        Ok(())
    }

    fn next_due(&self) -> Option<Mono> {
        let hosts = self.former.iter().chain([&self.host]).filter_map(Host::next_due);
        let links = self.links.values().filter_map(|connection| connection.link.next_arrival());
        let seats = self.seats.iter().flat_map(|seat| {
            [seat.client.next_deadline(), seat.player.next_thought(), seat.dialling].into_iter().flatten()
        });
        hosts.chain(links).chain(seats).chain(self.store.next_due()).min()
    }

    /// Everything that is due now, once.
    fn step(&mut self) {
        self.arrivals();
        self.store_answers();
        self.node_turns();
        for number in (0..).map(ClientNumber).take(self.seats.len()) {
            self.client_turn(number);
        }
        self.links.retain(|_, connection| !connection.link.has_ended());
    }

    fn arrivals(&mut self) {
        let now = self.now;
        for (id, Connection { link, client, life }) in &mut self.links {
            let seat = &mut self.seats[client.0 as usize];
            while let Some((end, arrival)) = link.deliver(now) {
                note(&mut self.trace, now, *id, end, &arrival);
                match end {
                    End::Node => {
                        put_in(of_life(&mut self.former, &mut self.host, *life), input(*id, arrival));
                    }
                    // A client hears of its newest connection only.
                    End::Client if seat.link == Some(*id) => {
                        seat.heard = true;
                        hear(now, seat, arrival);
                    }
                    End::Client => {}
                }
            }
        }
    }

    fn store_answers(&mut self) {
        while let Some(((life, ticket), outcome)) = self.store.poll(self.now) {
            self.trace.update(&life.to_le_bytes());
            self.trace.update(&ticket.0.to_le_bytes());
            let host = of_life(&mut self.former, &mut self.host, life);
            put_in(host, Input::Stored { ticket, outcome });
        }
    }

    fn node_turns(&mut self) {
        for mut host in std::mem::take(&mut self.former) {
            if host.turn(self.now, &mut self.seeds, &mut self.outputs) {
                self.carry_out(host.life);
            }
            if host.is_over(self.now) {
                self.bury(&host);
            } else {
                self.former.push(host);
            }
        }
        if self.host.turn(self.now, &mut self.seeds, &mut self.outputs) {
            self.turns += 1;
            let life = self.host.life;
            self.carry_out(life);
            self.note_ticks();
            if self.host.is_fenced {
                self.hang_up(life);
            }
        }
    }

    /// Does what the node of this life wants done outside.
    fn carry_out(&mut self, life: u64) {
        for output in self.outputs.drain(..) {
            match output {
                Output::Transmit { link, transmit } => {
                    if let Some(connection) = self.links.get_mut(&link) {
                        connection.link.send(self.now, End::Node, transmit);
                    }
                }
                Output::Store { ticket, request } => self.store.submit(self.now, (life, ticket), request),
                // The host keeps these.
                Output::Encode(_) | Output::Fenced { .. } | Output::Operated { .. } | Output::Stopped => {}
            }
        }
    }

    /// Notes what is in the zones, if one of them ticked.
    fn note_ticks(&mut self) {
        let ticks: BTreeMap<ActorId, Tick> =
            self.host.node.report().zones.into_iter().map(|(zone, report)| (zone, report.tick)).collect();
        if ticks == self.zone_ticks {
            return;
        }
        for (zone, look) in self.host.node.looks() {
            if self.zone_ticks.get(&zone) != Some(&look.tick) {
                self.history.note(self.now, zone, look);
            }
        }
        self.zone_ticks = ticks;
    }

    fn client_turn(&mut self, number: ClientNumber) {
        let now = self.now;
        let seat = &mut self.seats[number.0 as usize];
        if seat.dialling.take_if(|at| *at <= now).is_some() {
            self.connect(number);
        }
        let seat = &mut self.seats[number.0 as usize];
        if seat.client.next_deadline().is_some_and(|at| at <= now) {
            seat.client.tick(now);
        }
        while let Some(event) = seat.client.poll_event() {
            self.trace.update(format!("{number} {event:?}").as_bytes());
            if let Event::Answered { request } = event {
                self.call_news.push((number, CallNews::Answered(request)));
            }
            seat.player.on_event(now, &event, &mut seat.client);
        }
        if seat.player.next_thought().is_some_and(|at| at <= now) {
            seat.player.think(now, &mut seat.client);
        }
        self.act(number);
    }

    /// Does what a client wants done.
    fn act(&mut self, number: ClientNumber) {
        let seat = &mut self.seats[number.0 as usize];
        let asked = seat.player.asked().into_iter();
        self.call_news.extend(asked.map(|(call, until)| (number, CallNews::Asked(call, until))));
        while let Some(action) = seat.client.poll_transmit() {
            match action {
                Action::Connect { .. } => {
                    // The old connection is forgotten; the node learns of that as of any lost one.
                    if let Some(old) = seat.link.take().and_then(|link| self.links.get_mut(&link)) {
                        old.link.kill(self.now);
                    }
                    // A QUIC handshake takes a round trip, and what it loses another one.
                    let lost = u32::from(self.seeds.f64() < self.link_options.loss);
                    seat.dialling = Some(self.now + self.link_options.latency * (2 + 4 * lost));
                }
                Action::Transmit(transmit) => {
                    if let Some(connection) = seat.link.and_then(|link| self.links.get_mut(&link)) {
                        connection.link.send(self.now, End::Client, transmit);
                    }
                }
            }
        }
    }

    /// A connection is up at both ends.
    fn connect(&mut self, number: ClientNumber) {
        self.links_ever += 1;
        let id = LinkId(self.links_ever);
        let link = Link::new(self.link_options, self.seeds.u64(..));
        self.links.insert(id, Connection { link, client: number, life: self.host.life });
        let remote = format!("simulated {number}");
        self.host.inputs.push(Input::Opened { link: id, remote, transport: Transport::Native });
        let seat = &mut self.seats[number.0 as usize];
        seat.link = Some(id);
        seat.client.on_connected(self.now);
    }
}

/// The node of this life, if it is not gone.
fn of_life<'a>(former: &'a mut [Host], host: &'a mut Host, life: u64) -> Option<&'a mut Host> {
    former.iter_mut().chain([host]).find(|host| host.life == life)
}

/// What comes for a node that is gone is lost.
fn put_in(host: Option<&mut Host>, input: Input) {
    if let Some(host) = host {
        host.inputs.push(input);
    }
}

fn input(link: LinkId, arrival: Arrival) -> Input {
    match arrival {
        Arrival::Stream { stream, bytes } => Input::Stream { link, stream, bytes },
        Arrival::Datagram(bytes) => Input::Datagram { link, bytes },
        Arrival::Closed { code } => Input::Closed { link, peer: code.map(|(code, _)| code) },
    }
}

fn hear<P>(now: Mono, seat: &mut Seat<P>, arrival: Arrival) {
    match arrival {
        Arrival::Stream { stream, bytes } => seat.client.on_stream(now, stream, &bytes),
        Arrival::Datagram(bytes) => seat.client.on_datagram(now, &bytes),
        Arrival::Closed { code } => {
            seat.link = None;
            seat.client.on_closed(now, code);
        }
    }
}

fn note(trace: &mut Xxh3, now: Mono, link: LinkId, end: End, arrival: &Arrival) {
    trace.update(&now.0.to_le_bytes());
    trace.update(&link.0.to_le_bytes());
    trace.update(&[u8::from(end == End::Node)]);
    match arrival {
        Arrival::Stream { stream, bytes } => {
            trace.update(&stream.0.to_le_bytes());
            trace.update(bytes);
        }
        Arrival::Datagram(bytes) => trace.update(bytes),
        Arrival::Closed { code } => trace.update(format!("{code:?}").as_bytes()),
    }
}

impl<P> fmt::Debug for World<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World")
            .field("now", &self.now)
            .field("clients", &self.seats.len())
            .field("links", &self.links.len())
            .field("turns", &self.turns)
            .finish_non_exhaustive()
    }
}
