//! A game of a few words, and a host for it: the server's link with a script instead of a node.

#![expect(unreachable_pub, reason = "what a game writes is public")]
#![expect(clippy::unwrap_used, reason = "this is a test: a failure should stop it")]

use bytes::Bytes;
use lightmoon_contract::codec::{self, Limits};
use lightmoon_contract::operation::Target;
use lightmoon_contract::{
    ActorId, CallError, Contract, Mono, NetId, Operation, Replicate, SessionId, Tick, contract, contracts,
    replicate,
};
use lightmoon_replica::{EntityValues, LeaveReason, Schema, StateHead, StateTable, StateWriter, ViewWriter};
use lightmoon_wire::{
    Attach, CloseCode, Compatibility, Grant, Hello, IncomingCall, Received, ServerConfig, ServerEvent,
    ServerLink, Settled,
};

/// Ships.
#[contract(ticking)]
pub trait Space {
    /// Counts a touch; answers all of them.
    #[operation(client = zone, priority = normal, reliability = reliable_ordered, timeout_ms = 2000)]
    fn touch() -> u64;
    /// Sets the controls.
    #[operation(client = zone, priority = high, reliability = unreliable_latest, rate = 60)]
    fn steer(thrust: f32);
    /// Somebody said something.
    #[operation(push, priority = low, reliability = reliable_ordered)]
    fn said(text: String);
}

/// A player.
#[contract]
pub trait Pilot {
    /// Enters the zone; answers the avatar.
    #[operation(client = own, priority = normal, reliability = reliable_ordered, timeout_ms = 2000)]
    fn enter(name: String) -> u64;
    /// Is never answered.
    #[operation(client = own, priority = normal, reliability = reliable_ordered, timeout_ms = 2000)]
    fn ponder() -> u64;
    /// Is said to all.
    #[operation(client = own, priority = low, reliability = reliable_ordered)]
    fn shout(text: String);
}

/// Where something is.
#[replicate(state)]
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Pose {
    /// Metres.
    #[quantise(min = -1024.0, max = 1024.0, step = 0.5)]
    pub x: f32,
}

contracts! { game = "test", contracts = [Space, Pilot], components = [Pose] }

pub(crate) const AVATAR: NetId = NetId(77);

struct Values([u32; 1]);

impl EntityValues for Values {
    fn row(&self) -> &[u32] {
        &self.0
    }

    fn sticky(&self, _position: u8) -> &[u8] {
        &[]
    }
}

/// The server's side of one client.
pub(crate) struct Host {
    pub(crate) link: ServerLink,
    known: Compatibility,
    pub(crate) refuse: Option<CloseCode>,
    pub(crate) steered: Vec<f32>,
    pub(crate) shouts: Vec<String>,
    pub(crate) closed: bool,
    /// What the client told of what arrived.
    pub(crate) received: Vec<Received>,
    /// The number of the session that it lets in to.
    pub(crate) session: u64,
    /// What it gives to resume that; empty: nothing.
    pub(crate) ticket: Bytes,
    /// It serves, and does not answer.
    pub(crate) is_mute: bool,
    pub(crate) hello: Option<Hello>,
    /// Requests in the order they came: number and bytes.
    pub(crate) asked: Vec<(u64, Bytes)>,
    pub(crate) generation: u32,
    views: u64,
    tick: u64,
}

impl Host {
    pub(crate) fn new(now: Mono) -> Self {
        Self {
            link: ServerLink::new(ServerConfig::default(), now),
            known: Compatibility::new(descriptor()),
            refuse: None,
            steered: Vec::new(),
            shouts: Vec::new(),
            closed: false,
            session: 1,
            ticket: Bytes::new(),
            is_mute: false,
            hello: None,
            asked: Vec::new(),
            generation: 0,
            views: 0,
            tick: 100,
            received: Vec::new(),
        }
    }

    /// Acts on what the client did.
    pub(crate) fn serve(&mut self, now: Mono) {
        while let Some(event) = self.link.poll_event() {
            match event {
                ServerEvent::Hello(hello) => self.hello(now, hello),
                ServerEvent::Call(call) => self.call(call),
                ServerEvent::Received(received) => self.received.push(received),
                ServerEvent::Closed(_) => self.closed = true,
            }
        }
    }

