//! The loop that moves every packet of an endpoint.
//!
//! *Responsible for*: reading the socket, giving packets to connections, carrying out what the node sends, timers, the order in which all that
//! happens. *Not responsible for*: one connection (`peer`), who is let in (`gate`), when a deadline passes (`deadlines`).
//!
//! One task for all connections: what a packet or a tick of the node changes is done, and its answer sent, while the connection is in the
//! caches. A task, a timer and a channel for each connection would bring it back there each time (decision 0013).
//!
//! ```text
//!        ┌──────────────────────────── a round ────────────────────────────┐
//!  wait ─► read packets ─► orders, credit, transmits ─► timers ─► one handshake ─► serve what was touched ─┐
//!    ▲                                                                                                     │
//!    └──────────────────────────── nothing left ◄──────────────────────────────────────────────────────────┘
//! ```
//!
//! Invariants:
//! - I1: a round reads, carries out and sends a bounded amount; what is left comes in the next one, after other tasks had their turn.
//! - I2: every connection that was touched in a round is served in it.
//! - I3: between two handshakes that begin those at play are served.
//! - I4: a panic about one packet, attempt or connection ends that one.

use crate::commands::{Commands, Order};
use crate::deadlines::Deadlines;
use crate::event::LinkId;
use crate::gate::{Desk, Gate};
use crate::limits;
use crate::peer::{Peer, Round, Served, Shared};
use crate::socket::{self, Left, Socket};
use bytes::BytesMut;
use lightmoon_wire::{CloseCode, Transmit};
use quinn_proto::{ConnectionHandle, DatagramEvent, Endpoint, Incoming};
use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;
use tokio::time::sleep_until;

/// What the gate works with, without borrowing the gate.
macro_rules! desk {
    ($driver:ident, $now:ident) => {
        Desk { now: $now, endpoint: &mut $driver.endpoint, socket: &$driver.socket, shared: &$driver.shared }
    };
}

/// All connections of an endpoint.
pub(crate) struct Driver {
    endpoint: Endpoint,
    socket: Socket,
    gate: Gate,
    shared: Shared,
    /// By quinn's numbers, which are used again.
    peers: Vec<Option<Box<Peer>>>,
    count: usize,
    links: HashMap<LinkId, ConnectionHandle>,
    next_link: u64,
    deadlines: Deadlines,
    /// Those to be served in this round.
    touched: Vec<ConnectionHandle>,
    /// Those that are being served; empty between rounds.
    serving: Vec<ConnectionHandle>,
    /// Those that the kernel took no packets of.
    blocked: Vec<ConnectionHandle>,
    /// What the node sent and is not carried out yet.
    transmits: VecDeque<(LinkId, Transmit)>,
    /// Whether it ends with its last connection.
    is_ending: bool,
    scratch: Vec<u8>,
    passed: Vec<usize>,
}

impl Driver {
    pub(crate) fn new(endpoint: Endpoint, socket: Socket, gate: Gate, shared: Shared) -> Self {
        Self {
            endpoint,
            socket,
            gate,
            shared,
            peers: Vec::new(),
            count: 0,
            links: HashMap::new(),
            next_link: 1,
            deadlines: Deadlines::new(Instant::now()),
            touched: Vec::new(),
            serving: Vec::new(),
            blocked: Vec::new(),
            transmits: VecDeque::new(),
            is_ending: false,
            scratch: Vec::new(),
            passed: Vec::new(),
        }
    }

    /// Runs until it was told to end and every connection is gone.
    pub(crate) async fn run(mut self) {
        // Also when the runtime drops it: then nobody takes anything out any more.
        let _end = EndCommands(self.shared.commands.clone());
        loop {
            let left = self.round();
            if self.is_ending && self.count == 0 {
                return;
            }
            if left == Left::Maybe || !self.touched.is_empty() || !self.transmits.is_empty() {
                tokio::task::yield_now().await;
            } else {
                self.wait().await;
            }
        }
    }

