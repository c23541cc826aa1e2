//! What can be wrong with a game's definition.
//!
//! *Responsible for*: errors of building a node. *Not responsible for*: errors of calls (`contract::CallError`).

use lightmoon_contract::Kind;

/// Why a node could not be built from a game. All are faults of the game's definition; a retry changes nothing.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No contract was named as the player's. Call `Game::player` once, or `Game::visits`.
    #[error("the game has no player: call `Game::player::<YourContract, YourActor>()`, or `Game::visits`")]
    NoPlayer,
    /// Players are to visit zones that host nobody. Implement `Host` for the zone and register it with `Game::host`.
    #[error(
        "players are to visit {0}, which hosts nobody: register it with `Game::host` instead of `Game::zone`"
    )]
    VisitsNoHost(&'static str),
    /// One contract was registered twice. Remove one of the two.
    #[error("kind {kind} ({name}) is registered twice")]
    RegisteredTwice {
        /// Number of the kind.
        kind: Kind,
        /// Name of the contract.
        name: &'static str,
    },
    /// A contract is not in the game's descriptor. Add it to `contracts!`.
    #[error("contract {0} is registered but missing in `contracts!`")]
    NotInDescriptor(&'static str),
    /// An operation promises that its effect is durable, or takes place exactly once, but its actors live in memory. Register them with
    /// `Game::durable_actor`, `Game::world_actor` or a zone with `const KEEPS`, or leave the promise out.
    #[error(
        "{contract}.{operation} is `durability = sync` or `exactly_once`, but its actors are kept nowhere: register them with \
         `Game::durable_actor`, `Game::world_actor`, `Game::player_world`, or give the zone `const KEEPS: bool = true`"
    )]
    NothingKept {
        /// Name of the contract.
        contract: &'static str,
        /// Name of the operation.
        operation: &'static str,
    },
    /// An operation of a zone promises to lose less than its snapshots can hold. Lower `ZoneOptions::max_loss`, or raise the
    /// operation's `max_loss_ms`.
    #[error(
        "{contract}.{operation} may lose {max_loss_ms} ms at most, but its zone is saved less often: lower \
         `ZoneOptions::max_loss`, or raise the operation's `max_loss_ms`"
    )]
    SnapshotsTooRare {
        /// Name of the contract.
        contract: &'static str,
        /// Name of the operation.
        operation: &'static str,
        /// What it promises.
        max_loss_ms: u32,
    },
    /// A zone to be started is of a kind that is not registered. Call `Game::zone` for it.
    #[error("zone {kind}/{key} is to be started, but its kind is not registered")]
    StartsUnknownKind {
        /// Number of the kind.
        kind: Kind,
        /// Key of the zone.
        key: u64,
    },
}
