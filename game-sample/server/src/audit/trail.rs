//! Berths against where bots saw their ships before the server was killed.
//!
//! *Responsible for*: saying whose stored place is older than is promised. *Not responsible for*: reading either.
//!
//! A pilot's berth is `behind`: it may be some seconds old. So it has to lie on the way that the ship took in these seconds, as
//! its client saw it.

use std::collections::BTreeMap;

use game_sample_bots::TrailLine;

use crate::flight::BOOST_SPEED;
use crate::pilot::Berth;

/// How old a stored place may be, milliseconds: the promise of 10 s and 1 s until a commit is through.
const AGE_MAX_MS: u64 = 11_000;
/// Time between two lines of a trail, and by how much a client's sight is late, milliseconds.
const SAMPLE_MS: u64 = 1_500;
/// Units from the way between two lines: the way is curved, and clients see the past.
const OFF_WAY_MAX: f32 = 120.0;
/// Units from a single line: what a ship flies between two lines.
const OFF_LINE_MAX: f32 = BOOST_SPEED * 1.5;

/// What is wrong.
#[must_use]
pub fn check(trail: &[TrailLine], killed_at: u64, berths: &BTreeMap<u64, Berth>) -> Vec<String> {
    let mut recent: BTreeMap<u64, Vec<&TrailLine>> = BTreeMap::new();
    let window = killed_at.saturating_sub(AGE_MAX_MS + SAMPLE_MS)..=killed_at + SAMPLE_MS;
    for line in trail.iter().filter(|line| window.contains(&line.ms)) {
        recent.entry(line.player).or_default().push(line);
    }
    let mut problems = Vec::new();
    for (player, lines) in recent {
        // Who came only a moment before may not be stored yet.
        let is_settled = lines.iter().any(|line| line.ms + AGE_MAX_MS <= killed_at);
        match berths.get(&player) {
            None if is_settled => problems.push(format!("player {player} has no berth")),
            Some(berth) if is_settled && !is_on_way(berth, &lines) => {
                let last = lines.last();
                problems.push(format!("player {player}: {berth:?} is nowhere on its way before {last:?}"));
            }
            None | Some(_) => {}
        }
    }
    problems
}

/// Whether a ship that was seen at these lines was at the berth meanwhile.
fn is_on_way(berth: &Berth, lines: &[&TrailLine]) -> bool {
    let here: Vec<&&TrailLine> = lines.iter().filter(|line| line.sector == berth.sector).collect();
    let near_line = |line: &TrailLine| distance(berth, (line.x, line.y)) <= OFF_LINE_MAX;
    // Between arrival and the first line, and around each line whose neighbours are in another sector.
    let ends = lines.windows(2).filter(|pair| pair[0].sector != pair[1].sector).flatten();
    let near_end =
        ends.chain(lines.first()).filter(|line| line.sector == berth.sector).any(|line| near_line(line));
    near_end || here.windows(2).any(|pair| off_way(berth, pair[0], pair[1]) <= OFF_WAY_MAX)
}

fn distance(berth: &Berth, (x, y): (f32, f32)) -> f32 {
    libm::hypotf(berth.place.x - x, berth.place.y - y)
}

/// Units from the straight way between two lines.
fn off_way(berth: &Berth, from: &TrailLine, to: &TrailLine) -> f32 {
    let (dx, dy) = (to.x - from.x, to.y - from.y);
    let length = dx * dx + dy * dy;
    let along =
        ((berth.place.x - from.x) * dx + (berth.place.y - from.y) * dy) / length.max(f32::MIN_POSITIVE);
    let along = along.clamp(0.0, 1.0);
    distance(berth, (from.x + dx * along, from.y + dy * along))
}

#[cfg(test)]
mod tests {
    use super::*;
    use game_sample_contracts::Place;

    const KILLED_AT: u64 = 100_000;

    fn berth(sector: u64, x: f32, y: f32) -> BTreeMap<u64, Berth> {
        BTreeMap::from([(7, Berth { sector, place: Place { x, y, yaw: 0.0 }, ..Berth::default() })])
    }

    /// A ship that flies along x at 100 units a second; it is at 0 when the server is killed.
    fn trail() -> Vec<TrailLine> {
        let line = |second: u64| TrailLine {
            player: 7,
            sector: 2,
            x: (second as f32 - 100.0) * 100.0,
            y: 0.0,
            ms: second * 1_000,
            first: false,
        };
        (60..=100).map(line).collect()
    }

    #[test]
    fn a_berth_of_the_seconds_before_is_right_and_an_older_one_is_not() {
        for (x, is_right) in
            [(0.0, true), (-500.0, true), (-1_100.0, true), (-2_000.0, false), (700.0, false)]
        {
            assert_eq!(check(&trail(), KILLED_AT, &berth(2, x, 30.0)).is_empty(), is_right, "{x}");
        }
        assert_eq!(check(&trail(), KILLED_AT, &berth(2, -500.0, 300.0)).len(), 1, "off its way");
        assert_eq!(check(&trail(), KILLED_AT, &berth(3, 0.0, 0.0)).len(), 1, "in another sector");
        assert_eq!(check(&trail(), KILLED_AT, &BTreeMap::new()).len(), 1, "not stored");
    }

    #[test]
    fn who_was_not_there_or_came_a_moment_before_is_not_judged() {
        let late: Vec<TrailLine> = trail().into_iter().filter(|line| line.ms > 95_000).collect();
        let gone: Vec<TrailLine> = trail().into_iter().filter(|line| line.ms < 80_000).collect();
        for lines in [late, gone] {
            assert!(check(&lines, KILLED_AT, &BTreeMap::new()).is_empty());
        }
    }

    #[test]
    fn a_ship_that_came_through_a_gate_may_be_where_it_arrived() {
        let mut lines = trail();
        for line in lines.iter_mut().filter(|line| line.ms > 96_000) {
            (line.sector, line.x) = (4, 600.0 - line.x);
        }
        assert!(check(&lines, KILLED_AT, &berth(4, 750.0, 0.0)).is_empty());
        assert!(check(&lines, KILLED_AT, &berth(2, -600.0, 0.0)).is_empty());
        assert_eq!(check(&lines, KILLED_AT, &berth(4, -700.0, 0.0)).len(), 1);
    }
}