    /// Does what is to be done now; whether the socket may have more.
    fn round(&mut self) -> Left {
        let now = Instant::now();
        let left = self.receive(now);
        self.obey(now);
        self.carry_out(now);
        self.expire(now);
        self.admit(now);
        // Who has more than its share of a round comes again in the next one.
        let mut serving = std::mem::take(&mut self.serving);
        std::mem::swap(&mut self.touched, &mut serving);
        for handle in serving.drain(..) {
            self.serve(handle, now);
        }
        self.serving = serving;
        left
    }

    /// Returns when there is something to do.
    async fn wait(&mut self) {
        let next = [self.deadlines.next(), self.gate.next(Instant::now())].into_iter().flatten().min();
        // A little late is as good, and makes one round of what a hundred connections have to do.
        let until = next.map(|next| next.max(Instant::now() + limits::TIMERS_EVERY));
        let is_blocked = !self.blocked.is_empty();
        tokio::select! {
            () = self.socket.readable() => {}
            () = self.shared.commands.filled() => {}
            () = sleep_until(until.unwrap_or_else(Instant::now).into()), if until.is_some() => {}
            () = self.socket.writable(), if is_blocked => {
                for handle in std::mem::take(&mut self.blocked) {
                    if let Some(peer) = peer_mut(&mut self.peers, handle) {
                        peer.is_blocked = false;
                        touch(peer, handle, &mut self.touched);
                    }
                }
            }
        }
    }

    fn receive(&mut self, now: Instant) -> Left {
        let Self { endpoint, socket, peers, touched, shared, .. } = self;
        let (mut answers, mut attempts) = (Vec::new(), Vec::new());
        let left = socket.receive(|meta, packet| {
            let mut answer = Vec::new();
            let ecn = meta.ecn.map(socket::ecn_in);
            let packet = BytesMut::from(packet);
            let handle = || endpoint.handle(now, meta.addr, meta.dst_ip, ecn, packet, &mut answer);
            match contained(shared, handle).flatten() {
                Some(DatagramEvent::ConnectionEvent(handle, event)) => {
                    if let Some(peer) = peer_mut(peers, handle) {
                        peer.on_packet(event);
                        touch(peer, handle, touched);
                    }
                }
                Some(DatagramEvent::NewConnection(incoming)) => attempts.push(incoming),
                Some(DatagramEvent::Response(transmit)) => answers.push((transmit, answer)),
                None => {}
            }
        });
        for (transmit, answer) in answers {
            // To a stranger: one that the kernel does not take is lost, and asked for again.
            let _ = self.socket.send(&transmit, &answer[..transmit.size]);
        }
        for incoming in attempts {
            self.decide(incoming, now);
        }
        left
    }

    fn decide(&mut self, incoming: Incoming, now: Instant) {
        let evicted = contained(&self.shared, || self.gate.decide(incoming, &mut desk!(self, now)));
        for handle in evicted.unwrap_or_default() {
            if let Some(peer) = peer_mut(&mut self.peers, handle) {
                peer.evict(now, &self.shared);
                self.touch(handle);
            }
        }
    }

    /// Does what the endpoint's owner wants, and reads links again that had to wait.
    fn obey(&mut self, now: Instant) {
        for order in self.shared.commands.take_orders() {
            match order {
                Order::Serve(config) => {
                    if config.is_none() {
                        self.gate.close(&mut desk!(self, now));
                    }
                    self.endpoint.set_server_config(config);
                }
                Order::End { code, reason } => self.end(code, &reason, now),
            }
        }
        for link in self.shared.commands.take_resumed() {
            let Some(handle) = self.links.get(&link).copied() else { continue };
            if let Some(peer) = peer_mut(&mut self.peers, handle) {
                peer.resume(&self.shared);
                self.touch(handle);
            }
        }
    }

    fn end(&mut self, code: CloseCode, reason: &str, now: Instant) {
        self.is_ending = true;
        self.endpoint.set_server_config(None);
        self.gate.close(&mut desk!(self, now));
        for index in 0..self.peers.len() {
            let handle = ConnectionHandle(index);
            if let Some(peer) = peer_mut(&mut self.peers, handle) {
                if let Some(link) = peer.link() {
                    self.links.remove(&link);
                }
                peer.cut(code, reason, now, &self.shared);
                self.touch(handle);
            }
        }
    }

