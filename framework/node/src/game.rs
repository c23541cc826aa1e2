//! The definition of a game: its contracts, actors, zones and rules, from which a node is built.
//!
//! *Responsible for*: collecting what the user registers and checking that it fits together.
//! *Not responsible for*: running any of it (`actor`, `zone`, the node).
//!
//! Invariants:
//! - I1: a definition is `Send` and holds no running thing; the same function makes the same game on a real node and in
//!   the simulator.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use lightmoon_actor::{Actor, Cx, Keeping, Kinds, Place, plain};
use lightmoon_contract::call::{Serve, ServeWorld};
use lightmoon_contract::operation::{ContractSpec, Durability, OperationSpec};
use lightmoon_contract::{ActorId, Contract, Descriptor, Kind, OperationNumber};
use lightmoon_zone::{
    DurableActor, Host, Probe, World, WorldActor, Zone, ZoneOptions, durable, host, visit, world_actor, zone,
};

use crate::NodeOptions;
use crate::error::Error;
use crate::identity::{Authenticate, Guests};

/// Puts one kind into a worker's registry; zones get what the node says over their options.
type Install = Box<dyn Fn(&mut Kinds, Above) + Send + Sync>;

/// What a node says over the options of all zones.
#[derive(Clone, Copy)]
pub(crate) struct Above {
    probe: Probe,
    #[cfg(feature = "flaws")]
    flaw: Option<lightmoon_zone::ReplicaFlaw>,
}

impl Above {
    pub(crate) const fn of(options: &NodeOptions) -> Self {
        Self {
            probe: options.probe,
            #[cfg(feature = "flaws")]
            flaw: options.replica_flaw,
        }
    }

    const fn over(self, options: ZoneOptions) -> ZoneOptions {
        ZoneOptions {
            probe: self.probe,
            #[cfg(feature = "flaws")]
            flaw: self.flaw,
            ..options
        }
    }
}

/// One registered contract.
struct Registered {
    spec: ContractSpec,
    ticking: bool,
    install: Install,
}

/// Which zone each player visits.
#[derive(Clone, Copy)]
struct Visits {
    kind: Kind,
    /// For people.
    contract: &'static str,
    zone_of: fn(u64) -> u64,
}

/// A game, as its author defines it.
///
/// Write `pub fn game() -> Game` in the server's library: the real node and the simulator both call it.
pub struct Game {
    descriptor: Descriptor,
    registered: Vec<Registered>,
    player: Option<Kind>,
    starts: Vec<ActorId>,
    places: BTreeMap<Kind, Place>,
    idle: BTreeMap<Kind, Option<Duration>>,
    /// Kinds of zones that players visit.
    hosts: BTreeSet<Kind>,
    visits: Option<Visits>,
    /// `None` until somebody chooses: guests.
    authenticate: Option<Box<dyn Authenticate>>,
}

impl Game {
    /// A game with the contracts of `descriptor` (made by `contracts!`) and nothing that answers them yet.
    #[must_use]
    pub fn new(descriptor: Descriptor) -> Self {
        Self {
            descriptor,
            registered: Vec::new(),
            player: None,
            starts: Vec::new(),
            places: BTreeMap::new(),
            idle: BTreeMap::new(),
            hosts: BTreeSet::new(),
            visits: None,
            authenticate: None,
        }
    }

    /// Answers contract `C` by actors of type `A`, and makes them the players: each session is bound to the one whose
    /// key is its [`Identity`](crate::Identity)'s player. They live in memory: see [`Self::player_world`] for players that
    /// are kept.
    #[must_use]
    pub fn player<C, A>(mut self) -> Self
    where
        C: Serve<A, Cx>,
        A: Actor,
    {
        self.player = Some(C::KIND);
        self.actor::<C, A>()
    }

    /// As [`Self::player`], with actors that have a bevy_ecs world of their own, which is kept.
    #[must_use]
    pub fn player_world<C, A>(mut self) -> Self
    where
        C: Serve<A, Cx>,
        A: WorldActor,
    {
        self.player = Some(C::KIND);
        self.world_actor::<C, A>()
    }

