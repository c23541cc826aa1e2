//! Who looks at the zone.
//!
//! *Responsible for*: [`Viewers`] for systems, and what is kept of each viewer between ticks.
//! *Not responsible for*: packets (`replication`). The node subscribes; systems only read.

use std::collections::BTreeMap;

use bevy_ecs::resource::Resource;
use lightmoon_contract::{Mono, NetId, SessionId};
use lightmoon_replica::{Holdings, IndexCounter};

use crate::limits::TARGETS_MAX;

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
    choices: BTreeMap<SessionId, Choice>,
}

/// What the game decided for one viewer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Choice {
    /// Bytes of state per second; `None`: the zone's option.
    pub(crate) bytes_per_second: Option<u32>,
    /// Entities that go before others when not all fit.
    pub(crate) targets: Vec<NetId>,
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

    /// Gives a viewer another budget than [`crate::ZoneOptions::bytes_per_second`]: 8,000 suits a phone. Forgotten when
    /// the session looks away. Nothing happens for a session that does not look at the zone.
    pub fn set_bytes_per_second(&mut self, session: SessionId, bytes_per_second: u32) {
        if self.by_session.contains_key(&session) {
            self.choices.entry(session).or_default().bytes_per_second = Some(bytes_per_second);
        }
    }

    /// Names entities that a viewer looks at closely, such as whom it fights: when not all fit its packets, they gain
    /// priority four times as fast as the nearest others. The first [`crate::limits::TARGETS_MAX`] count; they replace those
    /// before. Nothing happens for a session that does not look at the zone.
    pub fn set_targets(&mut self, session: SessionId, targets: &[NetId]) {
        if self.by_session.contains_key(&session) {
            let targets = &targets[..targets.len().min(TARGETS_MAX)];
            self.choices.entry(session).or_default().targets = targets.to_vec();
        }
    }

    /// What the game decided for a viewer; `None`: nothing.
    pub(crate) fn choice(&self, session: SessionId) -> Option<&Choice> {
        // Few games decide anything: most look-ups end here.
        if self.choices.is_empty() { None } else { self.choices.get(&session) }
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
        self.choices.remove(&session);
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
    /// Bytes of one state packet, at most.
    pub(crate) budget_bytes: usize,
    /// It is sent state every so many ticks; 0 and 1: at each.
    pub(crate) send_every: u8,
    /// What it has of what it sees; `None`: a client that takes no deltas.
    pub(crate) holdings: Option<Box<Holdings>>,
    /// When its newest input came, if it was after its last packet.
    pub(crate) heard_at: Option<Mono>,
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
    pub(crate) fn new(
        info: &ViewerInfo,
        generation: u32,
        budget_bytes: usize,
        number: u64,
        holdings: Option<Holdings>,
    ) -> Self {
        Self {
            session: info.session,
            avatar: info.avatar,
            avatar_slot: None,
            generation,
            budget_bytes,
            send_every: 1,
            holdings: holdings.map(Box::new),
            heard_at: None,
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
