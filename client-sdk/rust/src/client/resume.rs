//! Going on after a reconnect: whether the session is the same, and what is sent again.
//!
//! *Responsible for*: ticket and numbers of the next Hello, open requests over a reconnect, those that wait for a connection or an
//! attachment. *Not responsible for*: when to connect (`retry`), the requests themselves (`calls`).
//!
//! Invariants:
//! - I1: requests are sent in their order; those to the zone only while attached, since before they would meet another one.
//! - I2: what was sent over a session that is over is never sent again.

use lightmoon_contract::CallError;
use lightmoon_contract::operation::Target;
use lightmoon_wire::{SendError, Welcome};

use super::calls::Stage;
use super::{Client, ConnectionState, why};
use crate::limits;

impl Client {
    /// What the next connection says of the session before.
    pub(super) fn prepare_hello(&mut self) {
        self.config.first_request = self.calls.first_new();
    }

    /// The connection is gone, and another one is going to be tried.
    pub(super) fn session_breaks(&mut self) {
        if let Some(welcome) = self.session.take() {
            self.before = Some(welcome);
            self.awaits_attach = self.attached.is_some();
        }
        self.leave_zone();
        self.calls.connection_lost();
        if !self.can_resume() {
            self.end_all(Stage::Lost);
            self.end_all(Stage::Queued);
        }
    }

    /// The session is over for good.
    pub(super) fn session_ends(&mut self) {
        self.session = None;
        self.before = None;
        self.leave_zone();
        self.calls.connection_lost();
        self.end_all(Stage::Lost);
        self.end_all(Stage::Queued);
    }

    /// A server let us in; whether the session of before goes on. If not, what was sent over that has no answer.
    pub(super) fn resumes(&mut self, welcome: &Welcome) -> bool {
        let is_same = self.before.take().is_some_and(|before| before.session == welcome.session);
        let resumed = is_same && self.can_resume();
        if !resumed {
            // The ticket of a session that is over.
            self.config.ticket.clear();
            self.awaits_attach = false;
            self.end_all(Stage::Lost);
        }
        resumed
    }

    /// Whether a server promised that the session may go on.
    pub(super) fn can_resume(&self) -> bool {
        !self.config.ticket.is_empty()
    }

    /// Sends what waits for a connection or an attachment, and what an earlier connection may have lost. Not more at once than the
    /// network is sure to take; the rest goes as answers come.
    pub(super) fn send_waiting(&mut self) {
        self.more_waits = false;
        let mut under_way = self.calls.bytes_sent();
        for (request, stage) in self.calls.unsent() {
            if under_way >= limits::REPEATED_BYTES_MAX {
                self.more_waits = true;
                return;
            }
            match self.send_request(request) {
                Ok(bytes) => {
                    under_way += bytes;
                    self.stats.requests_repeated += u64::from(stage == Stage::Lost);
                }
                // To the zone, before the attachment; or the connection just ended.
                Err(SendError::Stale | SendError::Busy | SendError::NotOpen) => {}
                Err(error) => self.fail(request, why(error)),
            }
        }
    }

    /// Begins a request: now, or when there is a connection again.
    pub(super) fn ask_or_queue(&mut self, request: u64, to: Target) {
        let waits = match self.state {
            ConnectionState::Connected => to == Target::Zone && self.awaits_attach,
            ConnectionState::Resuming => self.can_resume(),
            ConnectionState::Connecting | ConnectionState::Lost(_) => false,
        };
        let result = match self.calls.open_count() {
            // This one counts.
            open if waits && open > limits::REQUESTS_WAITING_MAX => Err(CallError::Busy),
            _ if waits => Ok(()),
            _ => self.send_request(request).map(drop).map_err(why),
        };
        if let Err(error) = result {
            self.stats.calls_undelivered += 1;
            self.fail(request, error);
            // A lane that overflowed has ended the link.
            self.pump();
        }
    }

    /// Sends a request; the bytes of its message.
    fn send_request(&mut self, request: u64) -> Result<usize, SendError> {
        let Some(call) = self.calls.call(request).cloned() else { return Ok(0) };
        let bytes = call.args.len();
        let link = self.link.as_mut().ok_or(SendError::NotOpen)?;
        // What the server lacked of the lanes was sent again with the Welcome, in its place among one-way calls.
        if !link.has_asked(request) {
            link.call(call)?;
        }
        self.calls.sent(request);
        self.stats.calls += 1;
        Ok(bytes)
    }

    fn end_all(&mut self, stage: Stage) {
        for request in self.calls.of(stage) {
            self.fail(request, CallError::Gone);
        }
    }
}
