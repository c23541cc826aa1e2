//! One order: what clients saw of one key is what they could have seen if one operation had happened after the other.
//!
//! *Responsible for*: whether a history of one key is linearizable by a [`Model`]. *Not responsible for*: recording (clients),
//! histories over several keys: split them by key, each one is checked alone.
//!
//! An operation that was answered happened at one moment between its invocation and its return. One that failed did not happen.
//! One of unknown outcome happened at any later time, or never.
//!
//! Source: Wing & Gong, *Testing and verifying concurrent objects*, 1993, the search: of the operations that none of the others
//! precedes, one goes next, and if no order follows from that, another one. Lowe, *Testing for linearizability*, 2017, its
//! memory: the same set of operations with the same state is looked at once. Ours beside that: of operations of unknown outcome
//! that ask for the same, the one that was invoked first goes first. It loses no order, since either can take the place of the other,
//! and keeps the search small where many outcomes are unknown.
//!
//! Invariants:
//! - I1: a history is refused only if no order explains it; one that is too hard is [`Verdict::Undecided`], never refused.

use std::collections::BTreeSet;
use std::fmt;

use lightmoon_contract::Mono;

use super::Violation;
use crate::limits::{HISTORY_OPERATIONS_MAX, HISTORY_STATES_MAX};

mod search;
#[cfg(test)]
mod tests;

use search::Search;

/// What a key is: its state, and what operations do to it.
pub trait Model {
    /// What is there.
    type State: Clone + Ord;
    /// An operation with its arguments. Calls that are equal do the same.
    type Call: PartialEq + fmt::Debug;
    /// What it answers.
    type Answer: fmt::Debug;

    /// What is there before the first operation.
    fn first(&self) -> Self::State;

    /// What is there after `call` in `state`, if it may answer `answer` there; `None`: it may not. An operation of unknown
    /// outcome has no answer: then any answer will do.
    fn step(
        &self,
        state: &Self::State,
        call: &Self::Call,
        answer: Option<&Self::Answer>,
    ) -> Option<Self::State>;
}

/// The name of an operation in its [`History`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct OperationId(usize);

/// What became of an operation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome<A> {
    /// It was answered, and happened.
    Ok(A),
    /// It did not happen.
    Failed,
    /// It happened at any later time, or never.
    Unknown,
}

/// What the checker says of a history that it does not refuse.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// There is an order that explains it.
    Linearizable,
    /// After [`HISTORY_STATES_MAX`] tries none was found, and not all were tried.
    Undecided,
}

#[derive(Clone, Debug)]
struct Operation<C, A> {
    client: u64,
    call: C,
    invoked: Mono,
    /// When it was answered, with what.
    returned: Option<(Mono, A)>,
    has_failed: bool,
}

/// The checker: operations on one key, in the order in which they were invoked.
///
/// ```
/// use lightmoon_contract::Mono;
/// use lightmoon_sim::checker::history::{History, Model, Outcome};
///
/// /// A sum to which is added.
/// struct Sum;
///
/// impl Model for Sum {
///     type State = u64;
///     type Call = u64;
///     type Answer = u64;
///     fn first(&self) -> u64 {
///         0
///     }
///     fn step(&self, sum: &u64, more: &u64, answer: Option<&u64>) -> Option<u64> {
///         let sum = sum + more;
///         answer.is_none_or(|answer| *answer == sum).then_some(sum)
///     }
/// }
///
/// let mut history = History::new(Sum);
/// let at = Mono::from_millis;
/// let lost = history.invoked(at(0), 1, 5).unwrap();
/// history.returned(at(9), lost, Outcome::Unknown);
/// let look = history.invoked(at(10), 2, 0).unwrap();
/// history.returned(at(20), look, Outcome::Ok(5));
/// assert!(history.check().is_ok(), "the lost one happened");
///
/// let look = history.invoked(at(30), 2, 0).unwrap();
/// history.returned(at(40), look, Outcome::Ok(0));
/// assert!(history.check().is_err(), "and cannot have unhappened");
/// ```
pub struct History<M: Model> {
    model: M,
    operations: Vec<Operation<M::Call, M::Answer>>,
    is_closed: bool,
}

impl<M: Model> History<M> {
    /// Of a key on which nothing happened.
    #[must_use]
    pub const fn new(model: M) -> Self {
        Self { model, operations: Vec::new(), is_closed: false }
    }

    /// `client` invokes an operation. `None`: the history has [`HISTORY_OPERATIONS_MAX`] operations and ends here; those
    /// that were not answered yet are of unknown outcome, which keeps it right.
    ///
    /// # Panics
    /// Time goes back.
    pub fn invoked(&mut self, now: Mono, client: u64, call: M::Call) -> Option<OperationId> {
        let last = self.operations.last();
        assert!(last.is_none_or(|last| last.invoked <= now), "operations are recorded in order");
        if self.is_closed || self.operations.len() >= HISTORY_OPERATIONS_MAX {
            self.is_closed = true;
            return None;
        }
        let id = OperationId(self.operations.len());
        self.operations.push(Operation { client, call, invoked: now, returned: None, has_failed: false });
        Some(id)
    }

    /// It is known what became of an operation. Until then its outcome is unknown.
    ///
    /// # Panics
    /// It is of another history.
    pub fn returned(&mut self, now: Mono, id: OperationId, outcome: Outcome<M::Answer>) {
        let operation = &mut self.operations[id.0];
        match outcome {
            // What comes after the end may tell of operations that are not recorded.
            Outcome::Ok(answer) if !self.is_closed => operation.returned = Some((now, answer)),
            Outcome::Failed => operation.has_failed = true,
            Outcome::Ok(_) | Outcome::Unknown => {}
        }
    }

    /// Operations so far.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.operations.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    /// Looks for an order. Costs about the square of the operations where few are concurrent and few are unknown.
    ///
    /// # Errors
    /// There is none: the operation that no order reached, and how far the best one came.
    pub fn check(&self) -> Result<Verdict, Violation> {
        let mut search = Search::new(&self.model, &self.operations);
        let mut seen: BTreeSet<(Vec<u64>, M::State)> = BTreeSet::new();
        loop {
            if search.is_done() {
                return Ok(Verdict::Linearizable);
            }
            if seen.len() >= HISTORY_STATES_MAX {
                return Ok(Verdict::Undecided);
            }
            if !search.go_on(&mut seen) {
                return Err(self.refused(&search));
            }
        }
    }

    fn refused(&self, search: &Search<'_, M>) -> Violation {
        let (reached, stuck) = search.best();
        let known = self.operations.iter().filter(|operation| operation.returned.is_some()).count();
        let stuck = stuck.map_or_else(
            || "nothing is left".to_owned(),
            |at| {
                let Operation { client, call, invoked, returned, .. } = &self.operations[at];
                let (until, answer) = returned.as_ref().map_or((0, String::new()), |(at, answer)| {
                    (at.as_millis(), format!(" and answered {answer:?}"))
                });
                format!("client {client} called {call:?} from {} to {until} ms{answer}", invoked.as_millis())
            },
        );
        let what = format!(
            "no order explains what was answered: the best one reaches {reached} of {known} and not: {stuck}"
        );
        Violation::new("history", what)
    }
}

impl<M: Model> fmt::Debug for History<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("History").field("operations", &self.operations.len()).finish_non_exhaustive()
    }
}
