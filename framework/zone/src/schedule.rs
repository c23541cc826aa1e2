//! The schedules of a tick, in order: [`First`], [`Update`], [`Last`].

use bevy_ecs::schedule::ScheduleLabel;

/// Runs first in each tick: reading what came in, clearing what was.
#[derive(ScheduleLabel, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct First;

/// The rules of the game.
#[derive(ScheduleLabel, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Update;

/// Runs last in each tick: looking at the result, removing the dead.
#[derive(ScheduleLabel, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Last;
