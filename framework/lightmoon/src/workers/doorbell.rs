//! A bell with somebody behind it.
//!
//! *Responsible for*: waking a thread that is parked, or the node's thread, which waits at its channel. *Not responsible for*: when
//! ([`Bell`]).

use std::sync::OnceLock;
use std::sync::mpsc::Sender;
use std::thread::Thread;

use super::bell::Bell;
use crate::node_thread::ToNode;

/// Who is woken.
#[derive(Debug)]
enum Sleeper {
    /// A parked thread, once it runs. One that does not run yet looks before it sleeps.
    Thread(OnceLock<Thread>),
    /// The node's thread.
    Node(Sender<ToNode>),
}

/// A bell and who hears it.
#[derive(Debug)]
pub(crate) struct Doorbell {
    bell: Bell,
    sleeper: Sleeper,
}

impl Default for Doorbell {
    fn default() -> Self {
        Self { bell: Bell::new(), sleeper: Sleeper::Thread(OnceLock::new()) }
    }
}

impl Doorbell {
    /// Of the node's thread.
    pub(crate) fn of_hub(to_node: Sender<ToNode>) -> Self {
        Self { bell: Bell::new(), sleeper: Sleeper::Node(to_node) }
    }

    /// The current thread hears it from now on.
    pub(crate) fn is_mine(&self) {
        if let Sleeper::Thread(thread) = &self.sleeper {
            let _ = thread.set(std::thread::current());
        }
    }

    /// Says that there is something, and wakes.
    pub(crate) fn ring(&self) {
        if !self.bell.ring() {
            return;
        }
        match &self.sleeper {
            Sleeper::Thread(thread) => {
                if let Some(thread) = thread.get() {
                    thread.unpark();
                }
            }
            // Nobody is left to wake when that fails.
            Sleeper::Node(to_node) => drop(to_node.send(ToNode::Woken)),
        }
    }

    pub(crate) fn answer(&self) {
        self.bell.answer();
    }

    pub(crate) fn is_rung(&self) -> bool {
        self.bell.is_rung()
    }
}
