//! What a bot wants: from what it sees to what it does, without any connection.
//!
//! *Responsible for*: choosing goals and steering towards them so that it looks like somebody flies there.
//! *Not responsible for*: connections and time ([`crate::harness`]), what the server makes of the controls.
//!
//! Invariants:
//! - I1: the same seed and the same sights give the same choices; no clock and no other random source is read.
//! - I2: controls are within -1 and 1 and change by at most [`TURN_STEP`] from one choice to the next: no jitter.

use std::f32::consts::{PI, TAU};

use game_sample_contracts::Steer;
use lightmoon_contract::Mono;

/// Largest change of the turn from one choice to the next.
pub const TURN_STEP: f32 = 0.35;

/// How near a goal counts as reached, units.
const REACHED: f32 = 90.0;
/// A goal not reached within this time is given up, seconds.
const PATIENCE_SECONDS: f32 = 18.0;
/// One of this many goals is a gate.
const GATE_EVERY: u32 = 5;
/// Share of the sector in which points are chosen.
const ROAM: f32 = 0.8;
/// A bot says something once in about this time, seconds.
const SAY_SECONDS: f32 = 240.0;

const LINES: [&str; 12] = [
    "hello out there",
    "the drifters are lively today",
    "anyone near the gate?",
    "nice glow over here",
    "racing you to the other side",
    "that crystal just blinked",
    "quiet skies",
    "boost is back",
    "who painted this sector?",
    "follow me through the gate",
    "just passing by",
    "see you on the ring",
];

/// A place and heading.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Place {
    /// Units from the middle of the sector.
    pub x: f32,
    /// Units from the middle of the sector.
    pub y: f32,
    /// Heading, radians from the x axis.
    pub yaw: f32,
}

/// What a bot sees when it chooses.
#[derive(Clone, Copy, Debug)]
pub struct Sight<'a> {
    /// Its own ship.
    pub me: Place,
    /// Counts the sectors it was in: another number is another sector.
    pub sector: u64,
    /// Half the side of the sector, units.
    pub half_size: f32,
    /// Gates of the sector.
    pub gates: &'a [Place],
    /// What it would rather fly to than to a goal of its own.
    pub target: Option<(f32, f32)>,
}

/// What a bot does.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// Its controls.
    pub steer: Steer,
    /// Something to say.
    pub say: Option<&'static str>,
}

/// A wandering pilot.
#[derive(Clone, Debug)]
pub struct Brain {
    random: fastrand::Rng,
    goal: Option<Goal>,
    sector: u64,
    turn: f32,
    /// How it likes to fly: 0 lazy to 1 wild.
    temper: f32,
    /// Phase and speed of its weaving, radians and radians per second.
    weave: (f32, f32),
    last: Option<Mono>,
    say_in: f32,
    gate_every: u32,
}

#[derive(Clone, Copy, Debug)]
struct Goal {
    x: f32,
    y: f32,
    is_gate: bool,
    left_seconds: f32,
}

impl Brain {
    /// A bot with habits of its own, all from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let temper = random.f32();
        let weave = (random.f32() * TAU, 0.5 + random.f32() * 0.9);
        let say_in = random.f32() * SAY_SECONDS;
        Self {
            random,
            goal: None,
            sector: 0,
            turn: 0.0,
            temper,
            weave,
            last: None,
            say_in,
            gate_every: GATE_EVERY,
        }
    }

    /// The same bot, but one of so many goals is a gate; 1: it goes from gate to gate.
    #[must_use]
    pub const fn with_gate_every(mut self, goals: u32) -> Self {
        self.gate_every = if goals == 0 { 1 } else { goals };
        self
    }

    /// What to do at `now`, called some ten times a second.
    pub fn choose(&mut self, now: Mono, sight: &Sight<'_>) -> Choice {
        let seconds = self.last.map_or(0.0, |last| now.since(last).as_secs_f32()).min(1.0);
        self.last = Some(now);
        self.weave.0 = (self.weave.0 + self.weave.1 * seconds) % TAU;
        let goal = self.goal(sight, seconds);
        Choice { steer: self.steer(sight.me, goal), say: self.say(seconds) }
    }

    /// The present goal, or a new one.
    fn goal(&mut self, sight: &Sight<'_>, seconds: f32) -> Goal {
        if self.sector != sight.sector {
            self.sector = sight.sector;
            self.goal = None;
        }
        if let Some((x, y)) = sight.target {
            // No weaving on the way, as to a gate.
            return Goal { x, y, is_gate: true, left_seconds: PATIENCE_SECONDS };
        }
        if let Some(mut goal) = self.goal {
            goal.left_seconds -= seconds;
            let near = (goal.x - sight.me.x).hypot(goal.y - sight.me.y) < REACHED;
            if goal.left_seconds > 0.0 && (goal.is_gate || !near) {
                self.goal = Some(goal);
                return goal;
            }
        }
        let goal = self.new_goal(sight);
        self.goal = Some(goal);
        goal
    }

    fn new_goal(&mut self, sight: &Sight<'_>) -> Goal {
        if !sight.gates.is_empty() && self.random.u32(..self.gate_every) == 0 {
            let gate = sight.gates[self.random.usize(..sight.gates.len())];
            return Goal { x: gate.x, y: gate.y, is_gate: true, left_seconds: PATIENCE_SECONDS };
        }
        let reach = sight.half_size * ROAM;
        let mut within = || (self.random.f32() * 2.0 - 1.0) * reach;
        let (x, y) = (within(), within());
        Goal { x, y, is_gate: false, left_seconds: PATIENCE_SECONDS }
    }

    fn steer(&mut self, me: Place, goal: Goal) -> Steer {
        let (dx, dy) = (goal.x - me.x, goal.y - me.y);
        let distance = dx.hypot(dy);
        // Weaving fades near a gate, or it would be missed.
        let weaving =
            if goal.is_gate { (distance / 600.0).min(1.0) * 0.3 } else { 0.35 + 0.25 * self.temper };
        let off = wrapped(dy.atan2(dx) + self.weave.0.sin() * weaving - me.yaw);
        let wanted = (off * 1.1).clamp(-1.0, 1.0);
        self.turn = (self.turn + (wanted - self.turn).clamp(-TURN_STEP, TURN_STEP)).clamp(-1.0, 1.0);
        let ahead = 1.0 - off.abs() / PI;
        let thrust = (0.35 + 0.65 * ahead * (0.6 + 0.4 * self.temper)).clamp(0.2, 1.0);
        let boost = self.temper > 0.4 && distance > 450.0 && off.abs() < 0.3;
        Steer { thrust, turn: self.turn, boost }
    }

    fn say(&mut self, seconds: f32) -> Option<&'static str> {
        self.say_in -= seconds;
        if self.say_in > 0.0 {
            return None;
        }
        self.say_in = SAY_SECONDS * (0.5 + self.random.f32());
        Some(LINES[self.random.usize(..LINES.len())])
    }
}

