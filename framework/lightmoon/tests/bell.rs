//! Every interleaving of the bell between senders and a receiver that sleeps.
//!
//! It compiles the bell's own file with loom's atomics, so what is tried here is what runs.

#![forbid(unsafe_code)]

mod atomic {
    pub(super) use loom::sync::atomic::{AtomicBool, Ordering};
}
#[path = "../src/workers/bell.rs"]
mod bell;

use bell::Bell;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use loom::thread;

/// Up to so many switches of threads against their will: all that are known to matter, and the run stays short.
fn model(run: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(run);
}

/// Takes what is there and sleeps, until `until` was seen.
fn receive(bell: &Bell, ring: &AtomicUsize, until: usize) {
    loop {
        bell.answer();
        // Of a ring: its tail is read as the receiver of the ring does.
        if ring.load(Ordering::Acquire) >= until {
            return;
        }
        if !bell.is_rung() {
            thread::park();
        }
    }
}

#[test]
fn no_wake_is_lost() {
    model(|| {
        let (bell, ring) = (Arc::new(Bell::new()), Arc::new(AtomicUsize::new(0)));
        let receiver = {
            let (bell, ring) = (Arc::clone(&bell), Arc::clone(&ring));
            thread::spawn(move || receive(&bell, &ring, 2))
        };
        for number in 1..=2 {
            ring.store(number, Ordering::Release);
            if bell.ring() {
                receiver.thread().unpark();
            }
        }
        // It never ends if a wake is lost, and loom says so.
        receiver.join().expect("the receiver ends");
    });
}

#[test]
fn two_senders_lose_no_wake_between_them() {
    model(|| {
        let (bell, ring) = (Arc::new(Bell::new()), Arc::new(AtomicUsize::new(0)));
        let receiver = {
            let (bell, ring) = (Arc::clone(&bell), Arc::clone(&ring));
            thread::spawn(move || receive(&bell, &ring, 2))
        };
        let other = {
            let (bell, ring, receiver) = (Arc::clone(&bell), Arc::clone(&ring), receiver.thread().clone());
            thread::spawn(move || {
                ring.fetch_add(1, Ordering::Release);
                if bell.ring() {
                    receiver.unpark();
                }
            })
        };
        ring.fetch_add(1, Ordering::Release);
        if bell.ring() {
            receiver.thread().unpark();
        }
        other.join().expect("the sender ends");
        receiver.join().expect("the receiver ends");
    });
}

#[test]
fn a_stop_wakes_who_is_about_to_sleep() {
    model(|| {
        let (bell, quits) = (Arc::new(Bell::new()), Arc::new(AtomicBool::new(false)));
        let receiver = {
            let (bell, quits) = (Arc::clone(&bell), Arc::clone(&quits));
            thread::spawn(move || sleep_until(&bell, &quits))
        };
        quits.store(true, Ordering::Release);
        if bell.ring() {
            receiver.thread().unpark();
        }
        receiver.join().expect("the receiver ends");
    });
}

/// Sleeps whenever nobody rang, until it is told to quit.
fn sleep_until(bell: &Bell, quits: &AtomicBool) {
    loop {
        bell.answer();
        if quits.load(Ordering::Acquire) {
            return;
        }
        if !bell.is_rung() {
            thread::park();
        }
    }
}
