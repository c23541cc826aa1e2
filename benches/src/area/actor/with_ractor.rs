//! Actors of ractor.
//!
//! *Responsible for*: the spelling. *Not responsible for*: the work of a row (`table`).

use std::future::Future;
use std::sync::Arc;

use ractor::concurrency::{OneshotReceiver, OneshotSender, oneshot};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use tokio::runtime::Runtime;
use tokio::sync::Notify;

use super::table::{Framework, Load, current_thread};

pub(super) enum Message {
    Link(ActorRef<Message>),
    Tell(Load),
    Ask(Load, RpcReplyPort<u64>),
    Relay(Load, RpcReplyPort<u64>),
    Hop(u64, Arc<Notify>),
}

/// ractor.
pub(super) struct Ractor;

struct Behaviour;

#[derive(Default)]
struct State {
    sum: u64,
    next: Option<ActorRef<Message>>,
}

impl Actor for Behaviour {
    type Msg = Message;
    type State = State;
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<Message>, (): ()) -> Result<State, ActorProcessingErr> {
        Ok(State::default())
    }

    async fn handle(
        &self,
        _: ActorRef<Message>,
        message: Message,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            Message::Link(next) => state.next = Some(next),
            Message::Tell(load) => state.sum = state.sum.wrapping_add(load.sum()),
            Message::Ask(load, answer) => {
                state.sum = state.sum.wrapping_add(load.sum());
                answer.send(state.sum)?;
            }
            Message::Relay(load, answer) => {
                let next = state.next.as_ref().expect("a relay is linked");
                let (port, answered) = port();
                next.cast(Message::Ask(load, port))?;
                answer.send(answered.await?)?;
            }
            Message::Hop(0, end) => end.notify_one(),
            Message::Hop(left, end) => {
                let next = state.next.as_ref().expect("a ring is linked");
                next.cast(Message::Hop(left - 1, end))?;
            }
        }
        Ok(())
    }
}

fn port() -> (RpcReplyPort<u64>, OneshotReceiver<u64>) {
    let (answer, answered): (OneshotSender<u64>, _) = oneshot();
    (answer.into(), answered)
}

impl Framework for Ractor {
    type Actor = ActorRef<Message>;
    type Runtime = Runtime;

    fn runtime() -> Runtime {
        current_thread()
    }

    fn block_on<F: Future>(runtime: &Runtime, work: F) -> F::Output {
        runtime.block_on(work)
    }

    async fn start() -> ActorRef<Message> {
        Behaviour::spawn(None, Behaviour, ()).await.expect("it starts").0
    }

    fn link(actor: &ActorRef<Message>, next: ActorRef<Message>) {
        drop(actor.cast(Message::Link(next)));
    }

    fn tell(actor: &ActorRef<Message>, load: Load) {
        drop(actor.cast(Message::Tell(load)));
    }

    fn ask(actor: &ActorRef<Message>, load: Load) -> impl Future<Output = u64> {
        Self::begin(actor, load)
    }

    fn begin(actor: &ActorRef<Message>, load: Load) -> impl Future<Output = u64> {
        let (port, answered) = port();
        drop(actor.cast(Message::Ask(load, port)));
        async move { answered.await.expect("it is answered") }
    }

    fn relay(actor: &ActorRef<Message>, load: Load) -> impl Future<Output = u64> {
        let (port, answered) = port();
        drop(actor.cast(Message::Relay(load, port)));
        async move { answered.await.expect("it is answered") }
    }

    fn hop(actor: &ActorRef<Message>, left: u64, end: Arc<Notify>) {
        drop(actor.cast(Message::Hop(left, end)));
    }
}
