//! One answer: each call of a client is answered exactly once, by a value or an error.
//!
//! *Responsible for*: calls and answers by number. *Not responsible for*: what an answer says.

use std::collections::BTreeMap;

use lightmoon_contract::Mono;

use super::{ClientNumber, Violation};

/// The checker.
#[derive(Debug, Default)]
pub struct Answers {
    /// Open calls and when each must be answered.
    open: BTreeMap<(ClientNumber, u64), Mono>,
    /// Calls made.
    pub called: u64,
    /// Calls answered.
    pub answered: u64,
}

impl Answers {
    /// A client made a call that must be answered by `until`.
    ///
    /// # Errors
    /// A call with this number is open.
    pub fn called(&mut self, client: ClientNumber, call: u64, until: Mono) -> Result<(), Violation> {
        self.called += 1;
        match self.open.insert((client, call), until) {
            None => Ok(()),
            Some(_) => Err(Violation::new("answers", format!("{client} made call {call} twice"))),
        }
    }

    /// A client got an answer.
    ///
    /// # Errors
    /// There is no such open call: it was answered before, or never made.
    pub fn answered(&mut self, client: ClientNumber, call: u64) -> Result<(), Violation> {
        self.answered += 1;
        match self.open.remove(&(client, call)) {
            Some(_) => Ok(()),
            None => Err(Violation::new(
                "answers",
                format!("{client} got an answer for call {call}, which is not open"),
            )),
        }
    }

    /// Looks for calls whose time is over.
    ///
    /// # Errors
    /// A call was not answered in time.
    pub fn check(&self, now: Mono) -> Result<(), Violation> {
        match self.open.iter().find(|(_, until)| **until < now) {
            None => Ok(()),
            Some(((client, call), until)) => {
                let what = format!("{client} got no answer for call {call} until {} ms", until.as_millis());
                Err(Violation::new("answers", what))
            }
        }
    }
}
