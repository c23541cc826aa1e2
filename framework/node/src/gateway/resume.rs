//! Sessions without a connection: waiting for their client, going on, being made anew, and the tickets for it.
//!
//! *Responsible for*: what a ticket is worth, which link a session has, when a session that waits ends. *Not responsible for*: the bytes
//! of tickets ([`super::ticket`]), logging in by a token ([`super::login`]), repeated requests ([`super::repeats`]).
//!
//! ```text
//! linked ──the connection breaks──► waiting ──a ticket──► linked          (nothing is told to the player)
//!    └───────a ticket over another link: that one counts─────► linked
//!                                      └──the time is up──► over          (the player is told Disconnected)
//! ```
//!
//! Invariants:
//! - I1: a session has at most one link: the newest that showed its ticket.
//! - I2: a ticket never ends a session of a later login.
//! - I3: a session that ended in this process is not made anew in it: what it had asked is not known any more.

use lightmoon_actor::reserved::ToActor;
use lightmoon_contract::{ActorId, Mono, SessionId};
use lightmoon_wire::{CloseCode, ClosedBy, Closing, Grant, Hello};

use super::Gateway;
use super::crowd::Source;
use super::session::{Session, Way};
use super::ticket::Claims;
use crate::chronicle::Happened;
use crate::{LinkId, limits};

/// What the ticket in a Hello is worth.
enum Worth {
    /// Nothing: the token decides.
    Nothing,
    /// This session goes on.
    Resumes(SessionId),
    /// A session of a process before this one goes on.
    MakesAnew(Claims),
    /// The player has a session of a later login.
    Superseded,
}

impl Gateway {
    /// Lets a client in by its ticket, or tells it that another login counts; `false`: its token has to decide.
    pub(super) fn let_in_by_ticket(&mut self, now: Mono, link: LinkId, hello: &Hello) -> bool {
        if hello.ticket.is_empty() {
            return false;
        }
        match self.worth(now, &hello.ticket) {
            Worth::Nothing => {
                self.counters.tickets_refused += 1;
                false
            }
            Worth::Superseded => {
                self.counters.tickets_refused += 1;
                self.refuse(now, link, CloseCode::Replaced, "this player logged in elsewhere");
                true
            }
            Worth::Resumes(id) => {
                self.resume(now, link, id);
                true
            }
            Worth::MakesAnew(claims) => {
                self.make_anew(now, link, claims, hello.first_request);
                true
            }
        }
    }

    fn worth(&self, now: Mono, ticket: &[u8]) -> Worth {
        let Some(claims) = Claims::open(&self.ticket_key, ticket) else { return Worth::Nothing };
        let of_player = self.players.get(&claims.player);
        let of_player = of_player.and_then(|id| self.sessions.get(id));
        // Before anything else: also a ticket that expired must not end a later login by the token that comes with it, when a
        // machine wakes up that slept meanwhile.
        if of_player.is_some_and(|session| session.login > claims.login) {
            return Worth::Superseded;
        }
        if claims.expires_ms <= self.utc_ms(now) || self.ended.has(claims.session) {
            return Worth::Nothing;
        }
        match self.sessions.get(&claims.session) {
            Some(session) if (session.player, session.login) == (claims.player, claims.login) => {
                Worth::Resumes(claims.session)
            }
            // The number was given to somebody else since: once in 2^64.
            Some(_) => Worth::Nothing,
            None => Worth::MakesAnew(claims),
        }
    }

    /// A session goes on over another link.
    fn resume(&mut self, now: Mono, link: LinkId, id: SessionId) {
        // The old link first: what it still took would be missing in what the new one says it has.
        if let Some(old) = self.unlink(id) {
            self.unwatch(id);
            if let Some(entry) = self.links.get_mut(&old) {
                entry.session = None;
                entry.server.close(now, CloseCode::Replaced, "this session goes on over a newer connection");
                self.touch(old);
            }
            self.keep_lanes_of(old, id);
        }
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let (player, kept) = (session.player, std::mem::take(&mut session.kept));
        let grant = Grant { session: id, player, tick_hz: 0 };
        let Some(entry) = self.links.get_mut(&link) else { return };
        if entry.server.welcome_back(now, grant, kept).is_err() {
            // The new link ended at once: the session waits for the next one.
            self.keep_lanes_of(link, id);
            self.set_due(id, Some(now + self.resume_time));
            return;
        }
        self.counters.sessions_resumed += 1;
        self.link_up(now, link, id);
        let attachment = self.sessions.get_mut(&id).and_then(|session| {
            // Under a new generation: the client's view is empty.
            let old = session.attached?;
            Some(session.attach(old.zone, old.avatar))
        });
        if let Some(attachment) = attachment {
            self.subscribe(id, attachment);
        }
    }

