//! What an operator is told when something cannot be done.
//!
//! *Responsible for*: one sentence of what is wrong, what to do about it, and the exit code. *Not responsible for*:
//! errors that programs look at; those are the crates' own enums.

use std::fmt;
use std::process::ExitCode;

/// Exit code of a node that may not go on because another one owns its store: "try again later" in `sysexits.h`. A
/// supervising parent starts the next node, which then takes the store over.
pub(crate) const FENCED: u8 = 75;

/// Why a command ends without having done its work: a sentence for people and an exit code.
///
/// Sentences are lower case without a full stop, so that they can be joined.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    what: String,
    advice: String,
    code: u8,
}

impl Failure {
    /// What is wrong, and what to do about it; exit code 1.
    #[must_use]
    pub fn new(what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { what: what.into(), advice: advice.into(), code: 1 }
    }

    /// The same for a wrong argument; exit code 2.
    #[must_use]
    pub fn wrong_arguments(what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { code: 2, ..Self::new(what, advice) }
    }

    /// Another node has taken over the store, and this one may do nothing more; exit code 75.
    #[must_use]
    pub(crate) fn fenced(reason: &str) -> Self {
        let what = format!("another server has taken over the stored state ({reason}), so this one stops");
        Self { code: FENCED, ..Self::new(what, "let only one server use a store") }
    }

    /// The process's exit code: 1, 2 for wrong arguments, or 75 when another server took over the store.
    #[must_use]
    pub fn code(&self) -> u8 {
        self.code
    }

    /// The same as the type that `main` returns.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if self.advice.is_empty() {
            return Ok(());
        }
        write!(f, "; {}", self.advice)
    }
}

impl std::error::Error for Failure {}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::new(format!("{error:#}"), "")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fenced_node_ends_with_the_code_that_its_parent_knows() {
        let failure = Failure::fenced("generation 8 > 7");
        assert_eq!(failure.code(), 75);
        assert!(failure.to_string().contains("generation 8 > 7"), "{failure}");
    }
}