    /// Hands what the node sent to its connections.
    fn carry_out(&mut self, now: Instant) {
        if self.transmits.is_empty() {
            self.shared.commands.take_transmits(&mut self.transmits);
        }
        let mut present: Option<(LinkId, ConnectionHandle)> = None;
        let mut carried = 0;
        while let Some((link, _)) = self.transmits.front() {
            if present.is_none_or(|(present, _)| present != *link) {
                if carried >= limits::CARRIED_AT_ONCE {
                    return;
                }
                present = self.links.get(link).map(|handle| (*link, *handle));
                if let Some((_, handle)) = present {
                    self.touch(handle);
                }
            }
            let Some((_, transmit)) = self.transmits.pop_front() else { return };
            let Some((_, handle)) = present else { continue };
            if let Some(peer) = peer_mut(&mut self.peers, handle) {
                carried += 1;
                peer.send(transmit, now, &self.shared);
            }
        }
    }

    fn expire(&mut self, now: Instant) {
        let mut passed = std::mem::take(&mut self.passed);
        self.deadlines.take_passed(now, &mut passed);
        for index in passed.drain(..) {
            self.touch(ConnectionHandle(index));
        }
        self.passed = passed;
    }

    fn admit(&mut self, now: Instant) {
        let begun = contained(&self.shared, || self.gate.begin(&mut desk!(self, now)));
        if let Some((handle, peer)) = begun.flatten() {
            if self.peers.len() <= handle.0 {
                self.peers.resize_with(handle.0 + 1, || None);
            }
            self.peers[handle.0] = Some(Box::new(peer));
            self.count += 1;
            self.touch(handle);
        }
    }

    fn touch(&mut self, handle: ConnectionHandle) {
        if let Some(peer) = peer_mut(&mut self.peers, handle) {
            touch(peer, handle, &mut self.touched);
        }
    }

    fn serve(&mut self, handle: ConnectionHandle, now: Instant) {
        let Some(peer) = peer_mut(&mut self.peers, handle) else { return };
        peer.is_touched = false;
        let (link, number) = (peer.link(), peer.place().map(|place| place.number()));
        let served = peer.serve(&mut Round {
            now,
            endpoint: &mut self.endpoint,
            socket: &self.socket,
            scratch: &mut self.scratch,
            next_link: &mut self.next_link,
            shared: &self.shared,
        });
        let link_now = peer.link();
        if link_now != link {
            link.map(|link| self.links.remove(&link));
            link_now.map(|link| self.links.insert(link, handle));
        }
        if let Some(number) = number
            && peer.place().is_none()
        {
            self.gate.ended(number);
        }
        match served {
            Served::Resting => {}
            Served::More => touch(peer, handle, &mut self.touched),
            Served::Blocked if peer.is_blocked => {}
            Served::Blocked => {
                peer.is_blocked = true;
                self.blocked.push(handle);
            }
            Served::Gone => {
                self.peers[handle.0] = None;
                self.count -= 1;
                return self.deadlines.set(handle.0, None);
            }
        }
        let deadline = peer.deadline(now);
        self.deadlines.set(handle.0, deadline);
    }
}

/// Does what is about one packet or attempt; a panic is counted and ends that one (I4).
fn contained<R>(shared: &Shared, act: impl FnOnce() -> R) -> Option<R> {
    let done = catch_unwind(AssertUnwindSafe(act));
    if done.is_err() {
        shared.tally.panicked.add(1);
    }
    done.ok()
}

fn peer_mut(peers: &mut [Option<Box<Peer>>], handle: ConnectionHandle) -> Option<&mut Peer> {
    peers.get_mut(handle.0)?.as_deref_mut()
}

/// Serves a connection in this round.
fn touch(peer: &mut Peer, handle: ConnectionHandle, touched: &mut Vec<ConnectionHandle>) {
    if !peer.is_touched {
        peer.is_touched = true;
        touched.push(handle);
    }
}

/// Marks the commands as over when dropped.
struct EndCommands(Commands);

impl Drop for EndCommands {
    fn drop(&mut self) {
        self.0.end();
    }
}
