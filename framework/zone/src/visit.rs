//! Visits: players that are in a zone while they have a session, each with one avatar there.
//!
//! *Responsible for*: [`Host`], what a zone does for players that come and go; [`Avatar`], whose entity it is; [`player()`], the
//! player's side. *Not responsible for*: sessions and which client sees what (`node`, `replication`), players that move from zone
//! to zone: those attach themselves.
//!
//! ```text
//! node ─ Connected ─► player ─ Enter ─► zone: has an avatar of this player? else Host::enter makes one
//!                     player ◄ Entered ─┘
//!                     player ─ attach ─► session
//! node ─ Disconnected ► player … no session for VISIT_GRACE ─ Leave ─► zone: Host::leave
//! ```
//!
//! All of it is one-way messages that always find room. What may be lost with an activation that panics comes again: the player
//! asks until it has an answer, and a zone looks itself for avatars whose players do not look at it.
//!
//! Invariants:
//! - I1: a player has at most one avatar in a zone: [`Host::enter`] is called only while it has none there.
//! - I2: while a player has a session it has an avatar in its zone, and its session is attached to it; [`Host::enter`] may
//!   refuse, and is asked again.
//! - I3: [`Host::leave`] is called once for each avatar: when its player has had no session for
//!   [`VISIT_GRACE`](crate::limits::VISIT_GRACE), or, if nobody could say so, when its player has not looked at the zone for
//!   [`ADRIFT_AFTER`]. What a crash undid happens again with what it undid.

mod player;

use std::collections::{BTreeMap, BTreeSet};

use bevy_ecs::prelude::*;
use bevy_ecs::world::DeferredWorld;
use lightmoon_actor::Cx;
use lightmoon_contract::{Caller, NetId, Persist, Tick, data};

use crate::build::Zone;
use crate::identity::NetIdentity;
use crate::limits::{ADRIFT_AFTER, VIEWERS_MAX};
use crate::persist::touched;
use crate::time::ZoneTime;
use crate::viewers::Viewers;

pub use player::player;

/// A kind of zones that players visit: register it with `Game::host`, and say with `Game::visits` who visits which.
///
/// ```
/// use bevy_ecs::prelude::*;
/// use lightmoon_contract::data;
/// use lightmoon_zone::{Host, Zone, ZoneBuilder};
///
/// #[data(persist = "dot")]
/// #[derive(Component, Clone, Default)]
/// struct Dot {
///     x: f32,
/// }
///
/// struct Meadow;
///
/// impl Zone for Meadow {
///     const KEEPS: bool = true;
///
///     fn build(zone: &mut ZoneBuilder<'_>) {
///         zone.persist::<Dot>();
///     }
/// }
///
/// impl Host for Meadow {
///     fn enter(world: &mut World, _player: u64) -> Option<Entity> {
///         Some(world.spawn(Dot::default()).id())
///     }
/// }
/// ```
///
/// # What is promised
///
/// - A player has one avatar in the zone as long as it has a session, and its client looks at the zone as this avatar.
/// - `enter` is called only if the zone has no avatar of the player: not when its connection broke and came back, not when it
///   logs in a second time, and not when it is back within two seconds, as after a page was loaded again.
/// - `leave` is called once for each avatar.
/// - **The zone panics.** What is not kept is gone, and `enter` is called again for each player; avatars of a zone that keeps are
///   there as they were stored. Clients follow by themselves.
/// - **`enter` itself panics.** It is called again after 40 seconds, then after twice as long each time: the others play on.
/// - **The player's actor panics.** Its avatar stays, and its session is attached to it again.
/// - **The process dies.** Avatars of a zone that keeps are there as they were stored. Who comes back within 30 seconds has its own
///   again; for the others `leave` is then called. So who left just before a crash may be seen again for this time.
///
/// What is stored of a zone that hosts has its avatars in it, and is read by zones that host.
pub trait Host: Zone {
    /// Makes the avatar of a player: any entity that is nobody's yet. `None`: not now, since the zone is full or closing; asked
    /// again in growing intervals of up to ten seconds for as long as the player has a session.
    fn enter(world: &mut World, player: u64) -> Option<Entity>;

