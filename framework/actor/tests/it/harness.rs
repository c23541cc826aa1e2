//! A worker with a clock in hand.

use std::collections::BTreeMap;

use lightmoon_actor::reserved::ToActor;
use lightmoon_actor::{
    Delivery, Envelope, In, Kinds, MessageId, Next, Out, ReplyTo, Step, Worker, WorkerOptions, plain,
};
use lightmoon_contract::{
    ActorId, Body, CallError, Caller, Contract, Limits, Mono, Operation, Priority, SessionId, codec,
};

use crate::probe::{ProbeContract, Prober, take_trace};

/// A worker of probes.
pub(crate) struct Bench {
    pub(crate) worker: Worker,
    pub(crate) now: Mono,
    pub(crate) next: Next,
    inputs: Vec<In>,
    token: u64,
    pub(crate) answers: BTreeMap<u64, Result<Vec<u8>, CallError>>,
    pub(crate) failed: Vec<(ActorId, Step, String)>,
    pub(crate) left: Vec<Envelope>,
    /// What was asked of the store.
    pub(crate) to_store: Vec<Out>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(WorkerOptions { seed: 1, ..WorkerOptions::default() })
    }

    pub(crate) fn with(options: WorkerOptions) -> Self {
        let mut kinds = Kinds::default();
        kinds.register(ProbeContract::KIND, ProbeContract::NAME, plain::<ProbeContract, Prober>());
        Self::of(options, kinds)
    }

    pub(crate) fn of(options: WorkerOptions, kinds: Kinds) -> Self {
        take_trace();
        Self {
            worker: Worker::new(options, kinds),
            now: Mono::from_millis(1_000),
            next: Next { deadline: None, more: false },
            inputs: Vec::new(),
            token: 0,
            answers: BTreeMap::new(),
            failed: Vec::new(),
            left: Vec::new(),
            to_store: Vec::new(),
        }
    }

    /// Puts a one-way message from `from` in.
    pub(crate) fn tell_from<O: Operation>(&mut self, from: Caller, key: u64, message: O) {
        self.put(from, key, message, ReplyTo::Nobody);
    }

    pub(crate) fn tell<O: Operation>(&mut self, key: u64, message: O) {
        self.tell_from(Caller::Node, key, message);
    }

    /// Puts a request in and returns its token.
    pub(crate) fn ask<O: Operation>(&mut self, key: u64, message: O) -> u64 {
        self.ask_from(Caller::Node, key, message)
    }

    /// Puts a request from `from` in and returns its token.
    pub(crate) fn ask_from<O: Operation>(&mut self, from: Caller, key: u64, message: O) -> u64 {
        self.token += 1;
        self.put(from, key, message, ReplyTo::Outside(self.token));
        self.token
    }

    /// Puts anything in.
    pub(crate) fn put_in(&mut self, input: In) {
        self.inputs.push(input);
    }

    fn put<O: Operation>(&mut self, from: Caller, key: u64, message: O, reply_to: ReplyTo) {
        self.inputs.push(In::Envelope(Envelope {
            to: ActorId::new(O::Contract::KIND, key),
            from,
            number: O::SPEC.number,
            priority: O::SPEC.lane.priority,
            reliability: O::SPEC.lane.reliability,
            reply_to,
            timeout_ms: O::SPEC.timeout_ms,
            id: MessageId::None,
            body: Body::Bytes(codec::encode(&message).into()),
        }));
    }

    /// Puts a request of a client in under a number of its own, and returns its token.
    pub(crate) fn ask_as<O: Operation>(&mut self, from: Caller, request: u64, key: u64, message: O) -> u64 {
        self.token += 1;
        self.put(from, key, message, ReplyTo::Outside(self.token));
        if let Some(In::Envelope(envelope)) = self.inputs.last_mut() {
            envelope.id = MessageId::Request(request);
        }
        self.token
    }

    /// Delivers a message that takes effect exactly once.
    pub(crate) fn deliver<O: Operation>(&mut self, from: ActorId, delivery: Delivery, key: u64, message: O) {
        self.put(Caller::Actor(from), key, message, ReplyTo::Nobody);
        if let Some(In::Envelope(envelope)) = self.inputs.last_mut() {
            envelope.id = MessageId::Posted(delivery);
        }
    }

    /// Makes garbage of the arguments of what was put in last.
    pub(crate) fn spoil_last(&mut self) {
        if let Some(In::Envelope(envelope)) = self.inputs.last_mut() {
            envelope.body = Body::Bytes(vec![0xFF].into());
        }
    }

    /// Puts a message of the framework in.
    pub(crate) fn framework(&mut self, key: u64, message: ToActor) {
        self.inputs.push(In::Envelope(Envelope {
            to: probe_id(key),
            from: Caller::Node,
            number: message.number(),
            priority: Priority::Critical,
            reliability: lightmoon_contract::Reliability::ReliableOrdered,
            reply_to: ReplyTo::Nobody,
            timeout_ms: 0,
            id: MessageId::None,
            body: Body::typed(message),
        }));
    }

    /// Puts a `wait` request without its arguments in, under token 7,000.
    pub(crate) fn garbage(&mut self, key: u64, length: u8) {
        let spec = <crate::probe::probe::Wait as Operation>::SPEC;
        self.inputs.push(In::Envelope(Envelope {
            to: probe_id(key),
            from: Caller::Node,
            number: spec.number,
            priority: spec.lane.priority,
            reliability: spec.lane.reliability,
            reply_to: ReplyTo::Outside(7_000),
            timeout_ms: 0,
            id: MessageId::None,
            body: Body::Bytes(vec![length].into()),
        }));
    }

    pub(crate) fn stop(&mut self) {
        self.inputs.push(In::Stop);
    }

    /// One turn now.
    pub(crate) fn turn(&mut self) {
        let mut out = Vec::new();
        self.next = self.worker.turn(self.now, &mut self.inputs, &mut out);
        for out in out {
            match out {
                Out::Envelope(envelope) => self.left.push(envelope),
                Out::Answer { token, result } => {
                    let result = result.map(|answer| match answer {
                        Some(Body::Bytes(bytes)) => bytes.to_vec(),
                        other => panic!("an answer for outside is bytes, not {other:?}"),
                    });
                    let before = self.answers.insert(token, result);
                    assert!(before.is_none(), "request {token} was answered twice");
                }
                Out::Stopped => {}
                Out::Failed { actor, operation, message } => self.failed.push((actor, operation, message)),
                out @ (Out::Load(_)
                | Out::Commit(_)
                | Out::Snapshot { .. }
                | Out::Peek(_)
                | Out::Released(_)
                | Out::Delivered { .. }
                | Out::Unreadable { .. }) => self.to_store.push(out),
            }
        }
    }

    /// Turns now until there is nothing more to do now.
    pub(crate) fn settle(&mut self) {
        self.turn();
        for _ in 0..100_000 {
            if !self.next.more {
                return;
            }
            self.turn();
        }
        panic!("the worker does not come to rest");
    }

    /// Lets `millis` pass, with turns only when the worker wants them.
    pub(crate) fn pass(&mut self, millis: u64) {
        let end = Mono(self.now.0 + millis * 1_000_000);
        self.settle();
        while let Some(at) = self.next.deadline.filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.settle();
        }
        self.now = end;
        self.settle();
    }

    /// The answer to a request, decoded.
    pub(crate) fn answer<O: Operation>(&mut self, token: u64) -> Option<Result<O::Reply, CallError>> {
        let result = self.answers.remove(&token)?;
        Some(result.map(|bytes| codec::decode(&bytes, Limits::NODE).expect("a value of the operation")))
    }
}

/// A client.
pub(crate) fn client(session: u64) -> Caller {
    Caller::Client { session: SessionId(session), player: session }
}

/// The probe with this key.
pub(crate) fn probe_id(key: u64) -> ActorId {
    ActorId::new(ProbeContract::KIND, key)
}
