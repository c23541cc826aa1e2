//! Where ships are after a kill, against where bots saw them before it.
//!
//! *Responsible for*: reading the bots' trail, judging places and the time until bots are back in play. *Not responsible for*:
//! stored berths (the verb `audit` knows them).
//!
//! A place is `behind`: it may be some seconds old. So the ship of a pilot who comes back has to be somewhere on the way that it
//! flew in the seconds before the kill, give or take what it flew since the server was ready.
//!
//! Invariants:
//! - I1: a kill is judged when the trail is complete up to the next one.
//! - I2: a pilot who was not in play in the seconds before is held to the seconds before it was seen last.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

use anyhow::{Context as _, Result};
use game_sample::{ship, world_map};
use game_sample_bots::TrailLine;

use crate::limits::{AGE_MAX_MS, ARRIVAL_MS, BACK_WITHIN_MS, OFF_WAY_MAX, SAMPLE_MS, SPEED_MAX};

/// An end of the server: its moments are milliseconds since 1970.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct End {
    pub(crate) at: u64,
    /// When the server was ready again.
    pub(crate) ready: u64,
    /// The next end.
    pub(crate) next: u64,
}

/// What the trail says of one end of the server.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Judged {
    /// Milliseconds from the end to the first sight of the own ship, of those that were in play.
    pub(crate) back_ms: Vec<u64>,
    /// Places that were compared.
    pub(crate) places: u64,
    /// Pilots who were not back when the next end came, soon.
    pub(crate) cut_short: u64,
    /// What is wrong.
    pub(crate) violations: Vec<String>,
}

/// What bots wrote down.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Trail {
    ways: BTreeMap<u64, Vec<TrailLine>>,
    read_bytes: u64,
}

impl Trail {
    /// Reads what was added to the file.
    pub(crate) fn read(&mut self, path: &Path) -> Result<()> {
        // Bots that did not begin yet wrote none.
        let Ok(mut file) = File::open(path) else { return Ok(()) };
        let mut text = String::new();
        file.seek(SeekFrom::Start(self.read_bytes)).context("the trail")?;
        file.read_to_string(&mut text).context("the trail")?;
        let whole = text.rsplit_once('\n').map_or("", |(whole, _cut)| whole);
        for line in whole.lines() {
            self.add(serde_json::from_str(line).with_context(|| format!("no trail line: {line}"))?);
        }
        if !whole.is_empty() {
            self.read_bytes += whole.len() as u64 + 1;
        }
        Ok(())
    }

    fn add(&mut self, line: TrailLine) {
        self.ways.entry(line.player).or_default().push(line);
    }

    /// Pilots whose ship was seen after a moment.
    pub(crate) fn seen_after(&self, moment: u64) -> usize {
        self.ways.values().filter(|way| way.last().is_some_and(|line| line.ms > moment)).count()
    }

    /// Pilots who attached after a moment.
    pub(crate) fn attached_after(&self, moment: u64) -> usize {
        let attached = |way: &&Vec<TrailLine>| way.iter().rev().any(|line| line.first && line.ms > moment);
        self.ways.values().filter(attached).count()
    }

    /// Judges an end of the server.
    pub(crate) fn judge(&self, end: &End) -> Judged {
        let mut judged = Judged::default();
        for way in self.ways.values() {
            let split = way.partition_point(|line| line.ms <= end.at);
            let (before, after) = way.split_at(split);
            let Some(last) = before.last() else { continue };
            let was_in_play = last.ms + SAMPLE_MS >= end.at;
            let Some(back) = after.iter().take_while(|line| line.ms < end.next).find(|line| line.first)
            else {
                judged.missing(last, end, was_in_play);
                continue;
            };
            if was_in_play {
                judged.back_ms.push(back.ms - end.at);
            }
            judged.place(before, back, end);
        }
        judged
    }
}

impl Judged {
    fn missing(&mut self, last: &TrailLine, end: &End, was_in_play: bool) {
        if !was_in_play {
        } else if end.next.saturating_sub(end.ready) > BACK_WITHIN_MS {
            let player = last.player;
            let patience = end.next.saturating_sub(end.ready);
            self.violations.push(format!(
                "end {}: player {player} was not back {patience} ms after the server was; last seen {last:?}",
                end.at
            ));
        } else {
            self.cut_short += 1;
        }
    }

    fn place(&mut self, before: &[TrailLine], back: &TrailLine, end: &End) {
        let last_ms = before.last().map_or(end.at, |line| line.ms);
        // Who came only a moment before may not be stored yet.
        if before.first().is_none_or(|first| first.ms + AGE_MAX_MS > last_ms) {
            return;
        }
        let from = last_ms.saturating_sub(AGE_MAX_MS + SAMPLE_MS);
        let way = &before[before.partition_point(|line| line.ms < from)..];
        self.places += 1;
        // Ships fly on by themselves; the clock of the file of readiness is a little late.
        let flown = SPEED_MAX * millis(back.ms.saturating_sub(end.ready) + 100);
        if !is_on_way(back, way, flown, end.at) {
            self.violations.push(format!(
                "end {}: the ship of player {} is nowhere on its way before: {back:?}, ready at {}, its way: {way:?}",
                end.at, back.player, end.ready
            ));
        }
    }
}