    /// A player is gone; by default its avatar is despawned. What is still there after this call is no avatar any more.
    fn leave(world: &mut World, avatar: Entity) {
        world.despawn(avatar);
    }
}

/// Whose avatar an entity is; on those that [`Host::enter`] made. It is kept with an entity that is kept, clients do not see it.
///
/// An avatar has a [`NetIdentity`]. A game may despawn it: its player looks on as nobody until it logs in again.
#[data]
#[derive(Component, Clone, Copy, PartialEq, Eq, Debug, Default)]
#[component(immutable)]
pub struct Avatar {
    player: u64,
}

impl Persist for Avatar {
    const NAME: &'static str = "lightmoon.avatar";
}

impl Avatar {
    /// Key of the player.
    #[must_use]
    pub const fn player(&self) -> u64 {
        self.player
    }

    /// The avatar of this player in this world.
    #[must_use]
    pub fn of(world: &World, player: u64) -> Option<Entity> {
        world.get_resource::<Avatars>()?.by_player.get(&player).copied()
    }

    /// The avatar of the client that called this operation; `None`: it has none, or nobody's client called.
    #[must_use]
    pub fn of_caller(world: &World, cx: &Cx) -> Option<Entity> {
        let Caller::Client { player, .. } = cx.caller() else { return None };
        Self::of(world, player)
    }

    /// What the avatar of the client that called this operation has of `C`; `None`: it has none, or there is no such avatar.
    pub fn of_caller_mut<'w, C>(world: &'w mut World, cx: &Cx) -> Option<Mut<'w, C>>
    where
        C: Component<Mutability = bevy_ecs::component::Mutable>,
    {
        let avatar = Self::of_caller(world, cx)?;
        world.get_mut::<C>(avatar)
    }

    /// Puts components on the avatar of the client that called this operation, in the place of those it has; whether it has an
    /// avatar.
    pub fn put(world: &mut World, cx: &Cx, components: impl Bundle) -> bool {
        let avatar = Self::of_caller(world, cx).and_then(|avatar| world.get_entity_mut(avatar).ok());
        avatar.map(|mut avatar| avatar.insert(components).id()).is_some()
    }
}

/// What a kind of zones does for visitors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hosting {
    enter: fn(&mut World, u64) -> Option<Entity>,
    leave: fn(&mut World, Entity),
}

impl Hosting {
    pub(crate) const fn of<Z: Host>() -> Self {
        Self { enter: Z::enter, leave: Z::leave }
    }

    /// The player's avatar, which is made if there is none.
    pub(crate) fn enter(self, world: &mut World, player: u64) -> Option<NetId> {
        let avatar = match Avatar::of(world, player) {
            Some(avatar) => avatar,
            None => self.make(world, player)?,
        };
        world.get::<NetIdentity>(avatar).map(NetIdentity::id)
    }

    fn make(self, world: &mut World, player: u64) -> Option<Entity> {
        if world.resource::<Avatars>().by_player.len() >= VIEWERS_MAX {
            return None;
        }
        let avatar = (self.enter)(world, player)?;
        let mut entity = world.entity_mut(avatar);
        assert!(!entity.contains::<Avatar>(), "`enter` gave an entity that is a player's avatar already");
        entity.insert(Avatar { player });
        // Observers identify it.
        world.flush();
        Some(avatar)
    }

    /// The player is gone; nothing happens if it has no avatar.
    pub(crate) fn leave(self, world: &mut World, player: u64) {
        let Some(avatar) = Avatar::of(world, player) else { return };
        (self.leave)(world, avatar);
        if let Ok(mut left) = world.get_entity_mut(avatar) {
            left.remove::<Avatar>();
        }
        world.flush();
    }

