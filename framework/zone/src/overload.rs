//! What a zone gives up when its ticks take too long, before its time stretches.
//!
//! *Responsible for*: deciding the rung from measured ticks, [`Overload`] and [`Optional`] for games. *Not responsible for*: measuring
//! (`tick`), packets (`replication`), skipping ticks (`time`), which is what is left when all this was not enough.
//!
//! ```text
//! rung         given up on top of the one before                                          back after
//! Calm         –
//! Throttled    systems in `Optional` run in one tick of four                               4 s of calm; twice as long
//! HalfRate     state packets go out in every second tick                                   each time it was too early,
//! QuarterRate  in every fourth; the own avatar stays in every second                       up to 64 s
//! Narrow       viewers see 0.7 of the radius: half of the area
//! ```
//!
//! Invariants:
//! - I1: one rung at a time, up and down, and at most one in half a second.
//! - I2: the rung is a function of the times that the probe measured: where it measures none (simulator, tests) it stays `Calm`.
//! - I3: what is given up is rate and reach, never order or age: what is sent is of the present tick.

use std::time::Duration;

use bevy_ecs::resource::Resource;
use bevy_ecs::schedule::{IntoScheduleConfigs, Schedules, SystemSet};
use bevy_ecs::system::Res;
use bevy_ecs::world::World;

use crate::limits::{
    CALM_AFTER_WINDOWS, CALM_AFTER_WINDOWS_MAX, CALM_PERCENT, OPTIONAL_EVERY, OVER_PERCENT, RADIUS_NARROW,
};
use crate::schedule::{First, Last, Update};
use crate::time::ZoneTime;

/// Systems that a zone may skip when it is overloaded: effects, ambient life, far-sighted thinking.
///
/// `zone.add_systems(Update, wander.in_set(Optional))`, in [`First`], [`Update`] or [`Last`]. From [`Rung::Throttled`] on they run in one
/// tick of four, so let such a system take its time from [`ZoneTime::tick`], not from how often it ran.
#[derive(SystemSet, Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Optional;

/// How much a zone has given up; each rung includes those before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Rung {
    /// Nothing.
    #[default]
    Calm,
    /// Systems in [`Optional`] run in one tick of four.
    Throttled,
    /// Each viewer gets its state packet in every second tick.
    HalfRate,
    /// In every fourth; its own avatar in every second.
    QuarterRate,
    /// Viewers see less far.
    Narrow,
}

impl Rung {
    const ALL: [Self; 5] = [Self::Calm, Self::Throttled, Self::HalfRate, Self::QuarterRate, Self::Narrow];

    /// 0 for [`Rung::Calm`] up to 4.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Calm => 0,
            Self::Throttled => 1,
            Self::HalfRate => 2,
            Self::QuarterRate => 3,
            Self::Narrow => 4,
        }
    }

    fn above(self) -> Option<Self> {
        Self::ALL.get(usize::from(self.number()) + 1).copied()
    }

    fn below(self) -> Option<Self> {
        Self::ALL.get(usize::from(self.number()).checked_sub(1)?).copied()
    }

    /// A viewer's state packet is due in one tick of so many.
    pub(crate) const fn send_interval(self) -> u64 {
        match self {
            Self::Calm | Self::Throttled => 1,
            Self::HalfRate => 2,
            Self::QuarterRate | Self::Narrow => 4,
        }
    }

    /// Its own avatar is told of in one tick of so many at least.
    pub(crate) const fn avatar_interval(self) -> u64 {
        match self {
            Self::Calm | Self::Throttled => 1,
            Self::HalfRate | Self::QuarterRate | Self::Narrow => 2,
        }
    }

    /// Part of the radius of interest that is left.
    pub(crate) const fn radius_scale(self) -> f32 {
        match self {
            Self::Calm | Self::Throttled | Self::HalfRate | Self::QuarterRate => 1.0,
            Self::Narrow => RADIUS_NARROW,
        }
    }
}

