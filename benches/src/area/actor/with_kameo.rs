//! Actors of kameo.
//!
//! *Responsible for*: the spelling. *Not responsible for*: the work of a row (`table`).

use std::future::Future;
use std::sync::Arc;

use kameo::Actor;
use kameo::actor::{ActorRef, Spawn as _};
use kameo::error::Infallible;
use kameo::mailbox;
use kameo::message::{Context, Message};
use tokio::runtime::Runtime;
use tokio::sync::Notify;

use super::table::{Framework, Load, current_thread};

/// kameo.
pub(super) struct Kameo;

#[derive(Default)]
pub(super) struct Behaviour {
    sum: u64,
    next: Option<ActorRef<Behaviour>>,
}

impl Actor for Behaviour {
    type Args = Self;
    type Error = Infallible;

    async fn on_start(args: Self, _: ActorRef<Self>) -> Result<Self, Infallible> {
        Ok(args)
    }
}

struct Link(ActorRef<Behaviour>);
struct Tell(Load);
struct Ask(Load);
struct Relay(Load);
struct Hop(u64, Arc<Notify>);

impl Message<Link> for Behaviour {
    type Reply = ();

    async fn handle(&mut self, Link(next): Link, _: &mut Context<Self, ()>) {
        self.next = Some(next);
    }
}

impl Message<Tell> for Behaviour {
    type Reply = ();

    async fn handle(&mut self, Tell(load): Tell, _: &mut Context<Self, ()>) {
        self.sum = self.sum.wrapping_add(load.sum());
    }
}

impl Message<Ask> for Behaviour {
    type Reply = u64;

    async fn handle(&mut self, Ask(load): Ask, _: &mut Context<Self, u64>) -> u64 {
        self.sum = self.sum.wrapping_add(load.sum());
        self.sum
    }
}

impl Message<Relay> for Behaviour {
    type Reply = u64;

    async fn handle(&mut self, Relay(load): Relay, _: &mut Context<Self, u64>) -> u64 {
        let next = self.next.as_ref().expect("a relay is linked");
        next.ask(Ask(load)).send().await.expect("it is answered")
    }
}

impl Message<Hop> for Behaviour {
    type Reply = ();

    async fn handle(&mut self, Hop(left, end): Hop, _: &mut Context<Self, ()>) {
        match left {
            0 => end.notify_one(),
            left => {
                let next = self.next.as_ref().expect("a ring is linked");
                next.tell(Hop(left - 1, end)).try_send().expect("it has room");
            }
        }
    }
}

impl Framework for Kameo {
    type Actor = ActorRef<Behaviour>;
    type Runtime = Runtime;

    fn runtime() -> Runtime {
        current_thread()
    }

    fn block_on<F: Future>(runtime: &Runtime, work: F) -> F::Output {
        runtime.block_on(work)
    }

    async fn start() -> ActorRef<Behaviour> {
        Behaviour::spawn_with_mailbox(Behaviour::default(), mailbox::unbounded())
    }

    fn link(actor: &ActorRef<Behaviour>, next: ActorRef<Behaviour>) {
        actor.tell(Link(next)).try_send().expect("it has room");
    }

    fn tell(actor: &ActorRef<Behaviour>, load: Load) {
        actor.tell(Tell(load)).try_send().expect("it has room");
    }

    async fn ask(actor: &ActorRef<Behaviour>, load: Load) -> u64 {
        actor.ask(Ask(load)).send().await.expect("it is answered")
    }

    fn begin(actor: &ActorRef<Behaviour>, load: Load) -> impl Future<Output = u64> {
        let asked = actor.ask(Ask(load)).try_enqueue().expect("it has room");
        async move { asked.await.expect("it is answered") }
    }

    async fn relay(actor: &ActorRef<Behaviour>, load: Load) -> u64 {
        actor.ask(Relay(load)).send().await.expect("it is answered")
    }

    fn hop(actor: &ActorRef<Behaviour>, left: u64, end: Arc<Notify>) {
        actor.tell(Hop(left, end)).try_send().expect("it has room");
    }
}
