//! What a bot of a crowd measures: how it is served, packet by packet.
//!
//! *Responsible for*: the time between state packets, how much is in view, how soon the ship does what it was told.
//! *Not responsible for*: flying ([`crate::brain`]).
//!
//! Invariants:
//! - I1: one command at a time is timed, from its sending to the first packet that shows its effect.

use std::time::Duration;

use game_sample_contracts::{Pose, Steer};
use lightmoon_client::Client;
use lightmoon_contract::{Mono, NetId};

use crate::report::Tally;

/// Time between two commands whose effect is timed.
const ECHO_EVERY: Duration = Duration::from_millis(1_000);
/// A command whose effect was not seen by then was lost on the way.
const ECHO_WITHIN: Duration = Duration::from_millis(900);
/// Counting what is in view goes through all of it; one in so many packets is enough.
const COUNT_EVERY: u64 = 20;

/// What a bot of a crowd remembers of the packets before.
#[derive(Debug, Default)]
pub struct Crowd {
    packets: u64,
    last: Option<Mono>,
    echo: Option<Mono>,
    next_echo: Mono,
}

impl Crowd {
    /// Another zone, or another connection: the time to the packet before means nothing.
    pub fn begins_anew(&mut self) {
        self.last = None;
        self.echo = None;
    }

    /// A state packet came.
    pub fn on_state(&mut self, now: Mono, avatar: NetId, client: &Client, tally: &mut Tally) {
        if let Some(last) = self.last.replace(now) {
            tally.state_interval(now.since(last));
        }
        self.packets += 1;
        if self.packets.is_multiple_of(COUNT_EVERY) {
            // The own ship is no sight.
            tally.visible(client.view().len().saturating_sub(1));
        }
        let Some(sent) = self.echo else { return };
        let thrust = client.view().entity(avatar).and_then(|ship| ship.get::<Pose>()).map(|pose| pose.thrust);
        if thrust == Some(0) {
            self.echo = None;
            tally.done("coast", now.since(sent));
        } else if now.since(sent) > ECHO_WITHIN {
            self.echo = None;
            tally.failed("coast", &"the ship did not do what it was told");
        }
    }

    /// What is sent instead of `steer`: now and then the engine rests until the ship shows that it does.
    pub fn controls(&mut self, now: Mono, steer: Steer, tally: &mut Tally) -> Steer {
        if self.echo.is_none() && now >= self.next_echo {
            self.next_echo = now + ECHO_EVERY;
            self.echo = Some(now);
            tally.sent("coast");
        }
        if self.echo.is_some() { Steer { thrust: 0.0, boost: false, ..steer } } else { steer }
    }
}
