//! Who looks at the zone.
//!
//! *Responsible for*: [`Viewers`] for systems, and what is kept of each viewer between ticks.
//! *Not responsible for*: packets (`replication`). The node subscribes; systems only read.

use std::collections::BTreeMap;

use bevy_ecs::resource::Resource;
use lightmoon_contract::{NetId, SessionId};
use lightmoon_replica::IndexCounter;

/// One viewer, as systems see it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ViewerInfo {
    /// Its session.
    pub session: SessionId,
    /// Key of its player.
    pub player: u64,
    /// Its entity in this zone; [`NetId::NONE`] for a spectator.
    pub avatar: NetId,
}

/// The sessions that look at this zone.
#[derive(Resource, Debug, Default)]
pub struct Viewers {
    by_session: BTreeMap<SessionId, ViewerInfo>,
}

impl Viewers {
    /// All, in order of their sessions.
    pub fn iter(&self) -> impl Iterator<Item = &ViewerInfo> {
        self.by_session.values()
    }

    /// The viewer with this session.
    #[must_use]
    pub fn get(&self, session: SessionId) -> Option<&ViewerInfo> {
        self.by_session.get(&session)
    }

    /// The viewers of this player: none, one, or two while a second login replaces the first.
    pub fn of_player(&self, player: u64) -> impl Iterator<Item = &ViewerInfo> {
        self.by_session.values().filter(move |viewer| viewer.player == player)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_session.len()
    }

    /// Whether nobody looks.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_session.is_empty()
    }

    pub(crate) fn insert(&mut self, info: ViewerInfo) {
        self.by_session.insert(info.session, info);
    }

    pub(crate) fn remove(&mut self, session: SessionId) {
        self.by_session.remove(&session);
    }
}

/// An entity in a viewer's view.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    pub(crate) slot: u32,
    pub(crate) index: u16,
}

/// What is kept of a viewer.
#[derive(Debug)]
pub(crate) struct Viewer {
    pub(crate) session: SessionId,
    pub(crate) avatar: NetId,
    pub(crate) avatar_slot: Option<u32>,
    pub(crate) generation: u32,
    pub(crate) budget_bytes: usize,
    /// Decides in which tick of a stagger it is looked at.
    pub(crate) number: u64,
    /// View payloads sent.
    pub(crate) sequence: u64,
    pub(crate) indexes: IndexCounter,
    /// What it sees, mostly by ascending index.
    pub(crate) seen: Vec<Seen>,
    /// Where in `seen` the next state packet starts.
    pub(crate) cursor: usize,
    /// Where it stands; stays where it was when the avatar is gone.
    pub(crate) centre: Option<[f32; 2]>,
    /// Where it was when its circle was last looked at; `None`: look at once.
    pub(crate) looked_at: Option<[f32; 2]>,
}

impl Viewer {
    pub(crate) fn new(info: &ViewerInfo, generation: u32, budget_bytes: usize, number: u64) -> Self {
        Self {
            session: info.session,
            avatar: info.avatar,
            avatar_slot: None,
            generation,
            budget_bytes,
            number,
            sequence: 0,
            indexes: IndexCounter::default(),
            seen: Vec::new(),
            cursor: 0,
            centre: None,
            looked_at: None,
        }
    }
}