    /// A session of a process before this one goes on; its player hears of it as of a new one.
    fn make_anew(&mut self, now: Mono, link: LinkId, claims: Claims, first_request: u64) {
        let Claims { session: id, player, login, .. } = claims;
        self.last_login = self.last_login.max(login);
        self.replace(now, player);
        if !self.has_room_for(now, link) {
            return;
        }
        if self.welcome(now, link, Grant { session: id, player, tick_hz: 0 }) {
            self.counters.sessions_restored += 1;
            let mut session = Session::new(player, login, now);
            session.anew_below = first_request;
            self.insert(now, link, id, session);
        }
    }

    /// A link said its last word.
    pub(super) fn link_over(&mut self, link: LinkId, closing: &Closing) {
        self.handshake_ends(link);
        self.count_fault(link, closing);
        let Some(id) = self.links.get_mut(&link).and_then(|entry| entry.session.take()) else {
            return self.note_closed(link, closing);
        };
        let waits = self.outlives(id, closing);
        let now = self.now;
        self.chronicle.note(now, || lost(id, closing, waits));
        if waits {
            self.wait_for(id);
        } else {
            self.end_session(id);
        }
    }

    /// Notes a link that we closed before it was let in.
    fn note_closed(&mut self, link: LinkId, closing: &Closing) {
        if let (ClosedBy::Us, Some(entry)) = (closing.by, self.links.get(&link)) {
            let Closing { code, reason, .. } = closing.clone();
            let remote = entry.remote.clone();
            self.chronicle.note(self.now, || Happened::LinkClosed { remote, code, reason });
        }
    }

    /// Counts a link that we closed for what its client did, or did not.
    fn count_fault(&mut self, link: LinkId, closing: &Closing) {
        let Some(entry) = self.links.get(&link) else { return };
        if closing.by != ClosedBy::Us {
            return;
        }
        let counters = &mut self.counters;
        match closing.code {
            CloseCode::ProtocolViolation => counters.links_violating += 1,
            CloseCode::TooLarge => counters.links_too_large += 1,
            CloseCode::HandshakeTimeout => counters.handshakes_timed_out += 1,
            CloseCode::Idle => counters.links_idle += 1,
            // Before they are let in, links that give way to others are closed so, too.
            CloseCode::Overloaded => counters.links_unread += u64::from(entry.session.is_some()),
            CloseCode::Normal
            | CloseCode::ShuttingDown
            | CloseCode::Replaced
            | CloseCode::Unauthenticated
            | CloseCode::Incompatible
            | CloseCode::RateExceeded
            | CloseCode::Internal
            | CloseCode::Unknown(_) => {}
        }
    }

    /// Whether a session goes on without its connection: nobody ended it on purpose or for a fault, and its client can come back.
    fn outlives(&self, id: SessionId, closing: &Closing) -> bool {
        let may_come_back = match closing.by {
            ClosedBy::Transport => true,
            ClosedBy::Us | ClosedBy::Peer => {
                closing.code.is_worth_a_retry() && closing.code != CloseCode::ShuttingDown
            }
        };
        may_come_back
            && !self.is_stopping
            && !self.resume_time.is_zero()
            && self.sessions.get(&id).is_some_and(|session| session.takes_tickets)
    }

    /// The session has no link from now on, and waits for one.
    fn wait_for(&mut self, id: SessionId) {
        self.unwatch(id);
        if let Some(link) = self.unlink(id) {
            self.keep_lanes_of(link, id);
        }
        if self.sessions.get(&id).is_some_and(|session| session.kept.is_broken()) {
            self.counters.sessions_overflowed += 1;
            return self.end_session(id);
        }
        self.set_due(id, Some(self.now + self.resume_time));
    }

    /// Takes what a link that is over or closing kept of its session's lanes.
    fn keep_lanes_of(&mut self, link: LinkId, id: SessionId) {
        if let (Some(entry), Some(session)) = (self.links.get_mut(&link), self.sessions.get_mut(&id)) {
            session.kept = entry.server.take_kept();
        }
    }

    /// Tells the zone that nobody looks any more; the session remembers where it looked.
    fn unwatch(&mut self, id: SessionId) {
        let attached = self.sessions.get(&id).and_then(|session| session.attached);
        if let Some(attached) = attached {
            let gone = ToActor::Unsubscribe { session: id, generation: attached.generation };
            self.tell(attached.zone, gone);
        }
    }

