//! Letting clients in and out: contracts, identity, the one session of a player.
//!
//! *Responsible for*: the verdict on a Hello; beginning and ending sessions. *Not responsible for*: what tokens mean
//! (`Authenticate`), frames of the handshake (`wire`).

use lightmoon_actor::reserved::ToActor;
use lightmoon_contract::{ActorId, Mono, SessionId};
use lightmoon_wire::{CloseCode, Grant, Hello, Settled};

use super::Gateway;
use super::session::Session;
use crate::LinkId;

impl Gateway {
    pub(super) fn hello(&mut self, now: Mono, link: LinkId, hello: &Hello) {
        let Some(entry) = self.links.get_mut(&link) else { return };
        match entry.server.settle(now, &mut self.compatibility) {
            Settled::Asked => return,
            Settled::Refused => {
                self.counters.logins_refused += 1;
                return;
            }
            Settled::Compatible => {}
        }
        let identity = match self.authenticate.authenticate(&hello.token) {
            Ok(identity) if identity.player != 0 => identity,
            Ok(_) => {
                return self.refuse(now, link, "player 0 is the singleton of its kind and cannot log in");
            }
            Err(denied) => return self.refuse(now, link, &denied.reason),
        };
        self.replace(now, identity.player);
        self.begin(now, link, identity.player);
    }

    fn refuse(&mut self, now: Mono, link: LinkId, reason: &str) {
        self.counters.logins_refused += 1;
        if let Some(entry) = self.links.get_mut(&link) {
            entry.server.refuse(now, CloseCode::Unauthenticated, reason);
        }
    }

    /// Ends the session that this player has, if any.
    fn replace(&mut self, now: Mono, player: u64) {
        let Some(old) = self.players.get(&player).copied() else { return };
        self.counters.sessions_replaced += 1;
        self.close_session(now, old, CloseCode::Replaced, "this player logged in elsewhere");
    }

    fn begin(&mut self, now: Mono, link: LinkId, player: u64) {
        let session = self.fresh_id();
        let Some(entry) = self.links.get_mut(&link) else { return };
        if entry.server.welcome(now, Grant { session, player, tick_hz: 0 }).is_err() {
            return;
        }
        entry.session = Some(session);
        self.sessions.insert(session, Session::new(link, player, now));
        self.players.insert(player, session);
        self.counters.sessions_opened += 1;
        self.tell(ActorId::new(self.player, player), ToActor::Connected { session });
    }

    /// An id that no session has; 0 names none.
    fn fresh_id(&mut self) -> SessionId {
        loop {
            let id = SessionId(self.random.u64(1..));
            if !self.sessions.contains_key(&id) {
                return id;
            }
        }
    }

    /// Ends a session: its client is told why, its player and zone are told that it is gone.
    pub(super) fn close_session(&mut self, now: Mono, session: SessionId, code: CloseCode, reason: &str) {
        let Some(link) = self.sessions.get(&session).map(|session| session.link) else { return };
        if let Some(entry) = self.links.get_mut(&link) {
            entry.server.close(now, code, reason);
            self.touched.insert(link);
        }
        self.end_session(session);
    }

    /// A link said its last word.
    pub(super) fn link_over(&mut self, link: LinkId) {
        if let Some(session) = self.links.get_mut(&link).and_then(|entry| entry.session) {
            self.end_session(session);
        }
    }

    /// Forgets a session, and tells its zone and its player. Does nothing the second time.
    fn end_session(&mut self, id: SessionId) {
        let Some(session) = self.sessions.remove(&id) else { return };
        self.counters.sessions_closed += 1;
        if self.players.get(&session.player) == Some(&id) {
            self.players.remove(&session.player);
        }
        if let Some(entry) = self.links.get_mut(&session.link) {
            entry.session = None;
        }
        for token in &session.pending {
            self.pending.remove(token);
        }
        if let Some(attached) = session.attached {
            let gone = ToActor::Unsubscribe { session: id, generation: attached.generation };
            self.tell(attached.zone, gone);
        }
        self.tell(ActorId::new(self.player, session.player), ToActor::Disconnected { session: id });
    }
}
