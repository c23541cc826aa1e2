//! The judge: all checkers, looking at a world after each moment.
//!
//! *Responsible for*: showing each checker what it needs, when; forgiving what a disturbance excuses.
//! *Not responsible for*: the rules of a single checker ([`crate::checker`]).
//!
//! Invariants:
//! - I1: a client is looked at whenever something arrived for it, and at least each [`LOOK_EVERY`].

use std::time::Duration;

use lightmoon_contract::Mono;
use lightmoon_contract::replicate::ComponentSpec;

use crate::checker::{
    Answers, ClientNumber, Ghosts, Liveness, Order, Presence, Quiet, Rules, Stale, Values, Violation,
};
use crate::flaw::{Bender, Flaw};
use crate::truth::HeldView;
use crate::world::{CallNews, Player, World};

/// Time between two looks at clients for which nothing arrives: a missing entity makes no noise.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// All checkers together.
#[derive(Debug)]
pub struct Judge {
    rules: Rules,
    components: Vec<ComponentSpec>,
    ghosts: Ghosts,
    presence: Presence,
    values: Values,
    stale: Stale,
    quiet: Quiet,
    order: Order,
    answers: Answers,
    liveness: Liveness,
    looked_at_all: Mono,
    bender: Option<Bender>,
}

impl Judge {
    /// A judge for a game with these components and rules. After [`Judge::heal`], clients have 30 s to come back to play,
    /// and hear of a tick at least each 2 s beyond the slowest packet.
    #[must_use]
    pub fn new(components: &[ComponentSpec], rules: Rules) -> Self {
        Self {
            rules,
            components: components.to_vec(),
            ghosts: Ghosts::default(),
            presence: Presence::default(),
            values: Values::default(),
            stale: Stale::default(),
            quiet: Quiet::default(),
            order: Order::default(),
            answers: Answers::default(),
            liveness: Liveness::new(Duration::from_secs(30), Duration::from_secs(2) + rules.in_flight),
            looked_at_all: Mono::default(),
            bender: None,
        }
    }

    /// The same, shown clients with a flaw: it must find it.
    #[must_use]
    pub fn with_flaw(mut self, flaw: Flaw) -> Self {
        self.bender = Some(Bender::new(flaw));
        self
    }

    /// Values compared so far, and calls answered: a judge that compared nothing proves nothing.
    #[must_use]
    pub const fn seen(&self) -> (u64, u64) {
        (self.values.compared, self.answers.answered)
    }

    /// Entities compared so far while their zone rested.
    #[must_use]
    pub const fn seen_quiet(&self) -> u64 {
        self.quiet.compared
    }

    /// The node was paused, restarted or links changed: what is late for that reason is forgiven.
    pub fn disturbed(&mut self, rules: Rules) {
        self.rules = rules;
        self.ghosts = Ghosts::default();
        self.presence = Presence::default();
        self.stale.forget_all();
        self.quiet.forget_all();
    }

    /// All faults are over: from here on clients must come back to play.
    pub fn heal(&mut self, now: Mono) {
        self.liveness.heal(now);
    }

    /// Looks at everything that changed since the last look.
    ///
    /// # Errors
    /// The first violation found.
    pub fn look<P: Player>(&mut self, world: &mut World<P>) -> Result<(), Violation> {
        let now = world.now();
        self.check_calls(now, world)?;
        let mut heard = world.take_heard();
        if now.since(self.looked_at_all) >= LOOK_EVERY {
            self.looked_at_all = now;
            heard = world.clients().map(|(number, ..)| number).collect();
        }
        heard.into_iter().try_for_each(|client| self.check_client(now, client, world))
    }

    fn check_calls<P: Player>(&mut self, now: Mono, world: &mut World<P>) -> Result<(), Violation> {
        let mut news = world.take_call_news();
        if let Some(bender) = &self.bender {
            news = bender.bend_calls(news);
        }
        for (client, news) in news {
            match news {
                CallNews::Asked(call, until) => self.answers.called(client, call, until)?,
                CallNews::Answered(call) => self.answers.answered(client, call)?,
            }
        }
        self.answers.check(now)
    }

    fn check_client<P: Player>(
        &mut self,
        now: Mono,
        client: ClientNumber,
        world: &World<P>,
    ) -> Result<(), Violation> {
        // What a former node told is not what is there now.
        let hears = (!world.hears_former(client)).then(|| world.client(client));
        let held = hears.and_then(|client| HeldView::of(client, &self.components));
        let held = match &mut self.bender {
            Some(bender) => held.map(|held| bender.bend(client, held)),
            None => held,
        };
        self.liveness.check(now, client, held.as_ref())?;
        let Some(held) = held else {
            self.ghosts.forget(client);
            self.presence.forget(client);
            self.order.forget(client);
            self.stale.forget(client);
            self.quiet.forget(client);
            return Ok(());
        };
        if world.is_paused() {
            // It tells nobody what goes and what comes. Once it goes on it has as long for that as ever.
            self.ghosts.forget(client);
            self.presence.forget(client);
        }
        self.order.check(client, &held)?;
        let history = world.history();
        self.ghosts.check(now, client, &held, history, &self.rules)?;
        self.presence.check(now, client, &held, history, &self.rules)?;
        self.values.check(now, client, &held, history, &self.rules)?;
        self.stale.check(client, &held, history, &self.rules)?;
        self.quiet.check(now, client, &held, history, &self.rules)
    }
}
