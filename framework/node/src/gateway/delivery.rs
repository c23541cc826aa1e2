//! Messages of actors to sessions: attach, pushes, views, state.
//!
//! *Responsible for*: who may tell a session what, and handing it to the link. *Not responsible for*: what the payloads
//! hold (`replica`).
//!
//! Invariants:
//! - I1: only a session's own player attaches and detaches it.
//! - I2: views and states of an older attachment are dropped and counted.

use bytes::Bytes;
use lightmoon_actor::reserved::{ToActor, ToSession};
use lightmoon_actor::{Envelope, MessageId, ReplyTo};
use lightmoon_contract::call::Body;
use lightmoon_contract::{
    ActorId, Caller, Lane, Mono, NetId, OperationNumber, Priority, Reliability, SessionId,
};
use lightmoon_wire::{Attach, CloseCode, Received, SendError, ServerLink};

use super::Gateway;
use super::session::{Attachment, Way};
use crate::LinkId;

impl Gateway {
    /// Hands a message of an actor to a session.
    pub(crate) fn deliver(&mut self, now: Mono, envelope: Envelope) {
        let session = SessionId(envelope.to.key);
        let (Caller::Actor(from), Body::Typed(body)) = (envelope.from, envelope.body) else {
            self.counters.messages_stale += 1;
            return;
        };
        let Ok(message) = body.take::<ToSession>() else {
            self.counters.messages_stale += 1;
            return;
        };
        if !self.sessions.contains_key(&session) {
            self.counters.messages_stale += 1;
            return;
        }
        match message {
            ToSession::Attach { zone, avatar } => self.attach(session, from, zone, avatar),
            ToSession::Detach => self.detach(session, from),
            ToSession::Close { reason } => self.close_session(now, session, CloseCode::Normal, &reason),
            ToSession::Push { number, lane, bytes } => self.push(session, lane, from, number, bytes),
            ToSession::View { generation, bytes } => self.view(session, generation, bytes),
            ToSession::State { generation, bytes, is_delta } => {
                self.state(session, generation, bytes, is_delta);
            }
        }
    }

    fn attach(&mut self, id: SessionId, from: ActorId, zone: ActorId, avatar: NetId) {
        if !self.is_player_of(id, from) {
            self.counters.messages_stale += 1;
            return;
        }
        // Of a session that waits for its client this is remembered, and done when the client is there.
        self.unsubscribe(id);
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let attachment = session.attach(zone, avatar);
        self.subscribe(id, attachment);
    }

    fn detach(&mut self, id: SessionId, from: ActorId) {
        if !self.is_player_of(id, from) {
            self.counters.messages_stale += 1;
            return;
        }
        if let Some(old) = self.unsubscribe(id)
            && let Some(server) = self.server_of(id)
        {
            // A link that is over meanwhile says so by its own event.
            let _ = server.detach(old.generation);
        }
    }

    /// Tells the client and the zone of an attachment, if the client is there to look.
    pub(super) fn subscribe(&mut self, id: SessionId, attachment: Attachment) {
        let Attachment { zone, avatar, generation, .. } = attachment;
        let Some(player) = self.sessions.get(&id).map(|session| session.player) else { return };
        let Some(server) = self.server_of(id) else { return };
        // A link that is over meanwhile says so by its own event, and then nobody looks any more.
        let _ = server.attach(Attach { generation, zone, avatar, tick_hz: 0 });
        let (budget_bytes, takes_deltas) = (server.state_bytes_max(), server.takes_deltas());
        if let Some(attached) = self.sessions.get_mut(&id).and_then(|session| session.attached.as_mut()) {
            attached.budget_bytes = budget_bytes;
        }
        self.tell(
            zone,
            ToActor::Subscribe { session: id, player, avatar, generation, budget_bytes, takes_deltas },
        );
    }

    /// A path carries other sizes than before: a zone whose packets do not fit any more is subscribed to anew. Every path that QUIC takes
    /// carries a whole state packet, so this is for peers that say they take less.
    pub(super) fn fit_budget(&mut self, id: SessionId) {
        let Some(budget_bytes) = self.server_of(id).map(|server| server.state_bytes_max()) else { return };
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let Some(old) = session.attached.filter(|old| old.budget_bytes != budget_bytes) else { return };
        let attachment = session.attach(old.zone, old.avatar);
        self.tell(old.zone, ToActor::Unsubscribe { session: id, generation: old.generation });
        self.subscribe(id, attachment);
    }

    /// Ends the present attachment on the zone's side.
    fn unsubscribe(&mut self, id: SessionId) -> Option<Attachment> {
        let session = self.sessions.get_mut(&id)?;
        let old = session.attached.take()?;
        if session.way != Way::Waits {
            self.tell(old.zone, ToActor::Unsubscribe { session: id, generation: old.generation });
        }
        Some(old)
    }