    /// Takes the link off a session.
    fn unlink(&mut self, id: SessionId) -> Option<LinkId> {
        let session = self.sessions.get_mut(&id)?;
        match std::mem::replace(&mut session.way, Way::Waits) {
            Way::Link(link) => Some(link),
            Way::Waits => None,
        }
    }

    /// Gives a session its link, whose client was just welcomed, and the client its ticket.
    pub(super) fn link_up(&mut self, now: Mono, link: LinkId, id: SessionId) {
        self.handshake_ends(link);
        let Some(entry) = self.links.get_mut(&link) else { return };
        let Some(session) = self.sessions.get_mut(&id) else { return };
        entry.session = Some(id);
        let source = Source::of(&entry.remote);
        if let Some(before) = session.source.replace(source.clone()) {
            self.sources.remove(&before);
        }
        self.sources.add(source);
        session.remote.clone_from(&entry.remote);
        session.transport = entry.transport;
        session.takes_tickets = entry.server.takes_tickets();
        session.keeps_lanes = entry.server.keeps_lanes();
        session.way = Way::Link(link);
        self.set_due(id, None);
        self.give_ticket(now, id);
    }

    /// Gives a client a ticket that is valid from now on, and another one later.
    fn give_ticket(&mut self, now: Mono, id: SessionId) {
        let expires_ms = self.utc_ms(now).saturating_add(millis(limits::TICKET_VALID));
        let key = self.ticket_key;
        let Some(session) = self.sessions.get_mut(&id).filter(|session| session.takes_tickets) else {
            return;
        };
        session.repeats.forget_old(now);
        let claims = Claims { session: id, player: session.player, login: session.login, expires_ms };
        if let Some(server) = self.server_of(id) {
            // It fits; a link that is over meanwhile says so by its own event.
            let _ = server.ticket(claims.seal(&key));
        }
        self.set_due(id, Some(now + limits::TICKET_RENEWED_EVERY));
    }

    /// Sessions whose time has come: those that wait end, others get a new ticket.
    pub(super) fn on_sessions_due(&mut self, now: Mono) {
        while let Some((at, id)) = self.due.first().copied()
            && at <= now
        {
            self.set_due(id, None);
            match self.sessions.get(&id).map(|session| session.way) {
                Some(Way::Link(_)) => self.give_ticket(now, id),
                Some(Way::Waits) => {
                    self.counters.sessions_abandoned += 1;
                    self.end_session(id);
                }
                None => {}
            }
        }
    }

    /// Ends the sessions that wait: the node stops.
    pub(super) fn end_waiting(&mut self) {
        let waiting: Vec<SessionId> =
            self.sessions.iter().filter(|(_, session)| session.way == Way::Waits).map(|(id, _)| id).collect();
        for id in waiting {
            self.end_session(id);
        }
    }

    /// When [`Self::on_sessions_due`] has something to do for this session.
    pub(super) fn set_due(&mut self, id: SessionId, due: Option<Mono>) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        if let Some(before) = std::mem::replace(&mut session.due, due) {
            self.due.remove(&(before, id));
        }
        if let Some(due) = due {
            self.due.insert((due, id));
        }
    }

    /// Forgets a session, and tells its zone and its player. Does nothing the second time.
    pub(super) fn end_session(&mut self, id: SessionId) {
        if let Some(link) = self.unlink(id) {
            self.unwatch(id);
            if let Some(entry) = self.links.get_mut(&link) {
                entry.session = None;
            }
        }
        self.set_due(id, None);
        let Some(session) = self.sessions.remove(&id) else { return };
        self.counters.sessions_closed += 1;
        if let Some(source) = &session.source {
            self.sources.remove(source);
        }
        if session.takes_tickets {
            self.ended.add(self.now, id);
        }
        if self.players.get(&session.player) == Some(&id) {
            self.players.remove(&session.player);
        }
        for token in &session.pending {
            self.pending.remove(token);
        }
        self.tell(ActorId::new(self.player, session.player), ToActor::Disconnected { session: id });
    }

    /// Calendar time, as tickets have it.
    pub(super) fn utc_ms(&self, now: Mono) -> u64 {
        let since_zero = i64::try_from(now.0 / 1_000_000).unwrap_or(i64::MAX);
        u64::try_from(self.utc_at_zero.0.saturating_add(since_zero)).unwrap_or(0)
    }
}

fn lost(session: SessionId, closing: &Closing, waits: bool) -> Happened {
    Happened::LinkLost { session, by: closing.by, code: closing.code, reason: closing.reason.clone(), waits }
}

fn millis(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
