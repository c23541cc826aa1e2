//! What a game's server needs most, in one line: `use lightmoon::prelude::*;`.
//!
//! *Responsible for*: names used in nearly every file of a game. *Not responsible for*: the rest; take that from
//! [`actor`](crate::actor), [`contract`](crate::contract), [`zone`](crate::zone) and [`node`](crate::node).

pub use crate::{App, Extension, Failure, Game, Ready, Setting, Settings, Verb};
pub use lightmoon_actor::{Actor, Cx};
pub use lightmoon_contract::{
    ActorId, ActorRef, CallError, Caller, Mono, NetId, Priority, Reliability, SessionId, Tick, contract,
    contracts, data, replicate,
};
pub use lightmoon_node::{Authenticate, Denied, Identity};
pub use lightmoon_zone::{
    ActorWorld, AlwaysVisible, Audience, Avatar, DurableActor, First, Host, InterestOptions, Last,
    NetIdentity, NetIds, Optional, Outgoing, Overload, TickRate, Update, Viewers, WorldActor, WorldBuilder,
    Zone, ZoneBuilder, ZoneOptions, ZoneRandom, ZoneTime,
};
