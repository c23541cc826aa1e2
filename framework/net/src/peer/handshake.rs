//! A connection that is not open yet: TLS, and for browsers the request for a session.
//!
//! *Responsible for*: telling native clients from browsers, and when both are done. *Not responsible for*: who is let in (`gate`), what a browser
//! says ([`Browser`]).
//!
//! Invariants:
//! - I1: a handshake that is not done after [`limits::HANDSHAKE_TIMEOUT`], or that had to give way, holds nothing any more.

use super::browser::{Browser, Said};
use crate::admission::Place;
use crate::limits;
use quinn_proto::crypto::rustls::HandshakeData;
use quinn_proto::{Connection, Event, StreamEvent};
use std::time::Instant;

/// A handshake in progress.
pub(super) struct Handshake {
    place: Place,
    until: Instant,
    browser: Option<Box<Browser>>,
}

/// How far it is.
pub(super) enum Done {
    NotYet,
    Native,
    Browser(Box<Browser>),
    /// It came to nothing, for this reason.
    Failed(String),
}

impl Handshake {
    pub(super) fn new(place: Place, now: Instant) -> Self {
        Self { place, until: now + limits::HANDSHAKE_TIMEOUT, browser: None }
    }

    pub(super) const fn until(&self) -> Instant {
        self.until
    }

    pub(super) const fn place(&self) -> &Place {
        &self.place
    }

    pub(super) fn into_place(self) -> Place {
        self.place
    }

    pub(super) fn on_event(&mut self, conn: &mut Connection, event: Event) -> Done {
        let said = match (event, &mut self.browser) {
            (Event::ConnectionLost { reason }, _) => return Done::Failed(reason.to_string()),
            (Event::Connected, _) => return self.on_connected(conn),
            (Event::Stream(StreamEvent::Opened { dir }), Some(browser)) => browser.on_opened(conn, dir),
            (Event::Stream(StreamEvent::Readable { id }), Some(browser)) => browser.on_readable(conn, id),
            // Streams and datagrams of the game's wait in quinn until the link is open.
            (
                Event::Stream(_)
                | Event::HandshakeDataReady
                | Event::DatagramReceived
                | Event::DatagramsUnblocked,
                _,
            ) => {
                return Done::NotYet;
            }
        };
        match said {
            Ok(Said::Nothing) => Done::NotYet,
            Ok(Said::Open) => self.browser.take().map_or(Done::NotYet, Done::Browser),
            Ok(Said::Closed(_)) => Done::Failed("the request was taken back".to_owned()),
            Err(fault) => Done::Failed(fault),
        }
    }

    fn on_connected(&mut self, conn: &mut Connection) -> Done {
        let data = conn.crypto_session().handshake_data();
        let data = data.and_then(|data| data.downcast::<HandshakeData>().ok());
        match data.and_then(|data| data.protocol).as_deref() {
            Some(limits::ALPN_NATIVE) => Done::Native,
            Some(limits::ALPN_WEB_TRANSPORT) => {
                let mut browser = Box::<Browser>::default();
                if let Err(fault) = browser.begin(conn) {
                    return Done::Failed(fault);
                }
                self.browser = Some(browser);
                Done::NotYet
            }
            // TLS agrees on one of our two protocols or fails, so this is a fault of the TLS library.
            Some(_) | None => Done::Failed("no protocol agreed on".to_owned()),
        }
    }
}
