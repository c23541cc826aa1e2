//! Which clients' contracts fit the server's, remembered by fingerprint.
//!
//! *Responsible for*: verdicts, and a bound on how many are kept. *Not responsible for*: the comparison itself
//! (`lightmoon_contract::descriptor`), asking for descriptors (`server`).
//!
//! Invariants:
//! - I1: a verdict is kept under the fingerprint computed from the descriptor, never under one that was only claimed:
//!   nobody can spoil the verdict of another build.
//! - I2: at most [`limits::VERDICTS_MAX`] verdicts are kept; the oldest is forgotten first.

use std::collections::VecDeque;

use lightmoon_contract::{Descriptor, Fingerprint, descriptor};

use crate::close::cut_reason;
use crate::limits;

/// Whether a client's contracts fit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// They fit.
    Compatible,
    /// They do not; the text names the field.
    Incompatible(String),
}

/// The server's descriptor and the verdicts about others. One per node.
#[derive(Debug)]
pub struct Compatibility {
    ours: Descriptor,
    fingerprint: Fingerprint,
    verdicts: VecDeque<(Fingerprint, Verdict)>,
    learned: u64,
    forgotten: u64,
}

impl Compatibility {
    /// Knows only that `ours` fits itself.
    #[must_use]
    pub fn new(ours: Descriptor) -> Self {
        let fingerprint = ours.fingerprint();
        Self { ours, fingerprint, verdicts: VecDeque::new(), learned: 0, forgotten: 0 }
    }

    /// What is known about a fingerprint; `None`: its descriptor is needed.
    #[must_use]
    pub fn verdict(&self, fingerprint: Fingerprint) -> Option<Verdict> {
        if fingerprint == self.fingerprint {
            return Some(Verdict::Compatible);
        }
        self.verdicts.iter().find(|(known, _)| *known == fingerprint).map(|(_, verdict)| verdict.clone())
    }

    /// Compares a client's descriptor and remembers the verdict, unless the descriptor is not the one it claims to be.
    pub fn learn(&mut self, claimed: Fingerprint, descriptor: &[u8]) -> Verdict {
        let theirs = match Descriptor::from_bytes(descriptor) {
            Ok(theirs) => theirs,
            Err(error) => return Verdict::Incompatible(format!("the descriptor could not be read: {error}")),
        };
        if theirs.fingerprint() != claimed {
            return Verdict::Incompatible(
                "the descriptor does not have the fingerprint that Hello named".to_owned(),
            );
        }
        let verdict = match descriptor::check_compatible(&self.ours, &theirs) {
            Ok(()) => Verdict::Compatible,
            Err(incompatible) => Verdict::Incompatible(cut_reason(incompatible.to_string())),
        };
        if self.verdicts.len() == limits::VERDICTS_MAX {
            self.verdicts.pop_front();
            self.forgotten += 1;
        }
        self.learned += 1;
        self.verdicts.push_back((claimed, verdict.clone()));
        verdict
    }

    /// Descriptors compared so far.
    #[must_use]
    pub const fn learned(&self) -> u64 {
        self.learned
    }

    /// Verdicts forgotten so far because too many were known.
    #[must_use]
    pub const fn forgotten(&self) -> u64 {
        self.forgotten
    }
}
