//! The search for an order.
//!
//! *Responsible for*: which operations may go next, going back where none leads on. *Not responsible for*: recording, and when
//! to give up ([`super`]).
//!
//! Invariants:
//! - I1: an operation goes next only if no operation that is left returned before it was invoked.
//! - I2: operations of known outcome are tried before others: most orders need few of the latter.

use std::collections::BTreeSet;

use lightmoon_contract::Mono;

use super::{Model, Operation};

/// One step of the order: what was chosen to get here, and what else may be chosen from here.
struct Step<S> {
    /// The operation that led here; none at the beginning.
    chosen: Option<usize>,
    state: S,
    /// Operations that may go next, in reverse.
    next: Vec<usize>,
}

/// A search under way.
pub(super) struct Search<'a, M: Model> {
    model: &'a M,
    operations: &'a [Operation<M::Call, M::Answer>],
    /// Which operations are in the order so far.
    taken: Vec<u64>,
    /// All below this are, or need not be: where to begin looking.
    from: usize,
    /// Answered operations that are not in it.
    left: usize,
    known: usize,
    steps: Vec<Step<M::State>>,
    best: (usize, Option<usize>),
}

impl<'a, M: Model> Search<'a, M> {
    pub(super) fn new(model: &'a M, operations: &'a [Operation<M::Call, M::Answer>]) -> Self {
        let known = operations.iter().filter(|operation| operation.returned.is_some()).count();
        let taken = vec![0; operations.len().div_ceil(64)];
        let mut search = Self {
            model,
            operations,
            taken,
            from: 0,
            left: known,
            known,
            steps: Vec::new(),
            best: (0, None),
        };
        let (state, next) = (model.first(), search.candidates());
        search.best = (0, search.first_to_return());
        search.steps.push(Step { chosen: None, state, next });
        search
    }

    /// Whether every answered operation is in the order.
    pub(super) const fn is_done(&self) -> bool {
        self.left == 0
    }

    /// How many answered operations the best order has, and which one has to go next in it.
    pub(super) const fn best(&self) -> (usize, Option<usize>) {
        self.best
    }

    /// Tries one more operation. False: all orders were tried.
    pub(super) fn go_on(&mut self, seen: &mut BTreeSet<(Vec<u64>, M::State)>) -> bool {
        let Some(step) = self.steps.last_mut() else { return false };
        let Some(at) = step.next.pop() else {
            self.go_back();
            return !self.steps.is_empty();
        };
        let operation = &self.operations[at];
        let answer = operation.returned.as_ref().map(|(_, answer)| answer);
        let Some(state) = self.model.step(&step.state, &operation.call, answer) else { return true };
        self.mark(at, true);
        if !seen.insert((self.taken.clone(), state.clone())) {
            self.mark(at, false);
            return true;
        }
        if self.known - self.left > self.best.0 {
            self.best = (self.known - self.left, self.first_to_return());
        }
        let next = self.candidates();
        self.steps.push(Step { chosen: Some(at), state, next });
        true
    }

    fn go_back(&mut self) {
        if let Some(chosen) = self.steps.pop().and_then(|step| step.chosen) {
            self.mark(chosen, false);
        }
    }

    fn mark(&mut self, at: usize, is_taken: bool) {
        let (word, bit) = (at / 64, 1 << (at % 64));
        if is_taken {
            self.taken[word] |= bit;
        } else {
            self.taken[word] &= !bit;
            self.from = self.from.min(at);
        }
        if self.operations[at].returned.is_some() {
            self.left = if is_taken { self.left - 1 } else { self.left + 1 };
        }
        while self.from < self.operations.len()
            && (self.is_taken(self.from) || self.operations[self.from].has_failed)
        {
            self.from += 1;
        }
    }

    fn is_taken(&self, at: usize) -> bool {
        self.taken[at / 64] & 1 << (at % 64) != 0
    }

    /// What is left, in the order of invocation.
    fn rest(&self) -> impl Iterator<Item = (usize, &'a Operation<M::Call, M::Answer>)> {
        let rest = self.operations.iter().enumerate().skip(self.from);
        rest.filter(|(at, operation)| !operation.has_failed && !self.is_taken(*at))
    }

    /// The answered operation that has to go next at the latest.
    fn first_to_return(&self) -> Option<usize> {
        let returns = self.rest().filter_map(|(at, operation)| Some((operation.returned.as_ref()?.0, at)));
        returns.min().map(|(_, at)| at)
    }

    /// What may go next, the first choice last.
    fn candidates(&self) -> Vec<usize> {
        let mut until: Option<Mono> = None;
        let (mut known, mut unknown): (Vec<usize>, Vec<usize>) = (Vec::new(), Vec::new());
        for (at, operation) in self.rest() {
            if until.is_some_and(|until| operation.invoked > until) {
                break;
            }
            match &operation.returned {
                Some((returned, _)) => {
                    until = Some(until.map_or(*returned, |until| until.min(*returned)));
                    known.push(at);
                }
                None if unknown.iter().any(|first| self.operations[*first].call == operation.call) => {}
                None => unknown.push(at),
            }
        }
        // Those that were met before a sooner return was.
        let may_go = |at: &usize| until.is_none_or(|until| self.operations[*at].invoked <= until);
        known.retain(may_go);
        known.sort_by_key(|at| self.operations[*at].returned.as_ref().map(|(returned, _)| *returned));
        let unknown = unknown.into_iter().filter(may_go);
        known.into_iter().chain(unknown).rev().collect()
    }
}