    fn hello(&mut self, now: Mono, hello: Hello) {
        if let Some(code) = self.refuse {
            self.link.refuse(now, code, "not you");
        } else if self.link.settle(now, &mut self.known) == Settled::Compatible {
            let player = u64::try_from(hello.token.len()).unwrap();
            let session = SessionId(self.session);
            self.link.welcome(now, Grant { session, player, tick_hz: 20 }).unwrap();
            if !self.ticket.is_empty() {
                self.link.ticket(self.ticket.clone()).unwrap();
            }
        }
        self.hello = Some(hello);
    }

    fn call(&mut self, call: IncomingCall) {
        let is = |kind, number| call.kind == kind && call.number == number;
        let args = call.args.clone();
        if let Some(request) = call.request {
            self.asked.push((request, args.clone()));
            if self.is_mute {
                return;
            }
        }
        if is(PilotContract::KIND, pilot::Enter::SPEC.number) {
            let enter: pilot::Enter = codec::decode(&args, Limits::CLIENT).unwrap();
            let result = if enter.name.is_empty() {
                Err(CallError::NotAllowed)
            } else {
                Ok(codec::encode(&AVATAR.0).into())
            };
            let attach = result.is_ok();
            self.link.answer(call.request.unwrap(), result).unwrap();
            if attach {
                self.attach();
            }
        } else if is(PilotContract::KIND, pilot::Shout::SPEC.number) {
            let shout: pilot::Shout = codec::decode(&args, Limits::CLIENT).unwrap();
            self.say(&shout.text);
            self.shouts.push(shout.text);
        } else if is(SpaceContract::KIND, space::Touch::SPEC.number) {
            self.link.answer(call.request.unwrap(), Ok(codec::encode(&1u64).into())).unwrap();
        } else if is(SpaceContract::KIND, space::Steer::SPEC.number) {
            assert_eq!(call.target, Target::Zone);
            let steer: space::Steer = codec::decode(&args, Limits::CLIENT).unwrap();
            self.steered.push(steer.thrust);
        }
    }

    pub(crate) fn say(&mut self, text: &str) {
        let said = codec::encode(&space::Said { text: text.to_owned() });
        let (lane, number) = (space::Said::SPEC.lane, space::Said::SPEC.number);
        self.link.push(lane, ActorId::new(SpaceContract::KIND, 1), number, said.into()).unwrap();
    }

    /// Shows the client a zone with its avatar at 0.
    pub(crate) fn attach(&mut self) {
        self.generation += 1;
        self.views = 0;
        let zone = ActorId::new(SpaceContract::KIND, 1);
        self.link.attach(Attach { generation: self.generation, zone, avatar: AVATAR, tick_hz: 20 }).unwrap();
        let schema = schema();
        let mut view = self.view();
        view.layout(&schema);
        assert!(view.enter(&schema, 1, AVATAR, 1, &Values(row(0.0))));
        self.link.view(self.generation, view.finish().into()).unwrap();
    }

    pub(crate) fn leave(&mut self) {
        let mut view = self.view();
        assert!(view.leave(1, LeaveReason::Gone));
        self.link.view(self.generation, view.finish().into()).unwrap();
    }

    fn view(&mut self) -> ViewWriter {
        self.views += 1;
        ViewWriter::new(Tick(self.tick), self.views - 1, Vec::new())
    }

    /// A tick later the avatar is at `x`.
    pub(crate) fn state(&mut self, x: f32) {
        self.tick += 1;
        let packet = self.packet(x);
        self.link.state(self.generation, packet).unwrap();
    }

    /// Some ticks pass without a packet.
    pub(crate) fn skip(&mut self, ticks: u64) {
        self.tick += ticks;
    }

    fn packet(&self, x: f32) -> Bytes {
        let schema = schema();
        let mut table = StateTable::default();
        table.push(&schema, 1, &row(x));
        let head = StateHead { tick: Tick(self.tick), rate_hz: 20, input: 0, view_sequence: self.views };
        let mut packet = StateWriter::new(&schema, &head, 1_100, Vec::new());
        assert!(packet.push(1, &table.get(0).unwrap()));
        packet.finish().into()
    }
}

fn schema() -> Schema {
    Schema::new(&[Pose::SPEC]).unwrap()
}

fn row(x: f32) -> [u32; 1] {
    let mut row = [0];
    Pose { x }.quantise(&mut row);
    row
}
