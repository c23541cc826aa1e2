//! What a store answers.
//!
//! *Responsible for*: the outcomes and what each asks of the caller. *Not responsible for*: acting on them (`durable`,
//! `cluster`).

use std::fmt;

use bytes::Bytes;

use crate::{Head, Request, Row};

/// What came of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It happened and will last. Go on.
    Done(Done),
    /// A commit's condition did not hold; nothing happened. Ownership or a race is lost: decide by the head that is there
    /// (`None`: no such partition), do not repeat.
    Refused(Option<Head>),
    /// It may have happened or happen yet (a time-out). Read serially, then decide; never repeat blindly.
    Unknown,
    /// Nothing was sent; a repeat is safe.
    Unavailable,
    /// What the request needs is stored, but has changed since it was written: nothing was done, and a repeat changes
    /// nothing. Do without it, or stop; an operator restores a copy. Other requests are not touched by it.
    Damaged,
}

/// What a request that happened gives back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Done {
    /// Of a commit, a chunk, an append or a removal.
    Written,
    /// Of a read.
    Page(Page),
    /// Of a scan: keys of partitions, ascending.
    Partitions(Vec<Bytes>),
}

/// Rows of one partition.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Page {
    /// The head, also when no row is in range; `None`: there is no such partition, or its area has no heads.
    pub head: Option<Head>,
    /// Rows in range, ascending by key.
    pub rows: Vec<Row>,
    /// Whether more rows are in range behind these; go on with [`crate::KeyRange::after`].
    pub more: bool,
}

/// A request that was not taken; nothing was sent.
#[derive(Debug, thiserror::Error)]
#[error("{why}")]
pub struct Rejected {
    /// Why.
    pub why: Why,
    /// The request itself.
    pub request: Box<Request>,
}

/// Why a request was not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Why {
    /// It is larger than any store takes: a fault of who made it. Do not repeat.
    #[error("{name}: {value} is more than {max}")]
    OverLimit {
        /// The limit in [`crate::limits`].
        name: &'static str,
        /// What the request has.
        value: usize,
        /// What it may have.
        max: usize,
    },
    /// A commit without a single test would overwrite what another owner wrote. Do not repeat.
    #[error("a commit needs a condition")]
    Unconditional,
    /// A new partition without a field in its head: no condition could ever hold for it again. Do not repeat.
    #[error("a new partition needs a field in its head")]
    Headless,
    /// A page of no rows would never end. Do not repeat.
    #[error("a page holds at least one row")]
    EmptyPage,
    /// Too many requests are under way. Repeat after the next outcome.
    #[error("too many requests are under way")]
    Busy,
}

impl Rejected {
    /// The request, handed back.
    #[must_use]
    pub fn new(why: Why, request: Request) -> Self {
        Self { why, request: Box::new(request) }
    }
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Written => f.write_str("written"),
            Self::Page(page) => write!(f, "{} rows", page.rows.len()),
            Self::Partitions(keys) => write!(f, "{} partitions", keys.len()),
        }
    }
}