    /// An actor failed and begins anew: its sessions are made known to it again.
    pub(crate) fn begins_anew(&mut self, actor: ActorId) {
        if actor.kind == self.player
            && let Some(session) = self.players.get(&actor.key).copied()
        {
            self.tell(actor, ToActor::Connected { session });
        }
        self.resubscribe(actor);
    }

    /// A zone lost its viewers: subscribes those that look at it anew, under a new generation, so that nothing the dead
    /// activation sent is mixed with what the next one sends. Their players are told, since their entities are gone.
    fn resubscribe(&mut self, zone: ActorId) {
        let looking: Vec<(SessionId, NetId)> = self
            .sessions
            .iter()
            .filter_map(|(id, session)| {
                session.attached.filter(|to| to.zone == zone).map(|to| (id, to.avatar))
            })
            .collect();
        for (id, avatar) in looking {
            if let Some(session) = self.sessions.get_mut(&id) {
                let player = ActorId::new(self.player, session.player);
                let attachment = session.attach(zone, avatar);
                self.subscribe(id, attachment);
                self.tell(player, ToActor::ZoneLost { session: id, zone });
            }
        }
    }

    fn push(&mut self, id: SessionId, lane: Lane, from: ActorId, number: OperationNumber, bytes: Bytes) {
        if let Some(server) = self.server_of(id) {
            // What is in the lanes of a link that is over meanwhile goes on with the session, if that does.
            if server.push(lane, from, number, bytes).is_err() {
                self.counters.pushes_refused += 1;
            }
            return;
        }
        // Of a client that is away: it is kept until the client is back, if the two can tell then what arrived.
        let Some(session) = self.sessions.get_mut(&id) else { return };
        if !session.keeps_lanes {
            self.counters.pushes_missed += 1;
            return;
        }
        match session.kept.push(lane, from, number, bytes) {
            Ok(()) => self.counters.pushes_kept += 1,
            Err(SendError::TooLarge { .. }) => self.counters.pushes_refused += 1,
            Err(_) => {
                self.counters.sessions_overflowed += 1;
                self.end_session(id);
            }
        }
    }

    fn view(&mut self, id: SessionId, generation: u32, bytes: Bytes) {
        let size = count(bytes.len());
        match self.server_of(id).map(|server| server.view(generation, bytes)) {
            Some(Ok(())) => {
                self.counters.views += 1;
                self.counters.view_bytes += size;
            }
            Some(Err(_)) | None => self.counters.messages_stale += 1,
        }
    }

    fn state(&mut self, id: SessionId, generation: u32, bytes: Bytes, is_delta: bool) {
        let size = count(bytes.len());
        let send = |server: &mut ServerLink| {
            if is_delta { server.delta(generation, bytes) } else { server.state(generation, bytes) }
        };
        match self.server_of(id).map(send) {
            Some(Ok(())) => {
                self.counters.states += 1;
                self.counters.state_bytes += size;
            }
            Some(Err(_)) | None => self.counters.messages_stale += 1,
        }
    }

    /// A client told what arrived: for the zone that it looks at.
    pub(super) fn received(&mut self, link: LinkId, received: Received) {
        let Some(id) = self.links.get(&link).and_then(|link| link.session) else { return };
        let Received { generation, tick, received, views } = received;
        let attached = self.sessions.get(&id).and_then(|session| session.attached);
        if let Some(to) = attached.filter(|to| to.generation == generation) {
            self.tell(to.zone, ToActor::Received { session: id, generation, tick, received, views });
        }
    }

    /// Tells an actor something of the framework's own.
    pub(super) fn tell(&mut self, to: ActorId, message: ToActor) {
        self.to_actors.push(Envelope {
            to,
            from: Caller::Node,
            number: message.number(),
            priority: Priority::Critical,
            reliability: Reliability::ReliableOrdered,
            reply_to: ReplyTo::Nobody,
            timeout_ms: 0,
            id: MessageId::None,
            body: Body::typed(message),
        });
    }

    fn is_player_of(&self, id: SessionId, from: ActorId) -> bool {
        self.sessions.get(&id).is_some_and(|session| from == ActorId::new(self.player, session.player))
    }

    /// The link of a session, marked as touched; `None` while it waits for its client.
    pub(super) fn server_of(&mut self, id: SessionId) -> Option<&mut ServerLink> {
        let Way::Link(link) = self.sessions.get(&id)?.way else { return None };
        self.touch(link);
        self.links.get_mut(&link).map(|entry| &mut entry.server)
    }
}

/// A length as a count.
fn count(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}