    /// As [`Self::player`], with actors whose state is kept.
    #[must_use]
    pub fn durable_player<C, A>(mut self) -> Self
    where
        C: Serve<A, Cx>,
        A: DurableActor,
    {
        self.player = Some(C::KIND);
        self.durable_actor::<C, A>()
    }

    /// Answers contract `C` by actors of type `A`, activated by the first call of their key. They live in memory.
    #[must_use]
    pub fn actor<C, A>(self) -> Self
    where
        C: Serve<A, Cx>,
        A: Actor,
    {
        self.register::<C>(false, |kinds, _| kinds.register(C::KIND, C::NAME, plain::<C, A>()))
    }

    /// Answers contract `C` by actors of type `A` whose state is kept, as each operation's durability says.
    #[must_use]
    pub fn durable_actor<C, A>(self) -> Self
    where
        C: Serve<A, Cx>,
        A: DurableActor,
    {
        self.register::<C>(false, |kinds, _| kinds.register(C::KIND, C::NAME, durable::<C, A>()))
    }

    /// Answers contract `C` by actors of type `A`, each with a bevy_ecs world that does not tick and is kept, as each
    /// operation's durability says.
    #[must_use]
    pub fn world_actor<C, A>(self) -> Self
    where
        C: Serve<A, Cx>,
        A: WorldActor,
    {
        self.register::<C>(false, |kinds, _| kinds.register(C::KIND, C::NAME, world_actor::<C, A>()))
    }

    /// Answers contract `C` by zones that [`Zone::build`] of `Z` builds, each with a bevy_ecs world of its own.
    #[must_use]
    pub fn zone<C, Z>(self, options: ZoneOptions) -> Self
    where
        C: ServeWorld<Z, Cx, World>,
        Z: Zone,
    {
        self.register::<C>(true, move |kinds, above| {
            kinds.register(C::KIND, C::NAME, zone::<C, Z>(above.over(options)));
        })
    }

    /// As [`Self::zone`], with zones that players visit: see [`Self::visits`].
    #[must_use]
    pub fn host<C, Z>(mut self, options: ZoneOptions) -> Self
    where
        C: ServeWorld<Z, Cx, World>,
        Z: Host,
    {
        self.hosts.insert(C::KIND);
        self.register::<C>(true, move |kinds, above| {
            kinds.register(C::KIND, C::NAME, host::<C, Z>(above.over(options)));
        })
    }

    /// Lets each player be in a zone of `C` while it has a session: the one whose key `zone_of` gives for the player's key. The
    /// zone gives it an avatar, its client looks at the zone, and when it is gone for good the avatar goes too: see [`Host`] for
    /// what is promised. The zone begins with the first visit unless it was [started](Self::start).
    ///
    /// Players are what [`Self::player`] and its like say, and visit besides; a game that says nothing has players that do nothing
    /// else. For players that choose their zone themselves, or travel, write an actor that calls [`Cx::attach`] instead.
    #[must_use]
    pub fn visits<C: Contract>(mut self, zone_of: fn(u64) -> u64) -> Self {
        self.visits = Some(Visits { kind: C::KIND, contract: C::NAME, zone_of });
        self
    }

    fn register<C: Contract>(
        mut self,
        ticking: bool,
        install: impl Fn(&mut Kinds, Above) + Send + Sync + 'static,
    ) -> Self {
        self.registered.push(Registered { spec: C::SPEC, ticking, install: Box::new(install) });
        self
    }

    /// Starts the actors of `C` with these keys when the node starts, instead of at their first call. For zones.
    #[must_use]
    pub fn start<C: Contract>(mut self, keys: impl IntoIterator<Item = u64>) -> Self {
        self.starts.extend(keys.into_iter().map(|key| ActorId::new(C::KIND, key)));
        self
    }