    /// Once a second: lets avatars go whose players have not looked for long.
    pub(crate) fn let_adrift_go(self, world: &mut World) {
        let time = world.resource::<ZoneTime>();
        let (now, rate) = (time.tick(), u64::from(time.rate_hz()).max(1));
        if !now.0.is_multiple_of(rate) {
            return;
        }
        let looking: BTreeSet<u64> = world.resource::<Viewers>().iter().map(|viewer| viewer.player).collect();
        let patience = ADRIFT_AFTER.as_secs() * rate;
        for player in world.resource_mut::<Avatars>().adrift(now, patience, &looking) {
            self.leave(world, player);
        }
    }
}

/// The avatars of a zone. Observers keep it, so it has exactly those that there are.
#[derive(Resource, Debug, Default)]
pub(crate) struct Avatars {
    by_player: BTreeMap<u64, Entity>,
    /// Since when those are unseen whose players do not look.
    unseen: BTreeMap<u64, Tick>,
}

impl Avatars {
    /// Players that have not looked for `patience` ticks.
    fn adrift(&mut self, now: Tick, patience: u64, looking: &BTreeSet<u64>) -> Vec<u64> {
        let Self { by_player, unseen } = self;
        unseen.retain(|player, _| by_player.contains_key(player) && !looking.contains(player));
        let mut adrift = Vec::new();
        for player in by_player.keys().filter(|player| !looking.contains(player)) {
            let since = unseen.entry(*player).or_insert(now);
            if now.0.saturating_sub(since.0) >= patience {
                adrift.push(*player);
            }
        }
        adrift
    }
}

/// Makes a world one that is visited.
pub(crate) fn install(world: &mut World) {
    world.init_resource::<Avatars>();
    world.add_observer(enlist);
    world.add_observer(strike);
    world.add_observer(crate::identity::on_add::<Avatar>);
}

/// An observer that enters a new avatar.
fn enlist(added: On<'_, '_, Add<Avatar>>, mut world: DeferredWorld<'_>) {
    let (entity, avatar) = (added.entity, world.get::<Avatar>(added.entity).copied());
    if let Some(Avatar { player }) = avatar {
        world.resource_mut::<Avatars>().by_player.insert(player, entity);
    }
}

/// An observer that strikes an avatar that is none any more.
fn strike(removed: On<'_, '_, Remove<Avatar>>, mut world: DeferredWorld<'_>) {
    let (entity, avatar) = (removed.entity, world.get::<Avatar>(removed.entity).copied());
    let Some(Avatar { player }) = avatar else { return };
    let mut avatars = world.resource_mut::<Avatars>();
    if avatars.by_player.get(&player) == Some(&entity) {
        avatars.by_player.remove(&player);
    }
    let identity = world.get::<NetIdentity>(entity).copied();
    if let Some(identity) = identity {
        touched::loses(&mut world, entity, identity.id());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lightmoon_contract::codec;

    #[test]
    fn who_looks_is_not_adrift_and_who_looks_again_begins_anew() {
        let mut avatars = Avatars::default();
        for player in [1, 2] {
            avatars.by_player.insert(player, Entity::PLACEHOLDER);
        }
        let looking = |players: &[u64]| players.iter().copied().collect::<BTreeSet<u64>>();
        assert!(avatars.adrift(Tick(20), 40, &looking(&[1])).is_empty());
        assert!(avatars.adrift(Tick(40), 40, &looking(&[1])).is_empty());
        assert_eq!(avatars.adrift(Tick(60), 40, &looking(&[1])), [2]);
        assert!(avatars.adrift(Tick(61), 40, &looking(&[1, 2])).is_empty());
        assert!(avatars.adrift(Tick(80), 40, &looking(&[])).is_empty());
        assert_eq!(avatars.adrift(Tick(120), 40, &looking(&[])), [1, 2]);
    }

    #[test]
    fn what_is_stored_of_an_avatar_stays_as_it_is() {
        assert_eq!((Avatar::NAME, Avatar::VERSION), ("lightmoon.avatar", 1));
        assert_eq!(codec::encode(&Avatar { player: 300 }), [3, 251, 44, 1]);
    }
}
