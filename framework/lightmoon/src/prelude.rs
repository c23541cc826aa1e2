//! What a game's server needs most, in one line: `use lightmoon::prelude::*;`.
//!
//! *Responsible for*: names used in nearly every file of a game. *Not responsible for*: the rest; take that from
//! [`actor`](crate::actor), [`contract`](crate::contract), [`zone`](crate::zone) and [`node`](crate::node).

pub use crate::{App, Failure, Game};