/// Whether a ship that was seen on `way` may be at `back`.
fn is_on_way(back: &TrailLine, way: &[TrailLine], flown: f32, end: u64) -> bool {
    let near = |line: &TrailLine, within: f32| {
        line.sector == back.sector && distance(back, (line.x, line.y)) <= within + flown
    };
    // From one line to the next.
    let pairs = || way.windows(2).map(|pair| (&pair[0], &pair[1]));
    let between = |(one, other): (&TrailLine, &TrailLine)| {
        one.sector == back.sector
            && other.sector == back.sector
            && off_way(back, one, other) <= OFF_WAY_MAX + flown
    };
    // Around a change of sectors, and after the last line.
    let arrival = OFF_WAY_MAX + SPEED_MAX * millis(ARRIVAL_MS);
    let changes = || pairs().filter(|(one, other)| one.sector != other.sector);
    let after_last = way.last().is_some_and(|last| {
        let unseen = end.saturating_sub(last.ms).min(AGE_MAX_MS);
        near(last, OFF_WAY_MAX + SPEED_MAX * millis(unseen))
    });
    let through_gate =
        || way.iter().any(|line| line.sector != back.sector && is_behind_gate(back, line.sector, flown));
    pairs().any(between)
        || changes().any(|(one, other)| near(one, arrival) || near(other, arrival))
        || way.first().is_some_and(|first| near(first, arrival))
        || after_last
        || through_gate()
}

/// Whether a ship is where ships come in from a sector. It was in the gate at the end, and nobody saw it arrive.
fn is_behind_gate(back: &TrailLine, from: u64, flown: f32) -> bool {
    let gate = world_map::sector(back.sector).and_then(|plan| plan.gate_to(from));
    gate.is_some_and(|gate| {
        let arrived = ship::gate_motion(&gate);
        distance(back, (arrived.x, arrived.y)) <= OFF_WAY_MAX + flown
    })
}

fn distance(back: &TrailLine, (x, y): (f32, f32)) -> f32 {
    (back.x - x).hypot(back.y - y)
}

/// Units from the straight way between two lines.
fn off_way(back: &TrailLine, from: &TrailLine, to: &TrailLine) -> f32 {
    let (dx, dy) = (to.x - from.x, to.y - from.y);
    let length = (dx * dx + dy * dy).max(f32::MIN_POSITIVE);
    let along = (((back.x - from.x) * dx + (back.y - from.y) * dy) / length).clamp(0.0, 1.0);
    distance(back, (from.x + dx * along, from.y + dy * along))
}

/// Milliseconds as a number to reckon with; those that matter here are few.
fn millis(count: u64) -> f32 {
    f32::from(u16::try_from(count).unwrap_or(u16::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const END: End = End { at: 100_000, ready: 100_200, next: 130_000 };

    fn line(ms: u64, sector: u64, x: f32, first: bool) -> TrailLine {
        TrailLine { player: 7, sector, x, y: 0.0, ms, first }
    }

    /// A ship that flies along x at 100 units a second and is at 0 at the end.
    fn trail(back: Option<TrailLine>) -> Trail {
        let mut trail = Trail::default();
        for second in 60..=99_u16 {
            trail.add(line(u64::from(second) * 1_000, 2, (f32::from(second) - 100.0) * 100.0, second == 60));
        }
        back.into_iter().for_each(|back| trail.add(back));
        trail
    }

    #[test]
    fn a_place_of_the_seconds_before_is_right_and_an_older_one_is_not() {
        for (x, is_right) in
            [(0.0, true), (-500.0, true), (-1_100.0, true), (-2_200.0, false), (700.0, false)]
        {
            let judged = trail(Some(line(100_300, 2, x, true))).judge(&END);
            assert_eq!(judged.violations.is_empty(), is_right, "{x}: {judged:?}");
            assert_eq!((judged.back_ms, judged.places), (vec![300], 1));
        }
    }

    #[test]
    fn a_ship_in_a_sector_where_it_was_not_is_wrong_unless_it_came_through_the_gate() {
        let gate = world_map::sector(1).and_then(|plan| plan.gate_to(2)).unwrap();
        let arrived = ship::gate_motion(&gate);
        let back = TrailLine { player: 7, sector: 1, x: arrived.x, y: arrived.y, ms: 100_300, first: true };
        assert_eq!(trail(Some(back)).judge(&END).violations, Vec::<String>::new());
        let elsewhere = TrailLine { x: -arrived.x, y: -arrived.y, ..back };
        assert_eq!(trail(Some(elsewhere)).judge(&END).violations.len(), 1);
    }

    #[test]
    fn who_does_not_come_back_in_time_is_missed_unless_the_next_end_was_soon() {
        assert_eq!(trail(None).judge(&END).violations.len(), 1);
        let judged = trail(None).judge(&End { next: 101_000, ..END });
        assert_eq!((judged.violations.len(), judged.cut_short), (0, 1));
    }

    #[test]
    fn a_second_end_before_a_ship_was_seen_counts_the_seconds_before_the_first() {
        let late = End { at: 106_000, ready: 106_100, next: 130_000 };
        let judged = trail(Some(line(106_200, 2, -1_200.0, true))).judge(&late);
        assert_eq!(judged.violations, Vec::<String>::new());
        assert_eq!(judged.back_ms, Vec::<u64>::new(), "it was not in play");
    }

    #[test]
    fn who_came_a_moment_before_is_not_judged() {
        let mut trail = Trail::default();
        trail.add(line(95_000, 2, 0.0, true));
        trail.add(line(99_500, 2, 100.0, false));
        trail.add(line(100_300, 3, 900.0, true));
        assert_eq!(trail.judge(&END).places, 0);
    }
}
