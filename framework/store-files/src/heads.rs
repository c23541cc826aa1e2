//! Heads kept decoded.
//!
//! *Responsible for*: a bounded cache of heads, also of absent ones. *Not responsible for*: heads that a group is about
//! to write (`group`).
//!
//! Invariants:
//! - I1: it holds what the engine holds: heads enter when they were read or when their batch has succeeded.
//! - I2: two generations of at most [`limits::HEADS_CACHED_MAX`]; what is used moves to the newer one.

use std::collections::HashMap;

use lightmoon_store::Head;

use crate::engine::{Engine, ReadError};
use crate::limits;
use crate::place::Tag;
use crate::record;

/// The cache.
#[derive(Debug, Default)]
pub(crate) struct Heads {
    newer: HashMap<Vec<u8>, Option<Head>>,
    older: HashMap<Vec<u8>, Option<Head>>,
}

impl Heads {
    /// The head at a place, from here or from the engine.
    pub(crate) fn get(&mut self, engine: &Engine, at: &[u8]) -> Result<Option<Head>, ReadError> {
        if let Some(head) = self.newer.get(at) {
            return Ok(head.clone());
        }
        let head = match self.older.remove(at) {
            Some(head) => head,
            None => engine.get(Tag::Heads, at, record::head)?,
        };
        self.set(at.to_vec(), head.clone());
        Ok(head)
    }

    /// What a batch has written.
    pub(crate) fn set_all(&mut self, heads: HashMap<Vec<u8>, Option<Head>>) {
        #[expect(clippy::iter_over_hash_type, reason = "the order of entering a map shows nowhere")]
        for (at, head) in heads {
            self.older.remove(&at);
            self.set(at, head);
        }
    }

    fn set(&mut self, at: Vec<u8>, head: Option<Head>) {
        if self.newer.len() >= limits::HEADS_CACHED_MAX {
            self.older = std::mem::take(&mut self.newer);
        }
        self.newer.insert(at, head);
    }
}