/// What the zone has given up now, for systems: a game may give up something of its own, too.
#[derive(Resource, Clone, Copy, Debug, Default)]
pub struct Overload {
    rung: Rung,
}

impl Overload {
    /// The present rung.
    #[must_use]
    pub const fn rung(&self) -> Rung {
        self.rung
    }
}

/// Whether systems in [`Optional`] run in this tick.
pub(crate) fn optional_runs(overload: &Overload, time: &ZoneTime) -> bool {
    overload.rung == Rung::Calm || time.tick().0.is_multiple_of(OPTIONAL_EVERY)
}

/// Puts the resource and the condition of [`Optional`] into a new world.
pub(crate) fn install(world: &mut World) {
    world.init_resource::<Overload>();
    let mut schedules = world.get_resource_or_init::<Schedules>();
    let condition = |overload: Res<'_, Overload>, time: Res<'_, ZoneTime>| optional_runs(&overload, &time);
    schedules.configure_sets(First, Optional.run_if(condition));
    schedules.configure_sets(Update, Optional.run_if(condition));
    schedules.configure_sets(Last, Optional.run_if(condition));
}

/// Decides the rung.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ladder {
    rung: Rung,
    /// Of the present window: ticks, those over the budget, those that were not calm.
    ticks: u16,
    over: u16,
    busy: u16,
    /// Windows without a tick that was not calm.
    calm_windows: u32,
    /// So many of them lead one rung down.
    calm_after: u32,
    /// Windows since the last step down.
    since_down: u32,
}

impl Default for Ladder {
    fn default() -> Self {
        Self {
            rung: Rung::Calm,
            ticks: 0,
            over: 0,
            busy: 0,
            calm_windows: 0,
            calm_after: CALM_AFTER_WINDOWS,
            since_down: u32::MAX,
        }
    }
}

impl Ladder {
    pub(crate) const fn rung(&self) -> Rung {
        self.rung
    }

    /// A tick of a zone with this rate took so long; 0: nobody measured. Gives the new rung if it is another one.
    pub(crate) fn after_tick(&mut self, took: Duration, rate_hz: u16) -> Option<Rung> {
        let share = took.as_nanos() * u128::from(rate_hz) * 100;
        self.ticks += 1;
        self.over += u16::from(share > OVER_PERCENT * 1_000_000_000);
        self.busy += u16::from(share > CALM_PERCENT * 1_000_000_000);
        if self.ticks < (rate_hz / 2).max(1) {
            return None;
        }
        let (is_over, is_calm) = (self.over * 2 >= self.ticks, self.busy * 10 < self.ticks);
        (self.ticks, self.over, self.busy) = (0, 0, 0);
        self.after_window(is_over, is_calm)
    }

    fn after_window(&mut self, is_over: bool, is_calm: bool) -> Option<Rung> {
        self.since_down = self.since_down.saturating_add(1);
        self.calm_windows = if is_calm { self.calm_windows.saturating_add(1) } else { 0 };
        if is_over {
            if self.since_down <= self.calm_after {
                // What the step down gave back was what was missing.
                self.calm_after = (self.calm_after * 2).min(CALM_AFTER_WINDOWS_MAX);
                self.since_down = u32::MAX;
            }
            return self.step(self.rung.above());
        }
        if self.calm_windows >= self.calm_after {
            self.calm_windows = 0;
            if self.rung == Rung::Calm {
                self.calm_after = CALM_AFTER_WINDOWS;
                return None;
            }
            self.since_down = 0;
            return self.step(self.rung.below());
        }
        None
    }

    fn step(&mut self, to: Option<Rung>) -> Option<Rung> {
        self.rung = to?;
        to
    }
}

impl From<Rung> for Overload {
    fn from(rung: Rung) -> Self {
        Self { rung }
    }
}

#[cfg(test)]
mod tests;
