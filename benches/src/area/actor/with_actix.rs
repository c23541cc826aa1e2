//! Actors of actix.
//!
//! *Responsible for*: the spelling. *Not responsible for*: the work of a row (`table`).

use std::future::Future;
use std::sync::Arc;

use actix::{
    Actor, ActorFutureExt as _, Addr, AtomicResponse, Context, Handler, Message, System, SystemRunner,
    WrapFuture as _,
};
use tokio::sync::Notify;

use super::table::{Framework, Load};

/// actix.
pub(super) struct Actix;

/// Requests that an actor takes before the caller waits: all that are in flight.
const MAILBOX: usize = 1_024;

#[derive(Default)]
pub(super) struct Behaviour {
    sum: u64,
    next: Option<Addr<Behaviour>>,
}

impl Actor for Behaviour {
    type Context = Context<Self>;

    fn started(&mut self, cx: &mut Context<Self>) {
        cx.set_mailbox_capacity(MAILBOX);
    }
}

struct Link(Addr<Behaviour>);
struct Tell(Load);
struct Ask(Load);
struct Relay(Load);
struct Hop(u64, Arc<Notify>);

impl Message for Link {
    type Result = ();
}

impl Message for Tell {
    type Result = ();
}

impl Message for Ask {
    type Result = u64;
}

impl Message for Relay {
    type Result = u64;
}

impl Message for Hop {
    type Result = ();
}

impl Handler<Link> for Behaviour {
    type Result = ();

    fn handle(&mut self, Link(next): Link, _: &mut Context<Self>) {
        self.next = Some(next);
    }
}

impl Handler<Tell> for Behaviour {
    type Result = ();

    fn handle(&mut self, Tell(load): Tell, _: &mut Context<Self>) {
        self.sum = self.sum.wrapping_add(load.sum());
    }
}

impl Handler<Ask> for Behaviour {
    type Result = u64;

    fn handle(&mut self, Ask(load): Ask, _: &mut Context<Self>) -> u64 {
        self.sum = self.sum.wrapping_add(load.sum());
        self.sum
    }
}

impl Handler<Relay> for Behaviour {
    // The actor waits, as ours does.
    type Result = AtomicResponse<Self, u64>;

    fn handle(&mut self, Relay(load): Relay, _: &mut Context<Self>) -> AtomicResponse<Self, u64> {
        let asked = self.next.as_ref().expect("a relay is linked").send(Ask(load));
        let answer = asked.into_actor(self).map(|answer, _, _| answer.expect("it is answered"));
        AtomicResponse::new(Box::pin(answer))
    }
}

impl Handler<Hop> for Behaviour {
    type Result = ();

    fn handle(&mut self, Hop(left, end): Hop, _: &mut Context<Self>) {
        match left {
            0 => end.notify_one(),
            left => self.next.as_ref().expect("a ring is linked").do_send(Hop(left - 1, end)),
        }
    }
}

impl Framework for Actix {
    type Actor = Addr<Behaviour>;
    type Runtime = SystemRunner;

    fn runtime() -> SystemRunner {
        System::new()
    }

    fn block_on<F: Future>(runtime: &SystemRunner, work: F) -> F::Output {
        runtime.block_on(work)
    }

    async fn start() -> Addr<Behaviour> {
        Behaviour::default().start()
    }

    fn link(actor: &Addr<Behaviour>, next: Addr<Behaviour>) {
        actor.do_send(Link(next));
    }

    fn tell(actor: &Addr<Behaviour>, load: Load) {
        actor.do_send(Tell(load));
    }

    fn ask(actor: &Addr<Behaviour>, load: Load) -> impl Future<Output = u64> {
        Self::begin(actor, load)
    }

    fn begin(actor: &Addr<Behaviour>, load: Load) -> impl Future<Output = u64> {
        let asked = actor.send(Ask(load));
        async move { asked.await.expect("it is answered") }
    }

    fn relay(actor: &Addr<Behaviour>, load: Load) -> impl Future<Output = u64> {
        let asked = actor.send(Relay(load));
        async move { asked.await.expect("it is answered") }
    }

    fn hop(actor: &Addr<Behaviour>, left: u64, end: Arc<Notify>) {
        actor.do_send(Hop(left, end));
    }
}
