//! Actors as plain tokio tasks with an unbounded channel each.
//!
//! *Responsible for*: the spelling. *Not responsible for*: the work of a row (`table`).

use std::future::Future;
use std::sync::Arc;

use tokio::runtime::Runtime;
use tokio::sync::{Notify, mpsc, oneshot};

use super::table::{Framework, Load, current_thread};

type Sender = mpsc::UnboundedSender<Message>;

pub(super) enum Message {
    Link(Sender),
    Tell(Load),
    Ask(Load, oneshot::Sender<u64>),
    Relay(Load, oneshot::Sender<u64>),
    Hop(u64, Arc<Notify>),
}

/// Tokio alone.
pub(super) struct Tasks;

async fn run(mut inbox: mpsc::UnboundedReceiver<Message>) {
    let (mut sum, mut next) = (0_u64, None::<Sender>);
    while let Some(message) = inbox.recv().await {
        match message {
            Message::Link(actor) => next = Some(actor),
            Message::Tell(load) => sum = sum.wrapping_add(load.sum()),
            Message::Ask(load, answer) => {
                sum = sum.wrapping_add(load.sum());
                answer.send(sum).expect("somebody waits");
            }
            Message::Relay(load, answer) => {
                let next = next.as_ref().expect("a relay is linked");
                answer.send(Tasks::ask(next, load).await).expect("somebody waits");
            }
            Message::Hop(0, end) => end.notify_one(),
            Message::Hop(left, end) => {
                let next = next.as_ref().expect("a ring is linked");
                drop(next.send(Message::Hop(left - 1, end)));
            }
        }
    }
}

impl Framework for Tasks {
    type Actor = Sender;
    type Runtime = Runtime;

    fn runtime() -> Runtime {
        current_thread()
    }

    fn block_on<F: Future>(runtime: &Runtime, work: F) -> F::Output {
        runtime.block_on(work)
    }

    async fn start() -> Sender {
        let (sender, inbox) = mpsc::unbounded_channel();
        tokio::spawn(run(inbox));
        sender
    }

    fn link(actor: &Sender, next: Sender) {
        drop(actor.send(Message::Link(next)));
    }

    fn tell(actor: &Sender, load: Load) {
        drop(actor.send(Message::Tell(load)));
    }

    fn ask(actor: &Sender, load: Load) -> impl Future<Output = u64> {
        Self::begin(actor, load)
    }

    fn begin(actor: &Sender, load: Load) -> impl Future<Output = u64> {
        let (answer, answered) = oneshot::channel();
        drop(actor.send(Message::Ask(load, answer)));
        async move { answered.await.expect("it is answered") }
    }

    fn relay(actor: &Sender, load: Load) -> impl Future<Output = u64> {
        let (answer, answered) = oneshot::channel();
        drop(actor.send(Message::Relay(load, answer)));
        async move { answered.await.expect("it is answered") }
    }

    fn hop(actor: &Sender, left: u64, end: Arc<Notify>) {
        drop(actor.send(Message::Hop(left, end)));
    }
}