    /// Says which worker runs which actor of `C`, where a node has several: a number from the key and the number of workers, taken
    /// modulo the latter. It has to be a pure function. Without it zones go to the workers one after the other by key, all
    /// other actors by a hash of their key. For actors that talk much to each other: one worker is cheaper than two.
    #[must_use]
    pub fn place<C: Contract>(mut self, choose: fn(key: u64, workers: u16) -> u16) -> Self {
        self.places.insert(C::KIND, Place::Chosen(choose));
        self
    }

    /// Deactivates actors of `C` that served nothing for so long: their memory is free, and the next call makes or loads them
    /// again. `None`: never. Without it actors that are kept idle for ten minutes, and those that live in memory only are
    /// never deactivated, since they would forget. Actors that were started, tick, have an alarm or a session are left alone.
    #[must_use]
    pub fn idle_after<C: Contract>(mut self, length: Option<Duration>) -> Self {
        self.idle.insert(C::KIND, length);
        self
    }

    /// Lets clients in by `authenticate` instead of the development default, [`Guests`].
    #[must_use]
    pub fn authenticate(mut self, authenticate: impl Authenticate) -> Self {
        self.authenticate = Some(Box::new(authenticate));
        self
    }

    /// The contracts of the game.
    #[must_use]
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// What start-up has to say about logging in, if it is not fit for production.
    #[must_use]
    pub fn warning(&self) -> Option<&'static str> {
        match &self.authenticate {
            Some(authenticate) => authenticate.warning(),
            None => Guests.warning(),
        }
    }

    /// Whether the game left it to whoever runs it how clients log in: [`Self::authenticate`] was not called.
    #[must_use]
    pub fn is_open_to_guests(&self) -> bool {
        self.authenticate.is_none()
    }

    /// Checks the definition and takes it apart for a node.
    pub(crate) fn into_parts(self, above: Above) -> Result<Parts, Error> {
        let player = self.player.or_else(|| self.visits.map(|_| Kind::VISITOR)).ok_or(Error::NoPlayer)?;
        if let Some(Visits { kind, contract, .. }) = self.visits
            && !self.hosts.contains(&kind)
        {
            return Err(Error::VisitsNoHost(contract));
        }
        let mut operations = BTreeMap::new();
        let mut ticking = BTreeSet::new();
        let mut kinds = Kinds::default();
        let mut known: Vec<Kind> = Vec::new();
        let mut places = BTreeMap::new();
        for registered in &self.registered {
            let ContractSpec { name, kind, .. } = registered.spec;
            if known.contains(&kind) {
                return Err(Error::RegisteredTwice { kind, name });
            }
            if !self.descriptor.contracts.iter().any(|contract| contract.name == name) {
                return Err(Error::NotInDescriptor(name));
            }
            known.push(kind);
            if registered.ticking {
                ticking.insert(kind);
                places.insert(kind, Place::Spread);
            }
            operations.extend(registered.spec.operations.iter().map(|spec| ((kind, spec.number), spec)));
            (registered.install)(&mut kinds, above);
            check_promises(registered.spec, kinds.keeping(kind))?;
        }
        if let Some(start) = self.starts.iter().find(|start| !known.contains(&start.kind)) {
            return Err(Error::StartsUnknownKind { kind: start.kind, key: start.key });
        }
        let idle = self.idle;
        places.extend(self.places);
        let keeps = kinds.any_kept();
        Ok(Parts {
            descriptor: self.descriptor,
            keeps,
            recipe: Recipe {
                registered: self.registered.into(),
                idle: idle.into(),
                visitors: self.visits.map(|visits| (player, visits)),
                above,
            },
            places,
            operations: Operations {
                specs: operations,
                ticking,
                zones: self.starts.iter().copied().collect(),
            },
            player,
            starts: self.starts,
            authenticate: self.authenticate.unwrap_or_else(|| Box::new(Guests)),
        })
    }
}

