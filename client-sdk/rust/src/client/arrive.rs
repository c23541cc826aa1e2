//! What the link said: sessions, answers, the view.
//!
//! *Responsible for*: turning the link's events into the application's. *Not responsible for*: how connections end.

use std::time::Duration;

use bytes::Bytes;
use lightmoon_contract::{CallError, Tick};
use lightmoon_replica::{DeltaHead, Playback, Receipt};
use lightmoon_wire::{Attach, ClientEvent, ClientLink, CloseCode, Received, Welcome};

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
                ClientEvent::Delta { generation, payload } => self.on_delta(generation, &payload),
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
            Ok(_) => {
                self.say_view();
                self.tell_applied();
            }
            Err(error) => self.reject(&error.to_string()),
        }
    }

    fn on_delta(&mut self, generation: u32, payload: &[u8]) {
        match self.view.apply_delta(generation, payload) {
            Ok(Some(header)) => {
                let DeltaHead { tick, rate_hz, waited_ms, .. } = header.head;
                self.on_tick(tick, rate_hz);
                if let (Some(link), Some(waited)) = (&mut self.link, waited_ms) {
                    let period = Duration::from_secs(1) / u32::from(rate_hz.max(1));
                    link.waited(period, Duration::from_millis(waited.into()));
                }
                self.tell_applied();
            }
            Ok(None) => {}
            Err(error) => self.reject(&error.to_string()),
        }
    }

    /// Lets the link tell the server what the view has.
    fn tell_applied(&mut self) {
        if let (Some(link), Some(receipt)) = (&mut self.link, self.view.receipt()) {
            let Receipt { generation, tick, received, views } = receipt;
            link.applied(Received { generation, tick: tick.0, received, views });
        }
    }

    fn on_tick(&mut self, tick: Tick, rate_hz: u8) {
        self.stats.on_state(self.newest, tick);
        self.newest = self.newest.max(Some(tick));
        self.playback.on_state(self.now, tick, rate_hz);
        if self.state_events {
            self.say(Event::State(tick));
        }
    }

    fn on_state(&mut self, generation: u32, payload: &[u8]) {
        match self.view.apply_state(generation, payload) {
            Ok(Some(header)) => self.on_tick(header.head.tick, header.head.rate_hz),
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
