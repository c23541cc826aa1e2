//! Letting clients in: contracts, identity, the one session of a player.
//!
//! *Responsible for*: the verdict on a Hello; beginning sessions. *Not responsible for*: what tokens mean (`Authenticate`), what
//! tickets are worth ([`super::resume`]), frames of the handshake (`wire`).

use lightmoon_actor::reserved::ToActor;
use lightmoon_contract::{ActorId, Mono, SessionId};
use lightmoon_wire::{CloseCode, Grant, Hello, Settled};

use super::Gateway;
use super::crowd::Source;
use super::session::{Session, Way};
use crate::chronicle::Happened;
use crate::{LinkId, limits};

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
        if self.let_in_by_ticket(now, link, hello) {
            return;
        }
        let refused = CloseCode::Unauthenticated;
        let identity = match self.authenticate.authenticate(&hello.token) {
            Ok(identity) if identity.player != 0 => identity,
            Ok(_) => {
                let reason = "player 0 is the singleton of its kind and cannot log in";
                return self.refuse(now, link, refused, reason);
            }
            Err(denied) => return self.refuse(now, link, refused, &denied.reason),
        };
        // Who is here may log in anew: that is no further player.
        if self.is_draining && !self.players.contains_key(&identity.player) {
            return self.refuse(now, link, CloseCode::Overloaded, super::DRAINS);
        }
        self.replace(now, identity.player);
        self.begin(now, link, identity.player);
    }

    pub(super) fn refuse(&mut self, now: Mono, link: LinkId, code: CloseCode, reason: &str) {
        self.counters.logins_refused += 1;
        if let Some(entry) = self.links.get_mut(&link) {
            entry.server.refuse(now, code, reason);
        }
    }

    /// Ends the session that this player has, if any.
    pub(super) fn replace(&mut self, now: Mono, player: u64) {
        let Some(old) = self.players.get(&player).copied() else { return };
        self.counters.sessions_replaced += 1;
        self.close_session(now, old, CloseCode::Replaced, "this player logged in elsewhere");
    }

    fn begin(&mut self, now: Mono, link: LinkId, player: u64) {
        if !self.has_room_for(now, link) {
            return;
        }
        let session = self.fresh_id();
        if self.welcome(now, link, Grant { session, player, tick_hz: 0 }) {
            self.counters.sessions_opened += 1;
            let login = self.next_login(now);
            self.insert(now, link, session, Session::new(player, login, now));
        }
    }

    /// Whether one more session fits, in all and from where this link comes from; else the link is refused.
    pub(super) fn has_room_for(&mut self, now: Mono, link: LinkId) -> bool {
        if self.sessions.len() >= limits::SESSIONS_MAX {
            self.refuse(now, link, CloseCode::Overloaded, super::FULL);
            return false;
        }
        let Some(entry) = self.links.get(&link) else { return false };
        if self.sources.of(&Source::of(&entry.remote)) >= self.sessions_per_source_max {
            self.counters.logins_refused_source += 1;
            let reason = "this node takes no more players from one address now; try again later";
            self.refuse(now, link, CloseCode::Overloaded, reason);
            return false;
        }
        true
    }

    /// Answers a Hello; `false`: the link ended meanwhile.
    pub(super) fn welcome(&mut self, now: Mono, link: LinkId, grant: Grant) -> bool {
        self.links.get_mut(&link).is_some_and(|entry| entry.server.welcome(now, grant).is_ok())
    }

    /// A session begins, on a link that was just welcomed.
    pub(super) fn insert(&mut self, now: Mono, link: LinkId, id: SessionId, session: Session) {
        let player = session.player;
        self.sessions.insert(id, session);
        self.players.insert(player, id);
        self.link_up(now, link, id);
        let remote = self.links.get(&link).map(|entry| entry.remote.as_str()).unwrap_or_default();
        self.chronicle.note(now, || Happened::SessionOpened {
            session: id,
            player,
            remote: remote.to_owned(),
        });
        self.tell(ActorId::new(self.player, player), ToActor::Connected { session: id });
    }

    /// An id that no session has; 0 names none.
    fn fresh_id(&mut self) -> SessionId {
        loop {
            let id = SessionId(self.random.u64(1..));
            if !self.sessions.contains_key(&id) && !self.ended.has(id) {
                return id;
            }
        }
    }

    /// The serial of a login: above all that this process gave or saw, and by the calendar above those of processes before it.
    fn next_login(&mut self, now: Mono) -> u64 {
        // Room for a million logins in each millisecond, until the year 2527.
        let by_time = self.utc_ms(now).saturating_mul(1 << 20);
        self.last_login = by_time.max(self.last_login.saturating_add(1));
        self.last_login
    }

    /// Ends a session: its client is told why, its player and zone are told that it is gone.
    pub(super) fn close_session(&mut self, now: Mono, session: SessionId, code: CloseCode, reason: &str) {
        if let Some(Way::Link(link)) = self.sessions.get(&session).map(|session| session.way)
            && let Some(entry) = self.links.get_mut(&link)
        {
            entry.server.close(now, code, reason);
            self.touch(link);
        }
        if let Some(player) = self.sessions.get(&session).map(|session| session.player) {
            self.chronicle.note(now, || Happened::SessionClosed {
                session,
                player,
                code,
                reason: reason.to_owned(),
            });
        }
        self.end_session(session);
    }
}
