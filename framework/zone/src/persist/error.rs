//! Why stored bytes are no world.
//!
//! *Responsible for*: the reasons. *Not responsible for*: what follows from them (`lightmoon_actor::Unreadable`).

use std::error::Error;
use std::fmt::Write as _;

use lightmoon_actor::Unreadable;
use lightmoon_contract::{ActorId, DecodeError, NetId, UpgradeError};
use lightmoon_durable::RecordError;

/// Why something stored cannot be read. Nothing is retried: the bytes stay as they are until a build or a person can
/// read them.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// A record is damaged, newer, or another one: restore the store, or run the newer build.
    #[error("a record cannot be read")]
    Record(#[from] RecordError),
    /// The inside of a record is not what it should be: as a damaged record, but its checksum is right.
    #[error("the inside of a record cannot be read")]
    Malformed(#[from] DecodeError),
    /// Parts of a snapshot are missing or belong to others.
    #[error("part {part} of a snapshot is not the one that belongs there")]
    WrongPart {
        /// Its place.
        part: usize,
    },
    /// An entity is cut off.
    #[error("a snapshot ends in the middle of an entity")]
    CutOff,
    /// Every byte is right, but they are not all of the world.
    #[error("the snapshot of tick {tick} does not add up: entities are missing or changed")]
    Check {
        /// Which snapshot.
        tick: u64,
    },
    /// An id names a resource where an entity should stand, or the other way round.
    #[error("`{name}` of {id} does not belong there")]
    WrongPlace {
        /// The type.
        name: String,
        /// Where it stands.
        id: NetId,
    },
    /// A value is of no type that its record names: as a damaged record, but its checksum is right.
    #[error("a value is of column {0}, which its record does not name")]
    NoColumn(usize),
    /// This build keeps no such type: register it, run the build that does, or let it be left out.
    #[error(
        "this build keeps nothing with the name `{0}`: run a build that does, or leave it out for ever with `retire(\"{0}\")`"
    )]
    Unknown(String),
    /// A newer build wrote it: run that build.
    #[error("`{name}` has version {found} in the store, this build reads up to {known}")]
    Newer {
        /// The type.
        name: String,
        /// The version in the store.
        found: u16,
        /// The version of this build.
        known: u16,
    },
    /// The game's code cannot read an older version.
    #[error("an older version cannot be read")]
    Upgrade(#[from] UpgradeError),
    /// The bytes are no value of their type: the type was changed without a new version.
    #[error(
        "the bytes of `{name}` version {version} are no value of it: was it changed without a new version?"
    )]
    Value {
        /// The type.
        name: String,
        /// The version.
        version: u16,
        /// What is wrong with them.
        #[source]
        source: DecodeError,
    },
}

impl ReadError {
    /// The same for the worker, which only knows that the actor cannot be.
    pub(crate) fn of(&self, contract: &str, actor: ActorId) -> Unreadable {
        Unreadable(format!("{contract} {actor}: {}", self.plain()))
    }

    /// The same for whoever knows what was read.
    pub(crate) fn plain(&self) -> Unreadable {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            write!(text, ": {error}").expect("a string takes everything");
            cause = error.source();
        }
        Unreadable(text)
    }
}
