//! What the link said: sessions, answers, the view.
//!
//! *Responsible for*: turning the link's events into the application's. *Not responsible for*: how connections end.

use bytes::Bytes;
use lightmoon_contract::CallError;
use lightmoon_replica::Playback;
use lightmoon_wire::{Attach, ClientEvent, ClientLink, CloseCode, Welcome};

use super::calls::Dropped;
use super::{Client, ConnectionState};
use crate::event::{Connected, Event, PushMessage};
use crate::limits;

impl Client {
    pub(super) fn pump(&mut self) {
        while let Some(event) = self.link.as_mut().and_then(ClientLink::poll_event) {
            match event {
                ClientEvent::Welcome(welcome) => self.on_welcome(welcome),
                ClientEvent::Ticket(ticket) => self.config.ticket = ticket.bytes,
                ClientEvent::Answer { request, result } => self.on_answer(request, result),
                ClientEvent::Push(push) => {
                    self.say(Event::Push(PushMessage {
                        from: push.from,
                        number: push.number,
                        args: push.args,
                    }));
                }
                ClientEvent::Attached(attach) => self.on_attached(attach),
                ClientEvent::Detached { .. } => {
                    self.leave_zone();
                    self.awaits_attach = false;
                    self.say(Event::Detached);
                }
                ClientEvent::View { generation, payload } => self.on_view(generation, &payload),
                ClientEvent::State { generation, payload } => self.on_state(generation, &payload),
                ClientEvent::Closed(closing) => self.ended(closing),
            }
        }
    }

    fn on_welcome(&mut self, welcome: Welcome) {
        self.retry.succeeded();
        self.welcomed = self.now;
        let is_resumed = self.resumes(&welcome);
        if is_resumed {
            self.stats.resumes += 1;
        } else {
            self.stats.sessions += 1;
        }
        let (session, player) = (welcome.session, welcome.player);
        self.session = Some(welcome);
        self.state = ConnectionState::Connected;
        self.say(Event::Connected(Connected { session, player, is_resumed }));
        self.send_waiting();
    }

    fn on_answer(&mut self, request: u64, result: Result<Bytes, CallError>) {
        if let Some(Dropped(dropped)) = self.calls.end(request, result) {
            self.stats.answers_dropped += dropped;
            self.say(Event::Answered { request });
        }
        if self.more_waits && self.state == ConnectionState::Connected {
            self.send_waiting();
        }
    }

    fn on_attached(&mut self, attach: Attach) {
        self.leave_zone();
        self.view.attach(attach.generation);
        self.attached = Some(attach);
        self.awaits_attach = false;
        self.say(Event::Attached(attach));
        self.send_waiting();
    }

    fn on_view(&mut self, generation: u32, payload: &[u8]) {
        match self.view.apply_view(generation, payload) {
            Ok(_) => self.say_view(),
            Err(error) => self.reject(&error.to_string()),
        }
    }

    fn on_state(&mut self, generation: u32, payload: &[u8]) {
        match self.view.apply_state(generation, payload) {
            Ok(Some(header)) => {
                let (tick, rate_hz) = (header.head.tick, header.head.rate_hz);
                self.stats.on_state(self.newest, tick);
                self.newest = self.newest.max(Some(tick));
                self.playback.on_state(self.now, tick, rate_hz);
                if self.state_events {
                    self.say(Event::State(tick));
                }
            }
            Ok(None) => {}
            Err(error) => self.reject(&error.to_string()),
        }
    }

    /// The view cannot be trusted any more.
    fn reject(&mut self, reason: &str) {
        if let Some(link) = &mut self.link {
            link.abort(CloseCode::ProtocolViolation, reason);
        }
    }

    pub(super) fn leave_zone(&mut self) {
        self.view.detach();
        self.say_view();
        self.attached = None;
        self.playback = Playback::new();
        self.newest = None;
    }

    fn say_view(&mut self) {
        let changes: Vec<_> = self.view.drain_events().collect();
        for change in changes {
            self.say(Event::View(change));
        }
    }

    pub(super) fn say(&mut self, event: Event) {
        if self.events.len() >= limits::EVENTS_WAITING_MAX {
            self.events.pop_front();
            self.stats.events_dropped += 1;
        }
        self.events.push_back(event);
    }

    pub(super) fn fail(&mut self, request: u64, error: CallError) {
        self.on_answer(request, Err(error));
    }
}
