//! One node and its clients, in one thread, on a clock that the test moves.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use lightmoon_contract::operation::Target;
use lightmoon_contract::{
    CallError, Contract, Data, Descriptor, Lane, Mono, Operation, Priority, Reliability, SessionId, Utc,
    Writer, codec,
};
use lightmoon_node::{Game, Input, LinkId, Node, NodeOptions, Operated, Output, TicketKey, Transport};
use lightmoon_store::{MemoryStore, Outcome, Store as _};
use lightmoon_wire::{
    ClientConfig, ClientEvent, ClientLink, Closing, KeptLanes, OutgoingCall, StreamKey, Transmit,
};

use crate::game;

/// One client.
pub(crate) struct Peer {
    pub(crate) link: ClientLink,
    pub(crate) events: Vec<ClientEvent>,
    next_request: u64,
}

/// The node and its clients.
pub(crate) struct World {
    pub(crate) now: Mono,
    pub(crate) node: Node,
    pub(crate) peers: BTreeMap<LinkId, Peer>,
    pub(crate) has_stopped: bool,
    /// What came of commands.
    pub(crate) operated: Vec<(u64, Operated)>,
    pub(crate) store: MemoryStore,
    /// The store takes nothing.
    pub(crate) is_store_away: bool,
    /// The store takes so long for each request, one after the other.
    pub(crate) store_pause: Duration,
    /// What it answers later, and when.
    slow: VecDeque<(Mono, Input)>,
    /// The node found that a newer one owns the store.
    pub(crate) fenced: Option<String>,
    /// Everything the node put out, as text, to compare runs.
    pub(crate) trace: Vec<String>,
    inputs: Vec<Input>,
    next_link: u64,
    /// Streams of one message so far.
    solos: u64,
    descriptor: Descriptor,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        Self::of(game::game(), seed, MemoryStore::new())
    }

    /// A node with these options.
    pub(crate) fn with(options: NodeOptions) -> Self {
        let mut world = Self::new(1);
        world.node = Node::new(game::game(), options, 1, world.now).unwrap();
        world
    }

    /// A node that runs `game` on a store, perhaps that of a node before it.
    pub(crate) fn of(game: Game, seed: u64, store: MemoryStore) -> Self {
        let now = Mono::from_millis(1_000);
        let descriptor = game.descriptor().clone();
        Self {
            now,
            // All promises hold whatever the number of workers.
            node: Node::new(game, NodeOptions { workers: workers(seed), ..options() }, seed, now).unwrap(),
            peers: BTreeMap::new(),
            has_stopped: false,
            operated: Vec::new(),
            store,
            is_store_away: false,
            store_pause: Duration::ZERO,
            slow: VecDeque::new(),
            fenced: None,
            trace: Vec::new(),
            inputs: Vec::new(),
            next_link: 1,
            solos: 0,
            descriptor,
        }
    }

    /// The node is gone without a word, and another one runs the game on the same store.
    pub(crate) fn restart(&mut self, game: Game, seed: u64) {
        self.node = Node::new(game, options(), seed, self.now).unwrap();
        self.peers.clear();
        self.inputs.clear();
    }

    /// A client that says Hello with this token; nothing is carried yet.
    pub(crate) fn connect(&mut self, token: &str) -> LinkId {
        self.connect_with(token, Bytes::new(), 1)
    }

    /// A client that comes back with a ticket and goes on with its numbers.
    pub(crate) fn connect_with(&mut self, token: &str, ticket: Bytes, first_request: u64) -> LinkId {
        self.connect_with_from("test", token, ticket, first_request)
    }

    /// The same, from a certain address.
    pub(crate) fn connect_with_from(
        &mut self,
        remote: &str,
        token: &str,
        ticket: Bytes,
        first_request: u64,
    ) -> LinkId {
        let descriptor = &self.descriptor;
        let mut config = ClientConfig::new(
            descriptor.fingerprint(),
            descriptor.to_bytes().into(),
            Bytes::copy_from_slice(token.as_bytes()),
        );
        config.ticket = ticket;
        config.first_request = first_request;
        // The client that got this ticket, if the test did not change it.
        let shown = |event: &ClientEvent| matches!(event, ClientEvent::Ticket(ticket) if ticket.bytes == config.ticket);
        let before = self.peers.values().rev().find(|peer| peer.events.iter().any(shown));
        let kept = before.map_or_else(KeptLanes::default, |peer| peer.link.kept().clone());
        let id = self.open_from(remote);
        let link = ClientLink::resuming(config, kept, self.now);
        self.peers.insert(id, Peer { link, events: Vec::new(), next_request: first_request });
        id
    }

    /// A connection of which the test sends the bytes itself.
    pub(crate) fn open(&mut self) -> LinkId {
        self.open_from("test")
    }

    /// A client from a certain address that says Hello with this token.
    pub(crate) fn connect_from(&mut self, remote: &str, token: &str) -> LinkId {
        self.connect_with_from(remote, token, Bytes::new(), 1)
    }

    /// As [`Self::open`], from a certain address.
    pub(crate) fn open_from(&mut self, remote: &str) -> LinkId {
        let id = LinkId(self.next_link);
        self.next_link += 1;
        self.inputs.push(Input::Opened { link: id, remote: remote.into(), transport: Transport::Native });
        id
    }

    /// A client that is let in.
    pub(crate) fn enter(&mut self, token: &str) -> LinkId {
        let id = self.connect(token);
        self.settle();
        assert!(self.peers[&id].link.is_open(), "{token} was not let in: {:?}", self.peers[&id].events);
        id
    }

    /// The newest ticket of a client.
    pub(crate) fn ticket(&self, of: LinkId) -> Bytes {
        let tickets = self.peers[&of].events.iter().rev();
        let mut tickets = tickets.filter_map(|event| match event {
            ClientEvent::Ticket(ticket) => Some(ticket.bytes.clone()),
            ClientEvent::Welcome(_)
            | ClientEvent::Answer { .. }
            | ClientEvent::Push(_)
            | ClientEvent::Attached(_)
            | ClientEvent::Detached { .. }
            | ClientEvent::View { .. }
            | ClientEvent::State { .. }
            | ClientEvent::Delta { .. }
            | ClientEvent::Closed(_) => None,
        });
        tickets.next().expect("a ticket")
    }

    /// The session that a client was welcomed to.
    pub(crate) fn session(&self, of: LinkId) -> SessionId {
        let welcome = self.peers[&of].events.iter().find_map(|event| match event {
            ClientEvent::Welcome(welcome) => Some(welcome.session),
            ClientEvent::Ticket(_)
            | ClientEvent::Answer { .. }
            | ClientEvent::Push(_)
            | ClientEvent::Attached(_)
            | ClientEvent::Detached { .. }
            | ClientEvent::View { .. }
            | ClientEvent::State { .. }
            | ClientEvent::Delta { .. }
            | ClientEvent::Closed(_) => None,
        });
        welcome.unwrap_or_else(|| panic!("not welcomed: {:?}", self.peers[&of].events))
    }

    /// The connection of a client breaks: nothing that is under way arrives.
    pub(crate) fn cut(&mut self, link: LinkId) {
        self.input(Input::Closed { link, peer: None });
        let peer = self.peers.get_mut(&link).unwrap();
        peer.link.on_closed(self.now, None);
        while peer.link.poll_transmit().is_some() {}
    }

    /// The same, when the node has what the client sent, and the client not what the node answers.
    pub(crate) fn cut_behind(&mut self, link: LinkId) {
        self.send(link);
        self.cut(link);
    }

    /// Hands to the node what a client wants sent.
    fn send(&mut self, id: LinkId) -> bool {
        let mut moved = false;
        let Some(peer) = self.peers.get_mut(&id) else { return false };
        while let Some(transmit) = peer.link.poll_transmit() {
            moved = true;
            self.inputs.push(match transmit {
                Transmit::Stream { lane, bytes } => {
                    Input::Stream { link: id, stream: StreamKey(u64::from(lane.number())), bytes }
                }
                Transmit::Solo { bytes, .. } => {
                    self.solos += 1;
                    Input::Stream { link: id, stream: StreamKey(256 + self.solos), bytes }
                }
                Transmit::Datagram(bytes) => Input::Datagram { link: id, bytes },
                Transmit::Close { code, .. } => Input::Closed { link: id, peer: Some(code) },
            });
        }
        moved
    }

    /// Sends a request under a number of the test's choice.
    pub(crate) fn ask_as<O: Operation>(&mut self, from: LinkId, request: u64, target: Target, message: &O) {
        let peer = self.peers.get_mut(&from).unwrap();
        peer.next_request = peer.next_request.max(request + 1);
        // The link has sent it again by itself if the server lacked it.
        if !peer.link.has_asked(request) {
            peer.link.call(call(Some(request), target, message)).unwrap();
        }
    }

    pub(crate) fn input(&mut self, input: Input) {
        self.inputs.push(input);
    }

    /// Sends a request.
    pub(crate) fn ask<O: Operation>(&mut self, from: LinkId, target: Target, message: &O) -> u64 {
        let peer = self.peers.get_mut(&from).unwrap();
        let request = peer.next_request;
        peer.next_request += 1;
        peer.link.call(call(Some(request), target, message)).unwrap();
        request
    }

    /// Sends a one-way call whose arguments are so many bytes of nonsense.
    pub(crate) fn shout<O: Operation>(&mut self, from: LinkId, message: &O, bytes: usize) {
        let mut call = call(None, Target::Own, message);
        call.args = vec![0xFF; bytes].into();
        self.peers.get_mut(&from).unwrap().link.call(call).unwrap();
    }

    /// Sends a request whose arguments are so many bytes of nonsense.
    pub(crate) fn ask_nonsense<O: Operation>(&mut self, from: LinkId, message: &O, bytes: usize) -> u64 {
        let peer = self.peers.get_mut(&from).unwrap();
        let request = peer.next_request;
        peer.next_request += 1;
        let mut call = call(Some(request), Target::Own, message);
        call.args = vec![0xFF; bytes].into();
        peer.link.call(call).unwrap();
        request
    }

    /// Sends a one-way call.
    pub(crate) fn tell<O: Operation>(&mut self, from: LinkId, target: Target, message: &O) {
        self.peers.get_mut(&from).unwrap().link.call(call(None, target, message)).unwrap();
    }

    /// Sends a request and lets everything settle; its answer.
    pub(crate) fn answer<O: Operation>(
        &mut self,
        from: LinkId,
        target: Target,
        message: &O,
    ) -> Result<O::Reply, CallError> {
        let request = self.ask(from, target, message);
        self.settle();
        self.take_answer(from, request).expect("no answer")
    }

    /// The answer to a request, if it is there.
    pub(crate) fn take_answer<R: Data>(
        &mut self,
        from: LinkId,
        request: u64,
    ) -> Option<Result<R, CallError>> {
        let events = &mut self.peers.get_mut(&from)?.events;
        let at = events.iter().position(
            |event| matches!(event, ClientEvent::Answer { request: answered, .. } if *answered == request),
        )?;
        let ClientEvent::Answer { result, .. } = events.remove(at) else { unreachable!() };
        Some(result.map(|bytes| codec::decode(&bytes, codec::Limits::default()).unwrap()))
    }

    /// How a client's link ended.
    pub(crate) fn closing(&self, of: LinkId) -> Option<&Closing> {
        self.peers[&of].events.iter().find_map(|event| match event {
            ClientEvent::Closed(closing) => Some(closing),
            ClientEvent::Welcome(_)
            | ClientEvent::Ticket(_)
            | ClientEvent::Answer { .. }
            | ClientEvent::Push(_)
            | ClientEvent::Attached(_)
            | ClientEvent::Detached { .. }
            | ClientEvent::View { .. }
            | ClientEvent::State { .. }
            | ClientEvent::Delta { .. } => None,
        })
    }

    /// Turns the node and carries bytes until nothing moves.
    pub(crate) fn settle(&mut self) {
        for _ in 0..1_000 {
            if !self.round() {
                return;
            }
        }
        panic!("it never settles");
    }

    /// Lets time pass in steps of 10 ms.
    pub(crate) fn pass(&mut self, millis: u64) {
        for _ in 0..millis / 10 {
            self.now = Mono(self.now.0 + 10_000_000);
            let now = self.now;
            while let Some((_, input)) = self.slow.pop_front_if(|(at, _)| *at <= now) {
                self.inputs.push(input);
            }
            for peer in self.peers.values_mut() {
                peer.link.on_deadline(now);
            }
            self.settle();
        }
    }

    /// Events of a client, taken.
    pub(crate) fn events(&mut self, of: LinkId) -> Vec<ClientEvent> {
        std::mem::take(&mut self.peers.get_mut(&of).unwrap().events)
    }

    /// One turn of the node and one round of bytes; false: nothing moves.
    pub(crate) fn round(&mut self) -> bool {
        let mut moved = false;
        for id in self.peers.keys().copied().collect::<Vec<_>>() {
            moved |= self.send(id);
        }
        let mut outputs = Vec::new();
        let next = self.node.turn(self.now, &mut self.inputs, &mut outputs);
        moved |= next.more || !outputs.is_empty();
        for output in outputs {
            self.trace.push(format!("{:?} {output:?}", self.now));
            self.carry(output);
        }
        for peer in self.peers.values_mut() {
            while let Some(event) = peer.link.poll_event() {
                moved = true;
                peer.events.push(event);
            }
        }
        moved
    }

    fn carry(&mut self, output: Output) {
        let (link, transmit) = match output {
            Output::Transmit { link, transmit } => (link, transmit),
            Output::Store { ticket, .. } if self.is_store_away => {
                return self.inputs.push(Input::Stored { ticket, outcome: Outcome::Unavailable });
            }
            Output::Store { ticket, request } => {
                self.store.submit(ticket, request).unwrap();
                let answered = std::iter::from_fn(|| self.store.poll(self.now));
                let answered = answered.map(|(ticket, outcome)| Input::Stored { ticket, outcome });
                if self.store_pause.is_zero() {
                    return self.inputs.extend(answered);
                }
                for input in answered {
                    let before = self.slow.back().map_or(self.now, |(at, _)| *at);
                    self.slow.push_back((before + self.store_pause, input));
                }
                return;
            }
            Output::Encode(job) => return self.inputs.push(Input::Encoded(job.run())),
            Output::Fenced { reason } => return self.fenced = Some(reason),
            Output::Operated { token, result } => return self.operated.push((token, result)),
            Output::Stopped => return self.has_stopped = true,
        };
        let Some(peer) = self.peers.get_mut(&link) else { return };
        match transmit {
            Transmit::Stream { lane, bytes } => {
                peer.link.on_stream(self.now, StreamKey(u64::from(lane.number())), &bytes);
            }
            Transmit::Solo { bytes, .. } => {
                self.solos += 1;
                peer.link.on_stream(self.now, StreamKey(256 + self.solos), &bytes);
            }
            Transmit::Datagram(bytes) => peer.link.on_datagram(self.now, &bytes),
            Transmit::Close { code, reason } => {
                peer.link.on_closed(self.now, Some((code, reason)));
                self.inputs.push(Input::Closed { link, peer: None });
            }
        }
    }
}

pub(crate) fn options() -> NodeOptions {
    // Some day of 2026, so that times of tickets are of the size they have in play.
    NodeOptions {
        ticket_key: TicketKey([9; 32]),
        utc_at_zero: Utc(1_790_000_000_000),
        ..NodeOptions::default()
    }
}

fn workers(seed: u64) -> u16 {
    u16::try_from(seed % 3 + 1).unwrap()
}

/// The datagram of an unreliable call for the own player, as docs/wire.md has it.
pub(crate) fn unreliable_call(sequence: u32, args: &[u8]) -> Bytes {
    let mut to = Writer::new();
    to.raw(&[49]);
    to.put(&sequence);
    to.put(&Lane::new(Priority::Normal, Reliability::Unreliable).number());
    to.put(&0u8);
    to.put(&game::PilotContract::KIND.0);
    to.put(&1u16);
    to.bytes(args);
    to.into_bytes().into()
}

fn call<O: Operation>(request: Option<u64>, target: Target, message: &O) -> OutgoingCall {
    OutgoingCall {
        request,
        lane: O::SPEC.lane,
        target,
        kind: O::Contract::KIND,
        number: O::SPEC.number,
        args: codec::encode(message).into(),
    }
}
