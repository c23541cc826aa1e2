//! What handles change about their own activations: alarms, timers, stops, random numbers.
//!
//! *Responsible for*: one entry for each place, that of its present life. *Not responsible for*: activations themselves (`places`).
//!
//! Invariants: those of [`super`], and:
//! - I1: a handle of a life that has ended changes nothing of the next one.

use lightmoon_contract::{CallError, Mono, Priority};

use super::{Alarm, Life, NEVER, Port};
use crate::slot::Slot;
use crate::timers::Due;

impl Port {
    /// An activation begins at `slot`.
    pub(crate) fn begin_life(&self, slot: Slot, random: u64) {
        let mut lives = self.lives.borrow_mut();
        let life = Life {
            generation: slot.generation,
            alive: true,
            stop: false,
            woken: false,
            timers: 0,
            random,
            alarm: NEVER,
            armed: NEVER,
        };
        // Places are opened one after the other, but what is kept begins to live in the order in which it was loaded.
        while lives.len() <= slot.at() {
            lives.push(Life { alive: false, ..life });
        }
        lives[slot.at()] = life;
    }

    /// The activation at `slot` has ended.
    pub(crate) fn end_life(&self, slot: Slot) {
        let timers = self.with_life(slot, |life| {
            life.alive = false;
            std::mem::take(&mut life.timers)
        });
        self.timers().became_stale(timers.unwrap_or(0) as usize);
    }

    pub(super) fn with_life<R>(&self, slot: Slot, change: impl FnOnce(&mut Life) -> R) -> Option<R> {
        self.lives.borrow_mut().get_mut(slot.at()).filter(|life| life.is(slot)).map(change)
    }

    /// Sets a timer of the activation at `slot`; nothing if that has ended.
    pub(crate) fn set_timer(&self, slot: Slot, at: Mono, due: Due) {
        if self.with_life(slot, |life| life.timers += 1).is_some() {
            self.timers().set(at, due);
        } else {
            self.contain(|| drop(due));
        }
    }

    /// A timer of the activation at `slot` was popped. Returns whether that still lives.
    pub(crate) fn timer_fell(&self, slot: Slot) -> bool {
        let lives = self.with_life(slot, |life| life.timers -= 1).is_some();
        if !lives {
            self.timers().stale_left();
        }
        lives
    }

    pub(crate) fn set_alarm(&self, slot: Slot, at: Mono) {
        let set = self.with_life(slot, |life| {
            life.alarm = at;
            let earlier = at < life.armed;
            if earlier {
                life.armed = at;
                life.timers += 1;
            }
            earlier
        });
        if set == Some(true) {
            self.timers().set(at, Due::Alarm(slot));
        }
    }

    pub(crate) fn clear_alarm(&self, slot: Slot) {
        self.with_life(slot, |life| life.alarm = NEVER);
    }

    /// Whether an alarm is set.
    pub(crate) fn has_alarm(&self, slot: Slot) -> bool {
        self.with_life(slot, |life| life.alarm != NEVER).unwrap_or(false)
    }

    /// The alarm's timer of `at` was popped.
    pub(crate) fn alarm_fell(&self, slot: Slot, at: Mono) -> Alarm {
        if !self.timer_fell(slot) {
            return Alarm::Silent;
        }
        let now = self.now();
        let later = self.with_life(slot, |life| {
            if life.armed == at {
                life.armed = NEVER;
            }
            if life.alarm <= now {
                life.alarm = NEVER;
                return None;
            }
            Some(life.alarm)
        });
        match later.flatten() {
            None => Alarm::Rings,
            Some(NEVER) => Alarm::Silent,
            Some(later) => {
                self.set_alarm(slot, later);
                Alarm::Silent
            }
        }
    }

    pub(crate) fn request_stop(&self, slot: Slot) {
        self.with_life(slot, |life| life.stop = true);
    }

    pub(crate) fn stop_requested(&self, slot: Slot) -> bool {
        self.with_life(slot, |life| life.stop).unwrap_or(false)
    }

    /// A generator of the activation at `slot`, another one each time.
    pub(crate) fn random(&self, slot: Slot) -> fastrand::Rng {
        let fork = |seed: u64| {
            let mut random = fastrand::Rng::with_seed(seed);
            let fork = random.fork();
            (fork, random.get_seed())
        };
        let forked = self.with_life(slot, |life| {
            let (forked, next) = fork(life.random);
            life.random = next;
            forked
        });
        forked.unwrap_or_else(|| {
            let (forked, next) = fork(self.spare_random.get());
            self.spare_random.set(next);
            forked
        })
    }

    /// Empties everything that may hold values of users.
    pub(crate) fn empty(&self) {
        let due = self.timers().take();
        self.contain(|| drop(due));
        for priority in Priority::ALL {
            while let Some(envelope) = self.dequeue(priority) {
                self.refuse(envelope, CallError::Gone);
            }
        }
    }
}

impl Life {
    pub(super) const fn is(&self, slot: Slot) -> bool {
        self.alive && self.generation == slot.generation
    }
}
