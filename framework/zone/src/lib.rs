//! Zones: bevy_ecs worlds as actors, with a fixed tick, interest and replication.
//!
//! *Responsible for*: building a zone from what a game registers, running its tick, finding what each viewer sees, and
//! telling it; what of worlds is kept, and its way back. *Not responsible for*: bytes on the wire (`lightmoon_replica`),
//! sessions (`node`), commits (`lightmoon_durable`).
//!
//! Components, systems, observers, run conditions and schedules are bevy_ecs's own; nothing wraps them. Each world runs on
//! one thread. Layer: above `contract`, `actor`, `durable` and `replica`. Pure: the worker passes in time and seed.
//!
//! The phases of a tick:
//!
//! 1. Operations have run since the last tick, in order of arrival, each when it came.
//! 2. The schedules [`First`], [`Update`], [`Last`]; then messages between systems are rotated.
//! 3. Replicated components are read once, and encoded once, for all viewers.
//! 4. Interest: who comes into view, who leaves.
//! 5. [`Outgoing`] is emptied; each viewer is sent its View payload (reliable) and its state packet (newest wins).
//!
//! Invariants:
//! - I1: everything that leaves a zone is a function of its seed, operations and ticks.
//! - I2: a tick whose systems panicked publishes nothing.
//! - I3: [`NetIdentity`] names an entity for ever, `Entity` never leaves the world.

pub mod audit;
mod build;
mod builder;
mod chart;
mod columns;
mod durable_actor;
mod hash;
mod identity;
mod inspect;
#[doc(hidden)]
pub mod interest;
mod kind;
pub mod limits;
mod look;
mod options;
mod outgoing;
mod overload;
mod persist;
pub mod phase;
mod random;
mod replication;
mod report;
mod schedule;
mod stored;
mod tick;
mod tick_times;
mod time;
mod viewers;
pub mod visit;
mod world_actor;

pub use bevy_ecs::world::World;
pub use build::{Ticking, Zone, ZoneBuilder};
pub use builder::{Builder, KeptComponents, Sort, Still};
pub use chart::{ChartPlace, ChartViewer, ZoneChart};
pub use durable_actor::{DurableActor, durable};
pub use hash::state_hash;
pub use identity::{AlwaysVisible, NetIdentity, NetIds};
pub use interest::InterestOptions;
pub use kind::{host, zone};
#[cfg(feature = "flaws")]
pub use lightmoon_replica::Flaw as ReplicaFlaw;
pub use look::{EntityLook, ZoneLook};
pub use options::{Probe, ZoneOptions};
pub use outgoing::{Audience, Outgoing};
pub use overload::{Optional, Overload, Rung};
pub use persist::touched::persisted_hash;
pub use random::ZoneRandom;
pub use report::{Counters, PhaseTimes, Phases, ZoneReport};
pub use schedule::{First, Last, Update};
pub use tick_times::TickTimes;
pub use time::{TickRate, ZoneTime};
pub use viewers::{ViewerInfo, Viewers};
pub use visit::{Avatar, Host};
pub use world_actor::{ActorWorld, WorldActor, WorldBuilder, world_actor};