/// Whether actors that are kept like this can hold what their operations promise.
fn check_promises(spec: ContractSpec, keeping: Option<Keeping>) -> Result<(), Error> {
    let contract = spec.name;
    let snapshots_ms = keeping.and_then(|keeping| keeping.snapshot_every).map(|every| every.as_millis());
    for OperationSpec { name: operation, durability, max_loss_ms, exactly_once, .. } in spec.operations {
        match (durability, snapshots_ms) {
            (Durability::Sync | Durability::Behind, _) if *exactly_once && keeping.is_none() => {
                return Err(Error::NothingKept { contract, operation });
            }
            (Durability::Sync, _) if keeping.is_none() => {
                return Err(Error::NothingKept { contract, operation });
            }
            (Durability::Behind, Some(snapshots_ms))
                if !exactly_once && u128::from(*max_loss_ms) < snapshots_ms =>
            {
                return Err(Error::SnapshotsTooRare { contract, operation, max_loss_ms: *max_loss_ms });
            }
            (Durability::None | Durability::Behind | Durability::Sync, _) => {}
        }
    }
    Ok(())
}

impl fmt::Debug for Game {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let contracts: Vec<&str> = self.registered.iter().map(|registered| registered.spec.name).collect();
        let zones = self.registered.iter().filter(|registered| registered.ticking).count();
        f.debug_struct("Game")
            .field("contracts", &contracts)
            .field("zones", &zones)
            .field("player", &self.player)
            .field("starts", &self.starts)
            .finish_non_exhaustive()
    }
}

/// A checked definition.
pub(crate) struct Parts {
    pub(crate) descriptor: Descriptor,
    /// Whether any kind keeps anything.
    pub(crate) keeps: bool,
    pub(crate) recipe: Recipe,
    pub(crate) places: BTreeMap<Kind, Place>,
    pub(crate) operations: Operations,
    pub(crate) player: Kind,
    pub(crate) starts: Vec<ActorId>,
    pub(crate) authenticate: Box<dyn Authenticate>,
}

/// Makes the kinds of a game anew for each worker, on its thread.
#[derive(Clone)]
pub(crate) struct Recipe {
    registered: Arc<[Registered]>,
    idle: Arc<BTreeMap<Kind, Option<Duration>>>,
    /// The kind of players that visit, and whom.
    visitors: Option<(Kind, Visits)>,
    above: Above,
}

impl Recipe {
    pub(crate) fn kinds(&self) -> Kinds {
        let mut kinds = Kinds::default();
        self.registered.iter().for_each(|registered| (registered.install)(&mut kinds, self.above));
        if let Some((player, Visits { kind: zones, zone_of, .. })) = self.visitors {
            if player == Kind::VISITOR {
                kinds.register(player, "Visitor", visit::player(None, zones, zone_of));
            } else {
                kinds.wrap(player, |inner| visit::player(Some(inner), zones, zone_of));
            }
        }
        kinds
    }

    /// How long kinds may idle of which the game says so.
    pub(crate) fn idle(&self) -> impl Iterator<Item = (Kind, Option<Duration>)> + '_ {
        self.idle.iter().map(|(kind, length)| (*kind, *length))
    }
}

/// Every operation of the game, found by number.
#[derive(Debug)]
pub(crate) struct Operations {
    specs: BTreeMap<(Kind, OperationNumber), &'static OperationSpec>,
    ticking: BTreeSet<Kind>,
    zones: BTreeSet<ActorId>,
}

impl Operations {
    /// The operation `number` of `kind`.
    pub(crate) fn find(&self, kind: Kind, number: OperationNumber) -> Option<&'static OperationSpec> {
        self.specs.get(&(kind, number)).copied()
    }

    /// Whether actors of this kind are worlds that tick.
    pub(crate) fn is_ticking(&self, kind: Kind) -> bool {
        self.ticking.contains(&kind)
    }

    /// Whether a client may bring this actor to life by naming it. Plain actors are virtual; a zone ticks from then on,
    /// so one client could fill a node with worlds: it reaches those that the game starts.
    pub(crate) fn may_be_named(&self, actor: ActorId) -> bool {
        !self.is_ticking(actor.kind) || self.zones.contains(&actor)
    }
}
