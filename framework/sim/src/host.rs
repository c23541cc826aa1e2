//! One life of the node in a simulated world: what waits for it, and when it wants its turn.
//!
//! *Responsible for*: inputs, deadline, pauses and the end of one [`Node`]. *Not responsible for*: links and the store, which
//! outlive it ([`crate::World`]).

use std::collections::BTreeMap;
use std::time::Duration;

use lightmoon_contract::Mono;
use lightmoon_node::{EncodeJob, Input, Node, Output};

/// How long encoding a copy of a world takes at most.
const ENCODE_MAX: Duration = Duration::from_millis(20);

/// A node and what it waits for.
pub(crate) struct Host {
    /// Which life of the node this is.
    pub(crate) life: u64,
    pub(crate) node: Node,
    due: Option<Mono>,
    pub(crate) paused_until: Option<Mono>,
    pub(crate) inputs: Vec<Input>,
    /// Copies of worlds that are being encoded, by the time at which that is done.
    encodes: BTreeMap<(Mono, u64), EncodeJob>,
    encodes_ever: u64,
    /// When a node that was replaced ends.
    pub(crate) ends_at: Option<Mono>,
    /// The node found that another one owns the store: it does nothing more.
    pub(crate) is_fenced: bool,
    pub(crate) has_stopped: bool,
}

impl Host {
    pub(crate) const fn new(life: u64, node: Node, now: Mono) -> Self {
        Self {
            life,
            node,
            due: Some(now),
            paused_until: None,
            inputs: Vec::new(),
            encodes: BTreeMap::new(),
            encodes_ever: 0,
            ends_at: None,
            is_fenced: false,
            has_stopped: false,
        }
    }

    /// When something happens in it next.
    pub(crate) fn next_due(&self) -> Option<Mono> {
        if self.is_fenced {
            return None;
        }
        let encoded = self.encodes.keys().next().map(|(at, _)| *at);
        let due =
            if self.inputs.is_empty() { self.due.into_iter().chain(encoded).min() } else { Some(Mono(0)) };
        let turn = due.map(|due| due.max(self.paused_until.unwrap_or_default()));
        turn.into_iter().chain(self.ends_at).min()
    }

    /// Whether a node that was replaced is gone.
    pub(crate) fn is_over(&self, now: Mono) -> bool {
        self.is_fenced || self.has_stopped || self.ends_at.is_some_and(|at| at <= now)
    }

    /// Takes a turn, if it wants one. `out` gets what has to be done outside.
    pub(crate) fn turn(&mut self, now: Mono, seeds: &mut fastrand::Rng, out: &mut Vec<Output>) -> bool {
        if self.is_fenced {
            self.inputs.clear();
            return false;
        }
        if self.paused_until.is_some_and(|until| until > now) {
            return false;
        }
        self.paused_until = None;
        while let Some(entry) = self.encodes.first_entry().filter(|entry| entry.key().0 <= now) {
            self.inputs.push(Input::Encoded(entry.remove().run()));
        }
        if self.inputs.is_empty() && self.due.is_none_or(|due| due > now) {
            return false;
        }
        let next = self.node.turn(now, &mut self.inputs, out);
        self.due = if next.more { Some(now) } else { next.deadline };
        for output in std::mem::take(out) {
            match output {
                Output::Encode(job) => {
                    self.encodes_ever += 1;
                    let done = now + ENCODE_MAX.mul_f64(seeds.f64());
                    self.encodes.insert((done, self.encodes_ever), job);
                }
                Output::Fenced { .. } => (self.is_fenced, self.due) = (true, None),
                Output::Stopped => (self.has_stopped, self.due) = (true, None),
                // Nobody commands here.
                Output::Operated { .. } => {}
                other @ (Output::Store { .. } | Output::Transmit { .. }) => out.push(other),
            }
        }
        true
    }
}