/// The name and colour of a bot, from its seed.
#[must_use]
pub fn persona(seed: u64) -> (String, u16) {
    const FIRST: [&str; 16] = [
        "Amber", "Brisk", "Cobalt", "Dusty", "Eager", "Faint", "Gilded", "Hollow", "Idle", "Jolly", "Keen",
        "Lunar", "Misty", "Nimble", "Opal", "Pale",
    ];
    const LAST: [&str; 16] = [
        "Albatross",
        "Beetle",
        "Comet",
        "Dory",
        "Ember",
        "Finch",
        "Gull",
        "Heron",
        "Ibis",
        "Jay",
        "Kestrel",
        "Lark",
        "Moth",
        "Newt",
        "Otter",
        "Pike",
    ];
    let mut random = fastrand::Rng::with_seed(seed);
    let name = format!("{} {}", FIRST[random.usize(..FIRST.len())], LAST[random.usize(..LAST.len())]);
    (name, random.u16(..360))
}

/// The same angle within -π and π.
fn wrapped(angle: f32) -> f32 {
    (angle + PI).rem_euclid(TAU) - PI
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A ship that does what it is told, roughly.
    fn fly(seed: u64, seconds: u64, mut each: impl FnMut(&Choice, Place, f32)) {
        let mut brain = Brain::new(seed);
        let mut me = Place::default();
        let gates = [Place { x: 800.0, y: 0.0, yaw: 0.0 }, Place { x: 0.0, y: 800.0, yaw: 0.0 }];
        let mut speed = 0.0;
        for step in 0..seconds * 10 {
            let sight = Sight { me, sector: 1, half_size: 1000.0, gates: &gates, target: None };
            let choice = brain.choose(Mono::from_millis(step * 100), &sight);
            me.yaw = wrapped(me.yaw + choice.steer.turn * 2.8 * 0.1);
            speed += (choice.steer.thrust * 200.0 - speed) * 0.1;
            me.x += me.yaw.cos() * speed * 0.1;
            me.y += me.yaw.sin() * speed * 0.1;
            each(&choice, me, speed);
        }
    }

    #[test]
    fn the_same_seed_flies_the_same_way() {
        let path = |seed| {
            let mut path = Vec::new();
            fly(seed, 30, |choice, me, _| path.push((choice.clone(), me)));
            path
        };
        assert_eq!(path(7), path(7));
        assert_ne!(path(7), path(8));
    }

    #[test]
    fn it_moves_about_stays_inside_and_does_not_jitter() {
        for seed in 0..20 {
            let (mut before, mut least, mut most, mut swings) = (None, f32::MAX, f32::MIN, 0);
            fly(seed, 120, |choice, me, _| {
                let turn = choice.steer.turn;
                assert!(
                    (-1.0..=1.0).contains(&turn) && (0.0..=1.0).contains(&choice.steer.thrust),
                    "seed {seed}"
                );
                if let Some(before) = before.replace(turn) {
                    assert!((turn - before).abs() <= TURN_STEP + 1.0e-6, "seed {seed}");
                    swings += u32::from(turn * before < 0.0);
                }
                assert!(me.x.abs() < 1300.0 && me.y.abs() < 1300.0, "seed {seed}: {me:?}");
                least = least.min(me.x);
                most = most.max(me.x);
            });
            assert!(most - least > 500.0, "seed {seed}: only {} units wide", most - least);
            assert!(swings < 240, "seed {seed}: {swings} swings in 1,200 choices");
        }
    }

    #[test]
    fn it_flies_through_gates_now_and_then() {
        let mut reached = 0;
        for seed in 0..10 {
            fly(seed, 300, |_, me, _| reached += u32::from((me.x - 800.0).hypot(me.y) < 55.0));
        }
        assert!(reached > 0);
    }

    #[test]
    fn it_says_little() {
        let mut lines = 0;
        fly(3, 1_200, |choice, _, _| lines += u32::from(choice.say.is_some()));
        assert!((2..=20).contains(&lines), "{lines} lines in 20 minutes");
    }
}
