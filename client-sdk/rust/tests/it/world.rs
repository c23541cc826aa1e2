//! A world in a test: the client's core and a host, with nothing between them but the test's clock.

use std::time::Duration;

use lightmoon_client::{Action, Client, ClientOptions, CloseCode, Event};
use lightmoon_contract::{Mono, Replicate};
use lightmoon_wire::{StreamKey, Transmit};

use crate::game::{Host, Pose, descriptor};

pub(crate) struct World {
    pub(crate) client: Client,
    /// The host of the present connection.
    pub(crate) host: Option<Host>,
    pub(crate) now: Mono,
    /// Tries to connect so far, as the core numbered them.
    pub(crate) attempts: Vec<u32>,
    pub(crate) reachable: bool,
    /// What the next hosts let in to, and give to resume it.
    pub(crate) session: u64,
    pub(crate) ticket: &'static str,
    /// The next hosts do not answer.
    pub(crate) is_mute: bool,
    pub(crate) events: Vec<Event>,
    /// The close that the client sent.
    pub(crate) closed: Option<CloseCode>,
    /// Streams of one message so far.
    pub(crate) solos: u64,
}

pub(crate) fn options() -> ClientOptions {
    ClientOptions::new(descriptor(), &[Pose::SPEC]).expect("one component fits").token("token")
}

impl World {
    pub(crate) fn new(options: ClientOptions, seed: u64) -> Self {
        Self {
            client: Client::new(options, seed),
            host: None,
            now: Mono::from_millis(50_000),
            attempts: Vec::new(),
            reachable: true,
            session: 1,
            solos: 0,
            ticket: "",
            is_mute: false,
            events: Vec::new(),
            closed: None,
        }
    }

    /// A world after a good handshake, with its events taken.
    pub(crate) fn connected() -> Self {
        Self::connected_by("")
    }

    /// The same, and the server gives this ticket.
    pub(crate) fn connected_by(ticket: &'static str) -> Self {
        let mut world = Self::new(options(), 1);
        world.ticket = ticket;
        world.settle();
        assert!(matches!(world.take()[..], [Event::Connected(_)]));
        world
    }

    pub(crate) fn host(&mut self) -> &mut Host {
        self.host.as_mut().expect("there is a connection")
    }

    /// Events so far.
    pub(crate) fn take(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// Carries everything both ways until nothing is left to carry.
    pub(crate) fn settle(&mut self) {
        self.client.tick(self.now);
        while self.carry() {}
    }

    /// Passes time in steps of at most a frame, at the client's deadlines.
    pub(crate) fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        while self.now < until {
            let frame = self.now + Duration::from_millis(20);
            let next =
                self.client.next_deadline().map_or(frame, |at| at.max(Mono(self.now.0 + 1)).min(frame));
            self.now = next.min(until);
            if let Some(host) = &mut self.host {
                host.link.on_deadline(self.now);
            }
            self.settle();
        }
    }

    /// The connection breaks without a word.
    pub(crate) fn cut(&mut self) {
        self.host = None;
        self.client.on_closed(self.now, None);
    }

    fn carry(&mut self) -> bool {
        let mut moved = false;
        while let Some(action) = self.client.poll_transmit() {
            moved = true;
            match action {
                Action::Connect { attempt } => self.connect(attempt),
                Action::Transmit(transmit) => self.deliver(transmit),
            }
        }
        if let Some(host) = &mut self.host {
            host.serve(self.now);
            while let Some(transmit) = host.link.poll_transmit() {
                moved = true;
                match transmit {
                    Transmit::Stream { lane, bytes } => {
                        self.client.on_stream(self.now, StreamKey(lane.number().into()), &bytes);
                    }
                    Transmit::Solo { bytes, .. } => {
                        self.solos += 1;
                        self.client.on_stream(self.now, StreamKey(256 + self.solos), &bytes);
                    }
                    Transmit::Datagram(bytes) => self.client.on_datagram(self.now, &bytes),
                    Transmit::Close { code, reason } => self.client.on_closed(self.now, Some((code, reason))),
                }
            }
        }
        while let Some(event) = self.client.poll_event() {
            self.events.push(event);
        }
        moved
    }

    fn connect(&mut self, attempt: u32) {
        self.attempts.push(attempt);
        if self.reachable {
            let mut host = Host::new(self.now);
            host.session = self.session;
            host.ticket = self.ticket.into();
            host.is_mute = self.is_mute;
            // Of a server whose sessions go on: attachments are counted on.
            host.generation = u32::try_from((self.attempts.len() - 1) * 10).expect("few tries");
            self.host = Some(host);
            self.client.on_connected(self.now);
        } else {
            self.host = None;
            self.client.on_unreachable(self.now, "no route");
        }
    }

    fn deliver(&mut self, transmit: Transmit) {
        if let Transmit::Close { code, .. } = &transmit {
            self.closed = Some(*code);
        }
        let Some(host) = &mut self.host else { return };
        match transmit {
            Transmit::Stream { lane, bytes } => {
                host.link.on_stream(self.now, StreamKey(lane.number().into()), &bytes)
            }
            Transmit::Solo { bytes, .. } => {
                self.solos += 1;
                host.link.on_stream(self.now, StreamKey(256 + self.solos), &bytes);
            }
            Transmit::Datagram(bytes) => host.link.on_datagram(self.now, &bytes),
            Transmit::Close { .. } => {
                host.link.on_closed(self.now, None);
                host.serve(self.now);
            }
        }
    }
}
