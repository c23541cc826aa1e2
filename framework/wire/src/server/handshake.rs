//! The first frames: Hello, perhaps Describing, then Welcome or Refuse.
//!
//! *Responsible for*: versions, fingerprints, the order of the handshake. *Not responsible for*: who the player is.
//!
//! Invariants:
//! - I1: a descriptor is compared only if its fingerprint is the one that Hello named.
//! - I2: nothing is welcomed before a Hello.

use lightmoon_contract::{Lane, Mono, SessionId};

use super::{Phase, ServerEvent, ServerLink};
use crate::close::{CloseCode, Violation, cut_reason};
use crate::compatibility::{Compatibility, Verdict};
use crate::error::SendError;
use crate::frame::{Describe, Describing, Hello, Refuse, Welcome};
use crate::kept::KeptLanes;
use crate::{MINOR, MINOR_LANES, MINOR_OLDEST, is_understood};

/// What the node grants to a client it lets in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Grant {
    /// The session: a new one, or the one that the client's ticket resumes.
    pub session: SessionId,
    /// Key of the player it belongs to.
    pub player: u64,
    /// Steps per second of the node's zones, unless an Attach says otherwise; 0: no default.
    pub tick_hz: u16,
}

/// How a client's contracts relate to the server's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Settled {
    /// They fit. Authenticate, then welcome or refuse.
    Compatible,
    /// The client was asked for its descriptor; another [`ServerEvent::Hello`] follows.
    Asked,
    /// They do not fit, or the link is over; the client was told why.
    Refused,
}

impl ServerLink {
    pub(super) fn on_hello(&mut self, now: Mono, hello: Hello) -> Result<(), Violation> {
        if !matches!(self.phase, Phase::Fresh) {
            return Err(Violation::protocol("second Hello"));
        }
        if !is_understood(hello.minor) {
            let reason = format!("protocol 1.{} is too old, 1.{MINOR_OLDEST} is the least", hello.minor);
            self.refuse(now, CloseCode::Incompatible, reason);
            return Ok(());
        }
        self.phase = Phase::Deciding(hello.clone());
        self.event(ServerEvent::Hello(hello))
    }

    pub(super) fn on_describing(&mut self, describing: Describing) -> Result<(), Violation> {
        let Phase::Describing(hello) = &self.phase else {
            return Err(Violation::protocol("a descriptor that was not asked for"));
        };
        let hello = hello.clone();
        self.described = Some(describing.descriptor);
        self.phase = Phase::Deciding(hello.clone());
        self.event(ServerEvent::Hello(hello))
    }

    /// Compares the client's contracts with the server's, after [`ServerEvent::Hello`]: by what `known` remembers, else
    /// by the client's descriptor, for which it asks once. Refuses by itself, naming the field that does not fit.
    pub fn settle(&mut self, now: Mono, known: &mut Compatibility) -> Settled {
        let Phase::Deciding(hello) = &self.phase else { return Settled::Refused };
        let fingerprint = hello.fingerprint;
        let verdict = match (known.verdict(fingerprint), self.described.take()) {
            (Some(verdict), _) => verdict,
            (None, Some(descriptor)) => known.learn(fingerprint, &descriptor),
            (None, None) => {
                let hello = hello.clone();
                return self.ask(hello);
            }
        };
        match verdict {
            Verdict::Compatible => Settled::Compatible,
            Verdict::Incompatible(reason) => {
                self.refuse(now, CloseCode::Incompatible, reason);
                Settled::Refused
            }
        }
    }

    fn ask(&mut self, hello: Hello) -> Settled {
        if self.send(Lane::CONTROL, &Describe).is_err() {
            return Settled::Refused;
        }
        self.phase = Phase::Describing(hello);
        Settled::Asked
    }

    /// Lets the client in.
    ///
    /// # Errors
    /// [`SendError::NotOpen`]: there is no Hello to answer, for instance because the link ended meanwhile.
    pub fn welcome(&mut self, now: Mono, grant: Grant) -> Result<(), SendError> {
        self.let_in(now, grant, None)
    }

    /// Lets the client in, whose session goes on with what was kept of its lanes; both sides send again what the other lacks. A client of an
    /// older version, or one that claims numbers that cannot be, begins anew.
    ///
    /// # Errors
    /// As [`Self::welcome`]; the lanes come back by [`Self::take_kept`].
    pub fn welcome_back(&mut self, now: Mono, grant: Grant, kept: KeptLanes) -> Result<(), SendError> {
        self.let_in(now, grant, Some(kept))
    }

    /// Whether lanes of a session can go on with this client; false before its Hello too.
    #[must_use]
    pub fn fits(&self, kept: &KeptLanes) -> bool {
        matches!(&self.phase, Phase::Deciding(hello) if hello.minor >= MINOR_LANES && kept.fits(&hello.held))
    }

    fn let_in(&mut self, now: Mono, grant: Grant, kept: Option<KeptLanes>) -> Result<(), SendError> {
        let kept = kept.filter(|kept| self.fits(kept));
        let goes_on = kept.is_some();
        self.kept = kept.unwrap_or_default();
        let Phase::Deciding(hello) = &self.phase else { return Err(SendError::NotOpen) };
        let lacking = if goes_on { self.kept.resume(&hello.held) } else { Vec::new() };
        let welcome = Welcome {
            minor: if hello.minor > MINOR { MINOR } else { hello.minor },
            features: hello.features & self.config.features,
            session: grant.session,
            player: grant.player,
            tick_hz: grant.tick_hz,
            goes_on,
            held: self.kept.held(),
        };
        self.phase = Phase::Open;
        self.minor = welcome.minor;
        self.heard_at = now;
        self.described = None;
        self.send(Lane::CONTROL, &welcome)?;
        if self.minor >= MINOR_LANES {
            self.outbox.expect_acknowledgements();
        }
        for (lane, frame) in lacking {
            self.counters.frames_resent += 1;
            if self.outbox.stream_bytes(lane, &frame, &mut self.counters).is_err() {
                self.overflow(lane);
                return Err(SendError::NotOpen);
            }
        }
        Ok(())
    }

    /// Keeps the client out: Refuse, then the close, when the client closed or a moment later. Does nothing once open.
    pub fn refuse(&mut self, now: Mono, code: CloseCode, reason: impl Into<String>) {
        let reason = cut_reason(reason);
        match &self.phase {
            Phase::Fresh | Phase::Deciding(_) | Phase::Describing(_) => {
                self.linger(now, Refuse { code, reason: reason.clone() }, code, reason);
            }
            Phase::Open | Phase::Lingering { .. } | Phase::Closed => {}
        }
    }
}
